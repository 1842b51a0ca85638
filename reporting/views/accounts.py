"""The pages of accounts: the list with the form for a new one, and one account."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reporting.selectors.accounts import account_page, accounts_of, adapters, visible

TYPED = ("name", "adapter", "mode", "latency_ms", "most_per_quote", "reason", "typed")


@login_required
@require_safe
@never_cache
def accounts(request: HttpRequest) -> HttpResponse:
    page, found = accounts_of(request.user, request.GET.get("before", ""))
    context = {"page": page, "accounts": found, "adapters": adapters(), "typed": typed_in(request), "query": ""}
    return render(request, "reporting/accounts.html", context)


@login_required
@require_safe
@never_cache
def account(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(visible(request.user), public_id=public_id)
    context = {"page": account_page(found, request.user), "typed": typed_in(request)}
    return render(request, "reporting/account.html", context)


def typed_in(request: HttpRequest) -> dict[str, str]:
    """What a form that was refused had in it; never credentials."""
    return {name: request.GET.get(name, "")[:400] for name in TYPED}
