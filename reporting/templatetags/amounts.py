"""The filters of templates: amounts, instants and reasons as people read them."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portfolios.models import Account
from reporting import reading
from reporting.wording import ADAPTERS, MODES, OCCASIONS, OUTCOMES, TRIMS, WHYS, reason_in_words
from trading.domain.choices import Decision, Reason
from trading.domain.explanation import trims_of
from trading.domain.order_life import OPEN_STATES
from trading.market import feeds

register = template.Library()
for read in (
    reading.money,
    reading.money_down,
    reading.money_up,
    reading.signed_money,
    reading.shares,
    reading.shares_about,
    reading.plain,
    reading.signed_plain,
    reading.percent,
    reading.percent_bare,
    reading.signed_percent,
    reading.basis_points,
    reading.tone,
    reading.market_time,
    reading.market_day,
    reading.market_clock,
    reading.market_date,
    reading.age,
):
    register.filter(read.__name__, read)


@register.filter
def in_words(reason: Reason) -> str:
    return reason_in_words(reason)


@register.filter
def why(order_reason: str) -> str:
    return WHYS.get(order_reason, "ordered by a person")


@register.filter
def named(name: str) -> str:
    """A name from the code as words: partially_filled is partially filled."""
    return name.replace("_", " ")


@register.filter
def whereabouts(account: Account) -> str:
    """Where an account is and what for: "the paper venue, for practice"."""
    return f"{ADAPTERS.get(account.adapter, account.adapter)}, {MODES[account.mode]}"


@register.filter
def whence(source: str) -> str:
    """Where prices come from: "Alpaca, each minute"."""
    return feeds.in_words(source)


@register.filter
def occasion(why: str) -> str:
    """Why books were compared."""
    return OCCASIONS.get(why, why)


@register.filter
def outcome(found: str) -> str:
    """What comparing them came to."""
    return OUTCOMES.get(found, found)


@register.filter
def capital(text: str) -> str:
    """BUY is Buy."""
    return text.capitalize()


@register.filter
def status_badge(status: str) -> SafeString:
    """An order's status in words; what is still open stands out."""
    tone = " warn" if status in ("unknown", "rejected") else " open" if status in (*OPEN_STATES, "proposed") else ""
    return format_html('<span class="badge{}">{}</span>', tone, named(status))


@register.filter
def cuts(decision: Decision) -> str:
    """What trimmed it, for a sentence: "guardrail, cash at hand"."""
    return ", ".join(TRIMS[trim.name].lower() for trim in trims_of(decision))
