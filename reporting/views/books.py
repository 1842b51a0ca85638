"""The page of an account's books: only its owner sees it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from portfolios.models import Account
from reporting.selectors.books import books_of
from reporting.views.asked import visitor, without_cursor


@login_required
@require_safe
def books(request: HttpRequest, public_id: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.filter(owner=visitor(request)), public_id=public_id)
    told = books_of(account, request.GET.get("before", ""), request.GET.get("money", ""))
    typed = {name: request.GET.get(name, "") for name in ("subject", "reason", "cell")}
    context = {"told": told, "account": account, "page": told.page, "typed": typed, "query": without_cursor(request)}
    return render(request, "reporting/books.html", context)
