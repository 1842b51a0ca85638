"""What the owner of an account does on its page. What was typed is kept when it does not fit; secrets never are."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Account, Portfolio
from portfolios.services import accounts
from trading.services.connections import connect_portfolio
from trading.views.visitor import actor_of, read_id, sentence_of, shown_again, visitor

JUST_MADE = "just_made_webhook_secret"
KEPT = ("name", "adapter", "mode", "latency_ms", "most_per_quote", "reason", "typed")
Deed = Callable[[HttpRequest, Account], str]


def owned(request: HttpRequest, public_id: UUID) -> Account:
    """Raises Http404 for a stranger, PermissionDenied for who only sees it."""
    seen = Account.objects.filter(Q(owner=visitor(request)) | Q(portfolios__memberships__user=visitor(request)))
    account = get_object_or_404(seen.distinct(), public_id=public_id)
    if account.owner_id != visitor(request).pk:
        raise PermissionDenied
    return account


def door(deed: Deed) -> Callable[..., HttpResponse]:
    """A POST of the owner's: done and said, or 422 with the page as it was typed."""

    def answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
        account = owned(request, public_id)
        address = reverse("account", args=[public_id])
        try:
            messages.success(request, deed(request, account))
        except Refused as refused:
            return refused_again(request, address, refused)
        return redirect(address)

    return login_required(require_POST(answer))


def refused_again(request: HttpRequest, address: str, refused: Refused) -> HttpResponse:
    messages.error(request, f"Not done: {sentence_of(refused)}.")
    return shown_again(request, address, {name: request.POST.get(name, "")[:400] for name in KEPT})


@login_required
@require_POST
def open_account(request: HttpRequest) -> HttpResponse:
    given = {name: request.POST.get(name, "") for name in ("adapter", "mode")}
    name = request.POST.get("name", "").strip()
    try:
        account = accounts.create_account(owner=visitor(request), name=name, actor=actor_of(request), **given)
    except Refused as refused:
        return refused_again(request, reverse("accounts"), refused)
    messages.success(request, f"{account.name} is open.")
    return redirect("account", account.public_id)


def about(request: HttpRequest, account: Account) -> dict[str, Any]:
    return {"account_id": account.pk, "actor": actor_of(request)}


def rename_it(request: HttpRequest, account: Account) -> str:
    name = request.POST.get("name", "").strip()
    accounts.rename_account(**about(request, account), name=name)
    return f"It is called {name} from now on."


def slow_it(request: HttpRequest, account: Account) -> str:
    latency, most = request.POST.get("latency_ms", ""), request.POST.get("most_per_quote", "")
    if not (latency.isascii() and latency.isdigit() and len(latency) < 10):
        raise Refused("out_of_range", f"must be from 0 to {accounts.MAX_LATENCY_MS}", field="latency_ms")
    try:
        shares = micros(most)
    except ValueError:
        raise Refused("out_of_range", "must be a plain number of shares", field="most_per_quote") from None
    accounts.set_paper_terms(**about(request, account), latency_ms=int(latency), most_per_quote=shares)
    return "The paper venue fills as you said from now on."


def seal_it(request: HttpRequest, account: Account) -> str:
    pairs = zip(request.POST.getlist("credential"), request.POST.getlist("secret"), strict=False)
    accounts.seal_credentials(
        **about(request, account), given={name: secret for name, secret in pairs if name or secret}
    )
    return "The credentials are kept. Nobody can read them again; the books are compared anew."


def arm_it(request: HttpRequest, account: Account) -> str:
    typed, reason = request.POST.get("typed", ""), request.POST.get("reason", "")
    accounts.arm_account(**about(request, account), name=typed, reason=reason)
    return "Live trading is armed. Orders leave for real from now on."


def disarm_it(request: HttpRequest, account: Account) -> str:
    accounts.disarm_account(**about(request, account), reason=request.POST.get("reason", ""))
    return "Live trading is disarmed. No order leaves any more; what rests at the broker stays there."


def close_it(request: HttpRequest, account: Account) -> str:
    accounts.close_account(**about(request, account))
    return "The account is closed and its credentials are forgotten."


def connect_it(request: HttpRequest, account: Account) -> str:
    mine = Portfolio.objects.owned_by(request.user)
    portfolio = get_object_or_404(mine, public_id=read_id(request.POST.get("portfolio", "")))
    connect_portfolio(portfolio_id=portfolio.pk, account_id=account.pk, actor=actor_of(request))
    return f"The orders of {portfolio.name} go to {account.name} from now on."


@login_required
@require_POST
def make_secret(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The secret waits in the session for the page that shows it, so that a refresh makes no second one."""
    account = owned(request, public_id)
    try:
        secret = accounts.rotate_webhook_secret(account_id=account.pk, actor=actor_of(request))
    except Refused as refused:
        return refused_again(request, reverse("account", args=[public_id]), refused)
    request.session[JUST_MADE] = {"account": str(public_id), "secret": secret}
    return redirect("webhook-secret-made", public_id)


@login_required
@require_safe
@never_cache
def show_secret(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Takes the secret out of the session as it shows it: once. A HEAD shows nothing and takes nothing."""
    account = owned(request, public_id)
    made = request.session.get(JUST_MADE)
    if request.method == "GET":
        request.session.pop(JUST_MADE, None)
    if made is None or made["account"] != str(public_id):
        messages.info(request, "A webhook's secret is shown once. If yours is lost, make another.")
        return redirect("account", public_id)
    return render(request, "trading/webhook_secret.html", {"account": account, "secret": made["secret"]})


rename, set_terms, set_credentials = door(rename_it), door(slow_it), door(seal_it)
arm, disarm, close, connect = door(arm_it), door(disarm_it), door(close_it), door(connect_it)
