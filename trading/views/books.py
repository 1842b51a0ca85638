"""What the owner of an account does about its books: compare again, settle a difference, release the account."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.models import Account, Position
from trading.services import books
from trading.tasks import reconcile_account, ring
from trading.views.visitor import actor_of, read_id, sentence_of, shown_again, visitor

ASKED = "The broker is asked. Its answer shows here in a moment."
NOT_ASKED = "The queue does not answer. The books are compared within the minute anyway."
Deed = Callable[[Account, HttpRequest], str]


def door(does: Deed) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """Its own account or 404; refused, the page again with what was typed."""

    def answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
        account = get_object_or_404(Account.objects.filter(owner=visitor(request)), public_id=public_id)
        address = reverse("books", args=[public_id])
        try:
            messages.success(request, does(account, request))
        except Refused as refused:
            messages.error(request, f"Not done: {sentence_of(refused)}.")
            typed = {name: request.POST.get(name, "") for name in ("subject", "reason", "cell")}
            return shown_again(request, address, typed)
        return redirect(address)

    return login_required(require_POST(answer))


def ask(account: Account, request: HttpRequest) -> str:
    rung = ring(reconcile_account, account_id=account.pk, why="person", actor=actor_of(request))
    return ASKED if rung else NOT_ASKED


def typed(account: Account, request: HttpRequest) -> dict[str, Any]:
    return {"account_id": account.pk, "reason": request.POST.get("reason", ""), "actor": actor_of(request)}


def confirm_outside(account: Account, request: HttpRequest) -> str:
    subject = request.POST.get("subject", "")
    books.confirm_outside(**typed(account, request), subject=subject)
    return f"{subject} is expected at the broker from now on. Compare again."


def adopt(account: Account, request: HttpRequest) -> str:
    cells = Position.objects.filter(portfolio__account=account)
    cell = get_object_or_404(cells, public_id=read_id(request.POST.get("cell", "")))
    books.adopt_difference(**typed(account, request), subject=request.POST.get("subject", ""), position_id=cell.pk)
    return "The cell was put right. Compare again."


def release(account: Account, request: HttpRequest) -> str:
    books.unfreeze(**typed(account, request))
    return f"Released. It trades again once the books are equal. {ask(account, request)}"


compare_again = door(ask)
confirm_it_outside = door(confirm_outside)
adopt_it = door(adopt)
release_account = door(release)
