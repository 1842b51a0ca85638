"""Who may do what at every address: the one table. A new route is declared here or the test fails.

A row names the route as the resolver writes it, the method, what a caller sends, and the answer each of the six gets,
in the order of CALLERS. A method without a row lets nobody in.
"""

from typing import Any, NamedTuple

from trading.views.deeds import DEEDS

CALLERS = ("anonymous", "stranger", "viewer", "trader", "owner", "staff")
ADMIN = "admin/"  # one rule for all below: only staff, see the test


class Row(NamedTuple):
    """`public_id` in a route stands for `subject`; an answer is a status, or several where the day decides."""

    route: str
    method: str
    answers: tuple[int | tuple[int, ...], ...]
    subject: str = "cell"
    body: dict[str, Any] | None = None


def everybody(status: int | tuple[int, ...]) -> tuple[int | tuple[int, ...], ...]:
    return (status,) * len(CALLERS)


# Members are viewer, trader, owner; staff is nobody special to other people's money.
API_ANYONE_KNOWN = (401, 200, 200, 200, 200, 200)
API_MAKES_OWN = (401, 201, 201, 201, 201, 201)
API_STAFF_MAKES = (401, 403, 403, 403, 403, 201)
API_STAFF_PUTS_RIGHT = (401, 403, 403, 403, 403, (200, 404))  # of what was announced before
API_STAFF_READ = (401, 403, 403, 403, 403, 200)
PAGE_STAFF_READ = (302, 403, 403, 403, 403, 200)
API_NOTHING_THERE = (401, 404, 404, 404, 404, 404)
VIEWER_LEAVES = (401, 404, 204, 403, 204, 404)
API_OWNERS_ACCOUNT = (401, 404, 404, 404, 200, 404)
API_MEMBERS_READ = (401, 404, 200, 200, 200, 404)
PAGE_ANYONE_KNOWN = (302, 200, 200, 200, 200, 200)
PAGE_FORM_REFUSED = (302, 422, 422, 422, 422, 422)
PAGE_MEMBERS_READ = (302, 404, 200, 200, 200, 404)
PAGE_OWNERS_RUN = (302, 404, 404, 404, 200, 404)
OWNERS_RUN_ACT = (302, 404, 404, 404, 302, 404)
FEED_STEERED = (302, 403, 403, 302, 302, 302)


def api_members_act(status: int) -> tuple[int, ...]:
    return (401, 404, 403, status, status, 404)


def page_members_act(status: int) -> tuple[int, ...]:
    return (302, 404, 403, status, status, 404)


def api_owner_acts(status: int) -> tuple[int, ...]:
    return (401, 404, 403, 403, status, 404)


BUY = {"side": "BUY", "qty": "1"}
WHY = {"reason": "so"}
FILL = {"price": "50", "filled_qty": "1"}
SETTINGS = {"settings": {"max_trade": "0.3"}}
DIVIDEND = {"ticker": "IBM", "ex_date": "2007-02-07", "dps": "0.3"}
ANNOUNCED = {"ticker": "IBM", "ex_date": "2007-02-07"}
SPLIT = {"ticker": "IBM", "ex_date": "2007-02-07", "numerator": 2, "denominator": 1}

HEALTH = [
    Row("favicon.ico", "GET", everybody(302)),
    Row("healthz", "GET", everybody(200)),
    Row("readyz", "GET", everybody((200, 503))),
    Row("v1/healthz", "GET", everybody(200)),
    Row("v1/version", "GET", everybody(200)),
    Row("v1/schema", "GET", everybody(200)),
    Row("v1/docs", "GET", everybody(200)),
    Row("v1/redoc", "GET", everybody(200)),
]
API = [
    Row("v1/metrics", "GET", API_ANYONE_KNOWN),
    Row("v1/positions", "GET", API_ANYONE_KNOWN),
    Row("v1/positions", "POST", API_MAKES_OWN, body={"ticker": "ZIM"}),
    Row("v1/positions/<str:public_id>", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/events", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/evaluate", "POST", api_members_act(200), body={}),
    Row("v1/positions/<str:public_id>/tick", "POST", api_members_act(200), body={}),
    Row("v1/positions/<str:public_id>/orders", "POST", api_members_act(201), body=BUY),
    Row("v1/positions/<str:public_id>/settings", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/settings", "PUT", api_members_act(200), body=SETTINGS),
    Row("v1/positions/<str:public_id>/settings", "PATCH", api_members_act(200), body=SETTINGS),
    Row("v1/positions/<str:public_id>/settings/preview", "POST", API_MEMBERS_READ, body=SETTINGS),
    Row("v1/positions/<str:public_id>/settings/versions", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/settings/versions/<int:number>/restore", "POST", api_members_act(200), body={}),
    Row("v1/positions/<str:public_id>/ladder", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/refused-prices", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/timeline", "GET", API_MEMBERS_READ),
    Row("v1/portfolios/<str:public_id>/storm", "GET", API_MEMBERS_READ, "portfolio"),
    Row("v1/evaluations/<str:evaluation_id>", "GET", API_MEMBERS_READ),
    Row("v1/evaluations/<str:evaluation_id>/why-not", "GET", API_MEMBERS_READ),
    Row("v1/positions/<str:public_id>/deposit", "POST", api_members_act(200), body={"amount": "1"}),
    Row("v1/positions/<str:public_id>/withdraw", "POST", api_members_act(200), body={"amount": "1"}),
    Row("v1/positions/<str:public_id>/adjust", "POST", api_members_act(200), body={"cash": "-1", "reason": "fee"}),
    Row("v1/positions/<str:public_id>/anchor", "POST", api_members_act(200), body={"price": "99", "reason": "so"}),
    Row("v1/positions/<str:public_id>/pause", "POST", api_members_act(200), body=WHY),
    Row("v1/positions/<str:public_id>/resume", "POST", api_members_act(200), body=WHY),
    Row("v1/positions/<str:public_id>/release", "POST", api_members_act(200), body=WHY),
    Row("v1/accounts/<str:public_id>/reconciliations", "GET", API_OWNERS_ACCOUNT, "account"),
    Row("v1/accounts/<str:public_id>/reconcile", "POST", (401, 404, 404, 404, 202, 404), "account", {}),
    Row("v1/accounts/<str:public_id>/unfreeze", "POST", API_OWNERS_ACCOUNT, "account", WHY),
    Row("v1/positions/<str:public_id>/close", "POST", api_members_act(200), body=WHY),
    Row("v1/positions/<str:public_id>/halt", "POST", api_members_act(200), body=WHY),
    Row("v1/positions/<str:public_id>/rearm", "POST", api_members_act(409), body=WHY),  # nobody has halted it
    Row("v1/accounts/<str:public_id>/halt", "POST", (401, 404, 404, 404, 200, 404), "account", WHY),
    Row("v1/halts", "GET", API_ANYONE_KNOWN),
    Row("v1/halts", "POST", (401, 403, 403, 403, 403, 403), body=WHY),  # superusers alone
    Row("v1/halts/<str:public_id>/rearm", "POST", API_NOTHING_THERE, body=WHY),
    Row("v1/events", "GET", API_MEMBERS_READ, body={"position_id": "cell"}),
    Row("v1/exports/<str:kind>.<str:form>", "GET", API_MEMBERS_READ, body={"position_id": "cell"}),
    Row("v1/orders", "GET", API_ANYONE_KNOWN),
    Row("v1/orders/callback", "POST", everybody(401)),  # only a signature opens it
    Row("v1/orders/<str:public_id>", "GET", API_MEMBERS_READ, subject="order"),
    Row("v1/orders/<str:public_id>/cancel", "POST", api_members_act(200), subject="order", body={}),
    Row("v1/orders/<str:public_id>/fill", "POST", api_members_act(200), subject="order", body=FILL),
]
AN_ACCOUNT = "v1/accounts/<str:public_id>"
ACCOUNT_FORMS = ("rename", "terms", "credentials", "arm", "disarm", "close")
ACCOUNT_REFUSED = (302, 404, 403, 403, 422, 404)  # nothing was typed; and it is in use
ACCOUNTS = [
    Row("v1/orders/<str:public_id>/approve", "POST", api_members_act(409), subject="order", body={}),  # never proposed
    Row("v1/orders/<str:public_id>/dismiss", "POST", api_members_act(409), subject="order", body=WHY),
    Row("v1/portfolios/<str:public_id>/approval", "PUT", api_owner_acts(200), "portfolio", {"approve_first": True}),
    Row("v1/portfolios/<str:public_id>/account", "PUT", api_owner_acts(422), "portfolio", {}),
    Row("orders/<uuid:public_id>/approve", "POST", page_members_act(302), subject="order"),
    Row("orders/<uuid:public_id>/dismiss", "POST", page_members_act(422), subject="order"),  # without a reason
    Row("portfolios/<uuid:public_id>/approval", "POST", (302, 404, 403, 403, 302, 404), subject="portfolio"),
    Row("accounts", "GET", PAGE_ANYONE_KNOWN),
    Row("accounts/open", "POST", PAGE_FORM_REFUSED),
    Row("accounts/<uuid:public_id>", "GET", PAGE_MEMBERS_READ, "account"),
    *(Row(f"accounts/<uuid:public_id>/{deed}", "POST", ACCOUNT_REFUSED, "account") for deed in ACCOUNT_FORMS),
    Row("accounts/<uuid:public_id>/connect", "POST", (302, 404, 403, 403, 404, 404), "account"),  # which one?
    Row("accounts/<uuid:public_id>/webhook-secret", "POST", (302, 404, 403, 403, 302, 404), "account"),
    Row("accounts/<uuid:public_id>/webhook-secret/made", "GET", (302, 404, 403, 403, 302, 404), "account"),
    Row("v1/accounts", "GET", API_ANYONE_KNOWN),
    Row("v1/accounts", "POST", API_MAKES_OWN, body={"name": "Paper", "adapter": "paper", "mode": "paper"}),
    Row(AN_ACCOUNT, "GET", API_MEMBERS_READ, "account"),
    Row(AN_ACCOUNT, "PATCH", api_owner_acts(200), "account", {"name": "Paper"}),
    Row(f"{AN_ACCOUNT}/credentials", "PUT", api_owner_acts(200), "account", {"credentials": {"key": "x"}}),
    Row(f"{AN_ACCOUNT}/webhook-secret", "POST", api_owner_acts(201), "account", {}),
    Row(f"{AN_ACCOUNT}/arm", "POST", api_owner_acts(409), "account", {"name": "Paper", "reason": "so"}),  # on paper
    Row(f"{AN_ACCOUNT}/disarm", "POST", api_owner_acts(200), "account", WHY),
    Row(f"{AN_ACCOUNT}/close", "POST", api_owner_acts(409), "account", {}),  # in use
]
A_PORTFOLIO = "v1/portfolios/<str:public_id>"
PORTFOLIOS = [
    Row("v1/portfolios", "GET", API_ANYONE_KNOWN),
    Row("v1/portfolios", "POST", API_MAKES_OWN, body={"name": "Pension"}),
    Row(A_PORTFOLIO, "GET", API_MEMBERS_READ, "portfolio"),
    Row(A_PORTFOLIO, "PATCH", api_owner_acts(200), "portfolio", {"name": "Pension"}),
    Row(f"{A_PORTFOLIO}/overview", "GET", API_MEMBERS_READ, "portfolio"),
    Row(f"{A_PORTFOLIO}/close", "POST", api_owner_acts(409), "portfolio", {}),  # its cells are open
    Row(f"{A_PORTFOLIO}/transfer", "POST", api_owner_acts(200), "portfolio", {"username": "viewer"}),
    Row(f"{A_PORTFOLIO}/members", "GET", API_MEMBERS_READ, "portfolio"),
    Row(f"{A_PORTFOLIO}/members/<path:username>", "PATCH", api_owner_acts(200), "portfolio", {"role": "trader"}),
    Row(f"{A_PORTFOLIO}/members/<path:username>", "DELETE", VIEWER_LEAVES, "portfolio"),
    Row(f"{A_PORTFOLIO}/invitations", "GET", api_owner_acts(200), "portfolio"),
    Row(f"{A_PORTFOLIO}/invitations", "POST", api_owner_acts(201), "portfolio", {"role": "viewer"}),
    Row(f"{A_PORTFOLIO}/invitations/<uuid:invitation_id>", "DELETE", api_owner_acts(204), "portfolio"),
    Row("v1/invitations/accept", "POST", API_NOTHING_THERE, body={"secret": "nobody knows"}),
    Row(f"{A_PORTFOLIO}/settings", "GET", API_MEMBERS_READ, "portfolio"),
    Row(f"{A_PORTFOLIO}/settings", "PUT", api_members_act(200), "portfolio", SETTINGS),
    Row(f"{A_PORTFOLIO}/settings", "PATCH", api_members_act(200), "portfolio", SETTINGS),
    Row(f"{A_PORTFOLIO}/settings/versions", "GET", API_MEMBERS_READ, "portfolio"),
    Row(f"{A_PORTFOLIO}/settings/versions/<int:number>/restore", "POST", api_members_act(200), "portfolio", {}),
    Row(f"{A_PORTFOLIO}/halt", "POST", api_members_act(200), "portfolio", WHY),
    Row(f"{A_PORTFOLIO}/resume", "POST", api_members_act(409), "portfolio", WHY),
    Row("v1/presets", "GET", API_ANYONE_KNOWN),
    Row("v1/presets", "POST", API_MAKES_OWN, body={"name": "calm", "settings": {}}),
    Row("v1/presets/<int:preset_id>", "DELETE", API_NOTHING_THERE),  # nobody's own
    Row("v1/tokens", "GET", API_ANYONE_KNOWN),
    Row("v1/tokens", "POST", API_MAKES_OWN, body={"name": "laptop", "scopes": ["read"]}),
    Row("v1/tokens/<slug:prefix>", "DELETE", (401, 404, 404, 404, 204, 404)),  # the owner's
]
MARKET = [
    Row("v1/dividends", "GET", API_ANYONE_KNOWN),
    Row("v1/dividends", "POST", API_STAFF_MAKES, body=DIVIDEND),
    Row("v1/dividends/corrections", "POST", API_STAFF_PUTS_RIGHT, body=DIVIDEND),
    Row("v1/dividends/cancellations", "POST", API_STAFF_PUTS_RIGHT, body=ANNOUNCED),
    Row("v1/dividends/answers", "POST", API_STAFF_READ, body={"ticker": "IBM", "day": "2007-02-07"}),
    Row("v1/splits/corrections", "POST", API_STAFF_PUTS_RIGHT, body=SPLIT),
    Row("v1/splits/cancellations", "POST", API_STAFF_PUTS_RIGHT, body=ANNOUNCED),
    Row("v1/dividends/forecast", "GET", API_ANYONE_KNOWN),
    Row("v1/dividends/upcoming", "GET", API_ANYONE_KNOWN),
    Row("v1/dividends/entitlements", "GET", API_ANYONE_KNOWN),
    Row("v1/splits", "GET", API_ANYONE_KNOWN),
    Row("v1/splits", "POST", API_STAFF_MAKES, body=SPLIT),
    Row("v1/market/status", "GET", API_ANYONE_KNOWN),
    Row("v1/market/quotes/<str:symbol>", "GET", API_ANYONE_KNOWN),
    Row("v1/market/bars/<str:symbol>", "GET", API_ANYONE_KNOWN),
    Row("v1/market/series", "GET", API_ANYONE_KNOWN),
    Row("v1/market/bars/<str:symbol>/<str:resolution>", "GET", API_ANYONE_KNOWN),
    *(
        Row(f"v1/market/bars/<str:symbol>/<str:resolution>/{told}", "GET", API_ANYONE_KNOWN)
        for told in ("quality", "gaps", "outliers")
    ),
    Row("v1/bars/imports", "GET", API_STAFF_READ),
    Row("v1/bars/imports", "POST", (401, 403, 403, 403, 403, 415)),  # JSON is no file
    Row("v1/bars/imports/<str:public_id>", "GET", API_STAFF_READ, "import"),
    Row("v1/bars/imports/<str:public_id>/commit", "POST", (401, 403, 403, 403, 403, 200), "import", {}),
]
OWNERS_RUN = (401, 404, 404, 404, 200, 404)
A_RUN = "v1/simulations/<str:public_id>"
RUNS = [
    Row("v1/simulations", "GET", API_ANYONE_KNOWN),
    Row("v1/simulations", "POST", (401, 202, 202, 202, 202, 202), body={"symbol": "OLD"}),
    Row(A_RUN, "GET", OWNERS_RUN, "run"),
    Row(A_RUN, "DELETE", (401, 404, 404, 404, 204, 404), "run"),
    Row(f"{A_RUN}/cancel", "POST", (401, 404, 404, 404, 409, 404), "run", {}),  # it is done
    Row(f"{A_RUN}/fills", "GET", OWNERS_RUN, "run"),
    Row(f"{A_RUN}/daily", "GET", OWNERS_RUN, "run"),
    Row(f"{A_RUN}/exports/<str:kind>.<str:form>", "GET", (401, 404, 404, 404, 404, 404), "run"),  # no such kind
]
A_SWEEP = "v1/sweeps/<str:public_id>"
NEW_SWEEP = {"symbol": "OLD", "axes": [{"name": "tau", "values": ["0.02", "0.03"]}]}
SWEEPS = [
    Row("v1/sweeps", "GET", API_ANYONE_KNOWN),
    Row("v1/sweeps", "POST", (401, 202, 202, 202, 202, 202), body=NEW_SWEEP),
    Row(A_SWEEP, "GET", OWNERS_RUN, "sweep"),
    Row(A_SWEEP, "DELETE", (401, 404, 404, 404, 204, 404), "sweep"),
    Row(f"{A_SWEEP}/cancel", "POST", OWNERS_RUN, "sweep", {}),
    Row(f"{A_SWEEP}/map", "GET", (401, 404, 404, 404, 400, 404), "sweep", {"x": "cell"}),  # no such axis
    Row(f"{A_SWEEP}/trials", "GET", OWNERS_RUN, "sweep"),
    Row(f"{A_SWEEP}/trials/<int:number>", "GET", OWNERS_RUN, "sweep"),
    Row(f"{A_SWEEP}/trials/<int:number>/use", "POST", (401, 404, 404, 404, 422, 404), "sweep", {}),  # for which cell?
]
ALIASES = [
    Row("metrics", "GET", API_ANYONE_KNOWN),
    Row("orders/callback", "POST", everybody(401)),
    Row("events", "GET", API_MEMBERS_READ, body={"position_id": "cell"}),
    Row("positions/<str:public_id>/evaluate", "POST", api_members_act(200), body={}),
]
PAGES = [
    Row("login", "GET", (200, 302, 302, 302, 302, 302)),
    Row("login", "POST", (200, 302, 302, 302, 302, 302)),
    Row("login", "PUT", (200, 302, 302, 302, 302, 302)),  # Django takes it for a POST
    Row("login", "OPTIONS", (200, 302, 302, 302, 302, 302)),  # Django's own views name their methods
    Row("logout", "POST", everybody(302)),
    Row("", "GET", PAGE_ANYONE_KNOWN),
    Row("live", "GET", PAGE_ANYONE_KNOWN),
    Row("reports", "GET", PAGE_ANYONE_KNOWN),
    Row("exports", "GET", PAGE_ANYONE_KNOWN),
    Row("positions/<uuid:public_id>", "GET", PAGE_MEMBERS_READ),
    Row("positions/new", "GET", PAGE_ANYONE_KNOWN),
    Row("positions/new/preview", "GET", PAGE_ANYONE_KNOWN),
    Row("positions/open", "POST", PAGE_FORM_REFUSED),  # the page again, which says what does not fit
    Row("portfolios/new", "GET", PAGE_ANYONE_KNOWN),
    Row("portfolios/open", "POST", PAGE_FORM_REFUSED),
    Row("portfolios/<uuid:public_id>", "GET", PAGE_MEMBERS_READ, subject="portfolio"),
    Row("portfolios/<uuid:public_id>/settings", "GET", PAGE_MEMBERS_READ, subject="portfolio"),
    Row("portfolios/<uuid:public_id>/settings/effect", "GET", PAGE_MEMBERS_READ, subject="portfolio"),
    Row("portfolios/<uuid:public_id>/settings/save", "POST", page_members_act(409), subject="portfolio"),
    Row("portfolios/<uuid:public_id>/settings/restore", "POST", page_members_act(302), subject="portfolio"),
    Row("positions/<uuid:public_id>/settings", "GET", PAGE_MEMBERS_READ),
    Row("positions/<uuid:public_id>/settings/effect", "GET", PAGE_MEMBERS_READ),
    Row("positions/<uuid:public_id>/settings/preview", "POST", PAGE_MEMBERS_READ),
    Row("positions/<uuid:public_id>/settings/save", "POST", page_members_act(409)),
    Row("positions/<uuid:public_id>/settings/restore", "POST", page_members_act(302)),
    Row("presets/keep", "POST", everybody(302)),
    Row("presets/<int:preset_id>/forget", "POST", (302, 404, 404, 404, 404, 404)),
    Row("positions/<uuid:public_id>/live", "GET", PAGE_MEMBERS_READ),
    Row("positions/<uuid:public_id>/chart", "GET", PAGE_MEMBERS_READ),
    Row("positions/<uuid:public_id>/timeline", "GET", PAGE_MEMBERS_READ),
    Row("simulations", "GET", PAGE_ANYONE_KNOWN),
    Row("simulations/new", "GET", PAGE_ANYONE_KNOWN),
    Row("simulations/new/effect", "GET", PAGE_ANYONE_KNOWN),
    Row("simulations/start", "POST", PAGE_FORM_REFUSED),  # no stock chosen
    *(Row(f"simulations/<uuid:public_id>{page}", "GET", PAGE_OWNERS_RUN, "run") for page in ("", "/chart")),
    Row("data", "GET", PAGE_ANYONE_KNOWN),
    Row("data/refused", "GET", PAGE_ANYONE_KNOWN),
    Row("data/<str:symbol>/<str:resolution>", "GET", PAGE_ANYONE_KNOWN),
    Row("data/<str:symbol>/<str:resolution>/chart", "GET", PAGE_ANYONE_KNOWN),
    Row("data/import", "GET", PAGE_STAFF_READ),
    Row("data/import/check", "POST", (302, 403, 403, 403, 403, 422)),  # no file chosen
    Row("data/imports/<uuid:public_id>", "GET", PAGE_STAFF_READ, "import"),
    Row("data/imports/<uuid:public_id>/commit", "POST", (302, 403, 403, 403, 403, 302), "import"),
    Row("sweeps", "GET", PAGE_ANYONE_KNOWN),
    Row("sweeps/new", "GET", PAGE_ANYONE_KNOWN),
    Row("sweeps/start", "POST", PAGE_FORM_REFUSED),  # no stock chosen
    Row("sweeps/<uuid:public_id>", "GET", PAGE_OWNERS_RUN, "sweep"),
    *(Row(f"sweeps/<uuid:public_id>/{deed}", "POST", OWNERS_RUN_ACT, "sweep") for deed in ("cancel", "delete")),
    *(
        Row(f"sweeps/<uuid:public_id>/trials/<int:number>/{deed}", "POST", OWNERS_RUN_ACT, "sweep")
        for deed in ("run", "keep")
    ),
    Row("sweeps/<uuid:public_id>/trials/<int:number>/use", "POST", (302, 404, 404, 404, 404, 404), "sweep"),  # no cell
    *(Row(f"simulations/<uuid:public_id>/{deed}", "POST", OWNERS_RUN_ACT, "run") for deed in ("cancel", "delete")),
    Row("console", "GET", PAGE_ANYONE_KNOWN),
    Row("console/halt", "POST", PAGE_FORM_REFUSED),  # nothing chosen
    Row("console/halts/<uuid:public_id>/rearm", "POST", (302, 404, 404, 404, 404, 404)),  # a cell is no halt
    Row("audit", "GET", PAGE_ANYONE_KNOWN),
    Row("audit/verify", "POST", PAGE_ANYONE_KNOWN),
    Row("accounts/<uuid:public_id>/books", "GET", (302, 404, 404, 404, 200, 404), "account"),
    Row("accounts/<uuid:public_id>/books/compare", "POST", (302, 404, 404, 404, 302, 404), "account"),
    Row("accounts/<uuid:public_id>/books/outside", "POST", (302, 404, 404, 404, 422, 404), "account"),
    Row("accounts/<uuid:public_id>/books/adopt", "POST", (302, 404, 404, 404, 404, 404), "account"),  # of no cell
    Row(
        "accounts/<uuid:public_id>/books/release", "POST", (302, 404, 404, 404, 422, 404), "account"
    ),  # without a reason
    Row("dividends", "GET", PAGE_ANYONE_KNOWN),
    Row("dividends/announce", "GET", PAGE_STAFF_READ),
    Row("dividends/announce", "POST", (302, 403, 403, 403, 403, 422)),
    Row("orders", "GET", PAGE_ANYONE_KNOWN),
    Row("orders/<uuid:public_id>", "GET", PAGE_MEMBERS_READ, subject="order"),
    Row("orders/<uuid:public_id>/cancel", "POST", page_members_act(302), subject="order"),
    Row("feeds/<slug:source>/pause", "POST", FEED_STEERED),
    Row("feeds/<slug:source>/resume", "POST", FEED_STEERED),
]

ACTS = [
    row
    for name in DEEDS
    for row in (
        Row(f"positions/<uuid:public_id>/act/{name}", "GET", page_members_act(200)),
        Row(f"positions/<uuid:public_id>/act/{name}", "POST", page_members_act(422)),  # without its hidden key
    )
]

OWNERS_DEED = (302, 404, 403, 403, 302, 404)
OWNERS_THING = (302, 404, 404, 404, 302, 404)
A_PORTFOLIOS = "portfolios/<uuid:public_id>"
PEOPLE = [
    Row("settings", "GET", PAGE_ANYONE_KNOWN),
    Row("settings/password", "GET", PAGE_ANYONE_KNOWN),
    Row("settings/password", "POST", PAGE_ANYONE_KNOWN),  # a form that says what is missing
    Row("settings/sessions/<uuid:session_id>/end", "POST", OWNERS_THING),
    Row("settings/sessions/end-others", "POST", everybody(302)),
    Row("settings/tokens/new", "POST", everybody(302)),
    Row("settings/tokens/made", "GET", everybody(302)),  # none was just made
    Row("settings/tokens/<slug:prefix>/revoke", "POST", OWNERS_THING),
    Row("password/reset", "GET", everybody(200)),
    Row("password/reset", "POST", everybody(200)),
    Row("password/reset/sent", "GET", everybody(200)),
    Row("password/set/<str:uidb64>/<str:token>", "GET", everybody(200)),  # a link that is good no more
    Row("password/set/<str:uidb64>/<str:token>", "POST", everybody(200)),
    Row(f"{A_PORTFOLIOS}/rename", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/close", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/members", "GET", PAGE_MEMBERS_READ, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/members/invite", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/members/<int:membership_id>/role", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/members/<int:membership_id>/remove", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/invitations/<uuid:invitation_id>/withdraw", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/transfer", "POST", OWNERS_DEED, subject="portfolio"),
    Row(f"{A_PORTFOLIOS}/leave", "POST", (302, 404, 302, 302, 302, 404), subject="portfolio"),
    Row("join/<str:secret>", "GET", everybody(302)),
    Row("join", "GET", everybody(404)),  # without an invitation in the session
    Row("invitation/accept", "POST", everybody(302)),
    Row("invitation/register", "POST", everybody(302)),
    Row("oidc/authenticate", "GET", everybody(404)),  # no provider is configured here
    Row("oidc/callback", "GET", everybody(403)),
    Row("oidc/link", "POST", (302, 404, 404, 404, 404, 404)),
    Row("oidc/<int:identity_id>/unlink", "POST", everybody(302)),
]

TABLE = [*ACCOUNTS, *PEOPLE, *ACTS, *HEALTH, *API, *PORTFOLIOS, *MARKET, *RUNS, *SWEEPS, *ALIASES, *PAGES]
