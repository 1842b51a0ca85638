"""Acts on a cell in two steps: what it would come to, then the deed; sent twice, done once. No JavaScript needed."""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portfolios.domain.holding import Holding, total_value
from portfolios.errors import Refused
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.idempotency import Answer, answer_once, fingerprint_of, read_key
from trading.cards import WARNINGS, OrderPreview, exchanged, order_preview, position_card
from trading.domain.choices import Side
from trading.domain.explanation import stock_share
from trading.domain.ladder import trigger_edges
from trading.services.evaluation import Evaluation, preview_position
from trading.sight import Sight
from trading.views.act_forms import ActForm
from trading.views.deeds import DEEDS, Deed, rehearse
from trading.views.visitor import steered_position, visitor

WAITS = "The price is not there yet: the order waits for its limit, and the robot waits for the order."
MONEY, SHARES, RATE, WORDS = "money", "shares", "rate", "words"


class Change(NamedTuple):
    """One line of before and after; `kind` says how to read the figures."""

    name: str
    kind: str
    before: Any
    after: Any


class Foreseen(NamedTuple):
    """What a deed would come to, nothing of it written."""

    changes: list[Change]
    warnings: list[str]
    order: OrderPreview | None = None
    evaluation: Evaluation | None = None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, public_id: UUID, name: str) -> HttpResponse:
    """GET asks and shows what would be; POST does it."""
    position = steered_position(request, public_id)
    deed = DEEDS[name]
    if request.method == "POST":
        return done(request, position, name, deed.form(request.POST))
    form = deed.form(request.GET)
    return asked(request, position, name, form if form.is_begun else deed.form())


def asked(request: HttpRequest, position: Position, name: str, form: ActForm) -> HttpResponse:
    """The form; beside it, once all is typed, what it would come to and the button that does it."""
    foreseen = None
    if form.is_bound and form.is_valid():
        try:
            foreseen = foresee(request, position, DEEDS[name], form.cleaned_data)
        except Refused as refused:
            note(form, refused)
    return shown(request, position, name, form, foreseen)


def done(request: HttpRequest, position: Position, name: str, form: ActForm) -> HttpResponse:
    """The deed once per hidden key; refused, the form again with what was typed."""
    if form.is_valid():
        try:
            answer = do_once(request, position, name, form)
        except Refused as refused:
            note(form, refused)
        else:
            again = "" if answer.is_first else "Done already, and once only: "
            messages.success(request, f"{again}{answer.body['message']}")
            return redirect("cockpit", position.public_id)
    return shown(request, position, name, form, None, status=422)


def do_once(request: HttpRequest, position: Position, name: str, form: ActForm) -> Answer:
    key = read_key(request.POST.get("key"))
    typed = {field: str(value) for field, value in form.cleaned_data.items()}
    fingerprint = fingerprint_of(method="POST", route=f"act/{name}", subject=str(position.public_id), body=typed)

    def answer() -> dict[str, Any]:
        return {"message": DEEDS[name].does(position, form.cleaned_data, visitor(request))}

    return answer_once(portfolio_id=position.portfolio_id, key=f"form:{key}", fingerprint=fingerprint, answer=answer)


def note(form: ActForm, refused: Refused) -> None:
    """A refusal beside the field it is about, else above all."""
    message = f"{refused.message[:1].upper()}{refused.message[1:]}"
    form.add_error(refused.field if refused.field in form.fields else None, message)


def shown(
    request: HttpRequest, position: Position, name: str, form: ActForm, foreseen: Foreseen | None, status: int = 200
) -> HttpResponse:
    context = {
        "position": position,
        "card": position_card(position),
        "name": name,
        "deed": DEEDS[name],
        "form": form,
        "foreseen": foreseen,
        "key": uuid.uuid4().hex,
    }
    return render(request, "trading/act.html", context, status=status)


def foresee(request: HttpRequest, position: Position, deed: Deed, typed: Mapping[str, Any]) -> Foreseen:
    """Raises Refused as the deed would."""
    sight = position_card(position).sight
    if deed.side != Side.NONE:
        preview = order_preview(position, deed.side, typed["qty"], typed["limit_price"])
        warnings = [WARNINGS[warning] for warning in preview.warnings]
        return Foreseen(changes_of_order(position, preview, sight), [*warnings, *([WAITS] * preview.waits)], preview)
    if not deed.form.base_fields:
        return Foreseen([], [], evaluation=preview_position(position=position))
    after = rehearse(deed, position, typed, visitor(request))
    return Foreseen(changes_between(position, after, sight), warnings_about(after, sight))


def changes_of_order(position: Position, preview: OrderPreview, sight: Sight | None) -> list[Change]:
    """At today's price; the worth after an order that waits for another price nobody knows."""
    if preview.price is None or preview.cost is None:
        return []
    after = exchanged(position.holding, preview.side, preview.quantity, preview.cost)
    if preview.waits or sight is None:
        share = Change("Stock share", RATE, preview.stock_share, preview.stock_share_after)
        return [*changed(position.holding, after, None), share]
    return changed(position.holding, after, sight.price)


def changes_between(before: Position, after: Position, sight: Sight | None) -> list[Change]:
    changes = changed(before.holding, after.holding, sight.price if sight else None)
    if before.state != after.state:
        changes.append(Change("State", WORDS, before.get_state_display(), after.get_state_display()))
    return changes


def changed(before: Holding, after: Holding, price: int | None) -> list[Change]:
    """What differs, and the worth and stock share where there is a price."""
    changes = [
        Change("Shares", SHARES, before.shares, after.shares),
        Change("Cash", MONEY, before.cash, after.cash),
        Change("Anchor", MONEY, before.anchor or None, after.anchor or None),
    ]
    if price is not None:
        changes.append(Change("Value", MONEY, total_value(before, price), total_value(after, price)))
        changes.append(Change("Stock share", RATE, stock_share(before, price), stock_share(after, price)))
    return [change for change in changes if change.before != change.after]


def warnings_about(after: Position, sight: Sight | None) -> list[str]:
    """A trigger that has fired by then, or guardrails left behind."""
    rules, holding = effective_rules(after).rules, after.holding
    edges = trigger_edges(holding, rules)
    if sight is None or edges is None or after.state != Position.Status.ACTIVE:
        return []
    if sight.price <= edges.buy or sight.price >= edges.sell:
        side = "buy" if sight.price <= edges.buy else "sell"
        return [f"The {side} trigger has fired by then: the robot may trade at the next price."]
    share = stock_share(holding, sight.price)
    if not rules.guardrail_low <= share <= rules.guardrail_high:
        return ["The stock share is outside its guardrails then: the robot may trade back to them."]
    return []
