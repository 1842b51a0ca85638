"""Checking the log on demand: the streams somebody may see, as far back as an answer can wait for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from portfolios.models import Account, Portfolio, Position
from portfolios.services.verification import verify_portfolios
from trading.views.visitor import visitor

MOST = 100_000


@login_required
@require_POST
def verify_chain(request: HttpRequest) -> HttpResponse:
    """Reads only; a POST because it works hard and nobody's browser should do it unasked."""
    portfolios = dict(Portfolio.objects.visible_to(request.user).values_list("pk", "name"))
    accounts = dict(Account.objects.filter(owner=visitor(request)).values_list("pk", "name"))
    checked = verify_portfolios(portfolio_ids=portfolios.keys(), account_ids=accounts.keys(), most=MOST)
    found = {finding.stream_id for finding in checked.verified.findings}
    cells = dict(Position.objects.filter(public_id__in=found).values_list("public_id", "symbol"))
    others = "A portfolio, an account or the house"
    findings = [(cells.get(finding.stream_id, others), finding) for finding in checked.verified.findings]
    names = {"portfolios": portfolios.values(), "accounts": accounts.values()}
    context = {"checked": checked, "findings": findings, "most": MOST} | names
    return render(request, "trading/verified.html", context)
