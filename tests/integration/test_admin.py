"""Admin shows everything and lets nobody write money."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import task_postrun
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dividends.models import Dividend, Split
from dividends.services.announcements import announce_dividend, announce_split, note_answers
from dividends.services.entitlements import go_ex_dividend
from dividends.services.splits import apply_split
from portfolios.domain.amounts import MICROS, micros
from portfolios.identity.models import Identity, Session
from portfolios.models import (
    ApiToken,
    Event,
    FailedTask,
    House,
    Membership,
    Portfolio,
    Position,
    User,
)
from portfolios.services.idempotency import answer_once
from portfolios.services.members import invite
from portfolios.services.presets import save_preset
from portfolios.services.tokens import create_token, find_token
from portfolios.services.verification import verify_events
from reporting.snapshots import write_snapshots
from tests.factories import NOON, make_portfolio, make_position, make_quote, make_user
from trading.bars.models import BarImport, StoredPart
from trading.brokers.models import Ability, PaperEntry
from trading.market.models import (
    Bar,
    ForgottenRefusals,
    Instrument,
    MarketClock,
    Pace,
    PriceRefusal,
    Quote,
    StoredQuotes,
)
from trading.market.services import load_bars
from trading.models import Execution, InboxMessage, Order
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.halts import halt, rearm
from trading.services.reconciliation import reconcile_account
from trading.simulation.models import SimulationRun, Sweep
from vbalance.celery import app

OURS = ("portfolios", "identity", "dividends", "reporting", "vbalance")
OURS += ("trading", "market", "bars", "risk", "simulation")
# A session's page would show its key.
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS and model is not Session]
OPEN_TO_CHANGE = {"user", "portfolio", "membership", "dividend", "split", "instrument", "marketclock"}
MONEY = [model for model in MODELS if model._meta.model_name not in OPEN_TO_CHANGE]
LATER = NOON + timedelta(minutes=5)
DAY = timedelta(days=1)
NO_MEMBERSHIPS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def page(model: type[Model], which: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{which}", args=args)


def furnish(name: str, symbol: str) -> None:
    """One row or more in every table: a cell that bought after a fall, was paid a dividend and was split."""
    portfolio = make_portfolio(make_user(name), name=f"Savings of {name}", **{f"{name}s-heir": "viewer"})
    cell = make_position(portfolio, symbol=symbol, anchor="100", fractional=True)
    make_quote(symbol, "90", at=LATER)
    order = evaluate_position(position_id=cell.pk).order
    assert order
    execute_order(order_id=order.pk)
    dividend = announce_dividend(source="replay", symbol=symbol, ex_date=date(2007, 2, 1), dps=micros("0.30"))
    go_ex_dividend(position_id=cell.pk, dividend=dividend, market_at=LATER)
    split = announce_split(source="replay", symbol=symbol, ex_date=date(2007, 3, 1), numerator=2, denominator=1)
    apply_split(position_id=cell.pk, split=split, last_close=micros("90"), market_at=LATER)
    note_answers(source="replay", symbols=[symbol], day=date(2007, 3, 1), by="feed")
    PaperEntry.objects.create(
        account=portfolio.account.code, book=str(cell.public_id), symbol=symbol, kind="ex", ex_date=date(2007, 2, 1)
    )
    price = micros("90")
    bar = Bar(symbol=symbol, day=NOON.date(), open=price, high=price, low=price, close=price)
    load_bars(symbol=symbol, name=symbol, exchange="XNYS", bars=[bar])
    answer_once(portfolio_id=portfolio.pk, key="k1", fingerprint="f", answer=lambda: {"accepted": True})
    create_token(user=portfolio.owner, name="laptop", scopes=["read"], days=1)
    invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor=f"user:{name}")
    Identity.objects.create(user=portfolio.owner, issuer="https://id.example.com", subject=name)
    save_preset(owner=portfolio.owner, name="mine", given={"tau": "0.05"})
    House.objects.get_or_create(pk=1)
    write_snapshots()
    reconcile_account(account_id=portfolio.account_id, why="start")
    portfolio.account.holdings.create(symbol=symbol, outside=1, confirmed_by=f"user:{name}", confirmed_at=LATER)
    portfolio.account.entries.create(entry_id="1", kind="fee", name="FEE", day=NOON.date(), amount=-1)
    known = halt(scope="position", target_id=cell.pk, reason="so", actor=f"user:{name}")
    rearm(halt_id=known.pk, reason="over", actor=f"user:{name}")
    FailedTask.objects.create(task="trading.tasks.evaluate_position", task_id=name, kwargs={"position_id": cell.pk})
    told = InboxMessage(account=portfolio.account, channel="webhook", delivery_id=name, body="{}", order=order)
    told.save()
    asked = {"owner": portfolio.owner, "symbol": symbol, "first_day": NOON.date(), "last_day": LATER.date() + DAY}
    asked |= {"cash": MICROS, "in_stock": 0, "slippage": 0}
    SimulationRun.objects.create(**asked)
    part = {"symbol": symbol, "resolution": "1min", "period": "2007-01", "file": "2007-01.parquet", "rows": 1}
    StoredPart.objects.create(**part, first=0, last=0, sha256="0" * 64, source="a.csv", imported_at=LATER)
    kept = {"source": f"from {name}", "month": date(2007, 1, 1), "file": "2007-01.parquet", "rows": 1}
    Pace.objects.create(symbol=symbol, source=f"from {name}")
    PriceRefusal.objects.create(symbol=symbol, source="alpaca", at=NOON, reason="outlier", received_at=NOON)
    ForgottenRefusals.objects.create(source=f"from {name}"[:20], reason="outlier", count=3)
    StoredQuotes.objects.create(**kept, first=NOON, last=LATER, sha256="0" * 64, stored_at=LATER)
    BarImport.objects.create(symbol=symbol, resolution="1min", name="a.csv", sha256="0" * 64, found={})
    Ability.objects.create(account=portfolio.account.code, whole_only=[symbol], probed_at=LATER)
    Sweep.objects.create(**asked).chunks.create(begin=0, end=1)


@pytest.fixture
def chief(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


@pytest.fixture
def house(db: None) -> None:
    furnish("ann", "IBM")


def rows_of(model: type[Model]) -> Any:
    return model._default_manager.order_by("pk")


def cost(client: Client, model: type[Model]) -> list[int]:
    """Queries of a table's list and of its first row's page."""
    counts = []
    for url in (page(model), page(model, "change", rows_of(model)[0].pk)):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200, url
        counts.append(len(captured))
    return counts


def test_every_table_is_in_admin() -> None:
    assert [model for model in MODELS if model not in admin.site._registry] == []


def test_lists_and_details_cost_the_same_however_much_there_is(chief: Client, house: None) -> None:
    ContentType.objects.get_for_models(*MODELS)
    few = {model.__name__: cost(chief, model) for model in MODELS}
    for name, symbol in (("bob", "MSFT"), ("cid", "AAPL"), ("dan", "GOOG")):
        furnish(name, symbol)
    assert {model.__name__: cost(chief, model) for model in MODELS} == few
    assert max(max(counts) for counts in few.values()) <= 12  # five of them write down that staff looked


@pytest.mark.parametrize("model", MONEY, ids=lambda model: model.__name__)
def test_nobody_writes_money_in_admin(chief: Client, house: None, model: type[Model]) -> None:
    row = rows_of(model)[0]
    refused = [
        chief.get(page(model, "add")),
        chief.post(page(model, "add"), {}),
        chief.post(page(model, "change", row.pk), {}),
        chief.get(page(model, "delete", row.pk)),
        chief.post(page(model, "delete", row.pk), {"post": "yes"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    chief.post(page(model), {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert model._default_manager.filter(pk=row.pk).get() == row


def test_people_without_permission_stay_outside(house: None) -> None:
    ann, helper = User.objects.get(username="ann"), make_user("helper", is_staff=True)
    reader = make_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_position"))
    answers = {}
    for user in (ann, helper, reader):
        client = Client()
        client.force_login(user)
        answers[user.username] = [client.get(page(model)).status_code for model in (Position, Event, FailedTask)]
    assert answers == {"ann": [302] * 3, "helper": [403] * 3, "reader": [200, 403, 403]}


def test_who_may_only_look_can_neither_revoke_nor_ring(house: None) -> None:
    reader = make_user("reader", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__in=["view_apitoken", "view_failedtask"]))
    client = Client()
    client.force_login(reader)
    client.post(page(ApiToken), {"action": "revoke", "_selected_action": rows_of(ApiToken)[0].pk})
    client.post(page(FailedTask), {"action": "ring_again", "_selected_action": rows_of(FailedTask)[0].pk})
    assert ApiToken.objects.get().revoked_at is None
    assert FailedTask.objects.get().replayed_at is None


def test_amounts_read_as_people_write_them(chief: Client, house: None) -> None:
    make_position(Portfolio.objects.get(), symbol="KO", shares="0.5", cash="1234567.25")
    assert b"1,234,567.25" in chief.get(page(Position)).content
    detail = chief.get(page(Position, "change", Position.objects.get(symbol="KO").pk)).content
    assert b"1,234,567.25" in detail
    assert b"1234567250000" not in detail


def test_a_fact_shows_its_text_and_leads_to_its_neighbours(chief: Client, house: None) -> None:
    middle = Event.objects.of(Position.objects.get()).get(seq=2)
    detail = chief.get(page(Event, "change", middle.pk)).content.decode()
    for seq in (1, 3):
        assert page(Event, "change", Event.objects.of(Position.objects.get()).get(seq=seq).pk) in detail
    assert "&quot;rule&quot;:" in detail
    assert 'alt="True"' in detail


def test_a_cell_is_found_by_its_whole_name_only(chief: Client, house: None) -> None:
    cell = Position.objects.get()
    found = {term: chief.get(page(Position), {"q": term}).context["cl"].result_count for term in ("IBM", "IB", "no")}
    assert found == {"IBM": 1, "IB": 0, "no": 0}
    events = chief.get(page(Event), {"q": str(cell.public_id), "type": "split"}).context["cl"].result_list
    assert [event.type for event in events] == ["split"]


MANY = {
    Quote: "INSERT INTO market_quote (symbol, source, at, last, received_at)"
    " SELECT 'IBM', 'replay', now() + n * interval '1 second', 90000000, now() FROM generate_series(1, 30000) n",
    Event: "INSERT INTO portfolios_event (portfolio_id, stream, stream_id, seq, type, market_at, recorded_at, actor,"
    " d_shares, d_cash, d_receivable, d_reserved_cash, d_reserved_shares, anchor_after, state_after, text, prev_hash,"
    " hash) SELECT portfolio_id, stream, gen_random_uuid(), 1, type, now(), now(), actor, 0, 0, 0, 0, 0, 0, 'active',"
    " text, '', '' FROM (SELECT * FROM portfolios_event LIMIT 1) one, generate_series(1, 30000)",
}


def test_every_list_can_be_searched_for_anything(chief: Client, house: None) -> None:
    for model in MODELS:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for term in ("a", "7", str(uuid.uuid4()), "a b"):
            assert chief.get(url, {"q": term}).status_code == 200, (url, term)


@pytest.mark.parametrize("model", MANY, ids=lambda model: model.__name__)
def test_opening_a_long_list_counts_little_and_estimates_the_rest(
    chief: Client, house: None, model: type[Model]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MANY[model])
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    with CaptureQueriesContext(connection) as captured:
        seen = chief.get(page(model), {"p": "200"}).context["cl"]
    reading = [query["sql"] for query in captured if model._meta.db_table in query["sql"]]
    assert [sql for sql in reading if "LIMIT" not in sql and not sql.startswith("EXPLAIN")] == []
    assert seen.result_count == pytest.approx(30_000, rel=0.05)
    assert (seen.paginator.num_pages, len(seen.result_list)) == (200, 50)
    assert chief.get(page(model), {"p": "201"}).status_code == 302


def test_a_role_given_in_admin_leaves_its_event(chief: Client, house: None) -> None:
    portfolio, zoe = Portfolio.objects.get(), make_user("zoe")
    chief.post(page(Membership, "add"), {"portfolio": portfolio.pk, "user": zoe.pk, "role": "viewer"})
    membership = Membership.objects.get(user=zoe)
    chief.post(page(Membership, "change", membership.pk), {"role": "trader"})
    membership.refresh_from_db()
    granted = Event.objects.of(portfolio).filter(actor="user:chief").values_list("type", flat=True)
    assert (membership.role, list(granted)) == ("trader", ["access_granted"] * 2)
    assert verify_events().findings == []


def test_the_owner_stays_owner_and_nobody_is_put_out(chief: Client, house: None) -> None:
    own = Membership.objects.get(role="owner")
    heir = Membership.objects.get(role="viewer")
    assert chief.post(page(Membership, "change", own.pk), {"role": "viewer"}).status_code == 403
    assert chief.post(page(Membership, "delete", heir.pk), {"post": "yes"}).status_code == 403
    assert chief.post(page(User, "delete", heir.user.pk), {"post": "yes"}).status_code == 403
    assert Membership.objects.count() == 2


def test_renaming_a_portfolio_touches_nothing_else(chief: Client, house: None) -> None:
    portfolio = Portfolio.objects.get()
    url = page(Portfolio, "change", portfolio.pk)
    chief.post(url, {"name": "Nest egg", "mode": "live", "source": "elsewhere", "state": "closed", "event_seq": "0"})
    renamed = Portfolio.objects.get()
    assert (renamed.name, renamed.mode, renamed.source, renamed.state) == ("Nest egg", "paper", "replay", "active")
    assert renamed.event_seq == portfolio.event_seq


@pytest.mark.parametrize(
    ("model", "terms", "slip"),
    [
        (Dividend, {"pay_date": "2007-06-10", "dps": "0.40"}, {"dps": "0"}),
        (Split, {"numerator": "3", "denominator": "1"}, {"denominator": "0"}),
    ],
    ids=["dividend", "split"],
)
def test_an_announcement_is_fixed_once_a_cell_has_been_through_it(
    chief: Client, house: None, model: type[Model], terms: dict[str, str], slip: dict[str, str]
) -> None:
    applied, key = rows_of(model)[0], {"source": "replay", "symbol": "IBM", "ex_date": "2007-06-01"}
    assert chief.post(page(model, "change", applied.pk), terms).status_code == 403
    for wrong in ({"symbol": "ibm"}, {"source": "nowhere"}, slip):
        assert chief.post(page(model, "add"), key | terms | wrong).status_code == 200
    assert chief.post(page(model, "add"), key | terms).status_code == 302
    fresh = rows_of(model).last()
    assert chief.post(page(model, "change", fresh.pk), terms | {"symbol": "MSFT"}).status_code == 302
    fresh.refresh_from_db()
    assert fresh.symbol == "IBM"


def test_an_instrument_keeps_its_exchange_once_it_has_a_price(chief: Client, house: None) -> None:
    new = {"symbol": "KO", "name": "Coca-Cola", "currency": "USD", "tick": "0.01", "lot": "0", "tradable": "on"}
    for wrong in ({"tick": "0"}, {"tick": "-1"}, {"lot": "-1"}, {"currency": "usd"}):
        assert chief.post(page(Instrument, "add"), new | {"exchange": "XNYS"} | wrong).status_code == 200
    assert chief.post(page(Instrument, "add"), new | {"exchange": "MOON"}).status_code == 200
    assert chief.post(page(Instrument, "add"), new | {"exchange": "XNYS"}).status_code == 302
    priced = Instrument.objects.get(symbol="IBM")
    chief.post(page(Instrument, "change", priced.pk), new | {"name": "Big Blue", "exchange": "XLON"})
    priced.refresh_from_db()
    assert (priced.name, priced.exchange) == ("Big Blue", "XNYS")


def test_what_a_person_says_of_an_instrument_stays_until_he_gives_it_back(chief: Client, house: None) -> None:
    told = {"name": "INTL BUS MACH", "exchange": "XNYS", "currency": "USD", "tick": 10_000, "lot": 0}
    told |= {"tradable": True, "fractional": False}
    Instrument.objects.filter(symbol="IBM").update(told=told, told_by="alpaca", fractional=False)
    row = Instrument.objects.get(symbol="IBM")
    assert row.by_hand == []
    same = {"name": row.name, "currency": "USD", "tick": "0.01", "lot": "0", "tradable": "on"}
    url = page(Instrument, "change", row.pk)
    assert b"does not change it" in chief.get(url).content
    assert chief.post(url, same | {"fractional": "on"}).status_code == 302
    row.refresh_from_db()
    assert (row.fractional, row.by_hand) == (True, ["fractional"])
    assert chief.post(url, same | {"fractional": "on", "by_hand": ["fractional"]}).status_code == 302
    row.refresh_from_db()
    assert (row.fractional, row.by_hand) == (True, ["fractional"])
    assert chief.post(url, same | {"fractional": "on", "by_hand": ["symbol"]}).status_code == 200
    assert chief.post(url, same | {"fractional": "on"}).status_code == 302
    row.refresh_from_db()
    assert (row.fractional, row.by_hand) == (False, [])
    assert chief.post(url, same | {"lot": "1.5", "by_hand": []}).status_code == 200


def test_the_pace_of_the_replay_can_be_set_but_not_where_it_stands(chief: Client, house: None) -> None:
    clock = MarketClock.objects.get()
    url = page(MarketClock, "change", clock.pk)
    assert chief.post(url, {"running": "on", "speed": "0"}).status_code == 200
    chief.post(url, {"speed": "5", "day": "2012-01-03", "at_0": "2012-01-03", "at_1": "00:00"})
    moved = MarketClock.objects.get()
    assert (moved.running, moved.speed, moved.at) == (False, 5.0, clock.at)


def test_somebodys_cells_are_found_by_his_name_and_from_his_portfolio(chief: Client, house: None) -> None:
    furnish("bob", "MSFT")
    portfolio = Portfolio.objects.get(owner__username="bob")
    door = f"{page(Position)}?q={portfolio.public_id}"
    assert door.encode() in chief.get(page(Portfolio, "change", portfolio.pk)).content
    for search in (door, f"{page(Position)}?q=bob"):
        assert [cell.symbol for cell in chief.get(search).context["cl"].result_list] == ["MSFT"]


def test_a_token_is_taken_away_and_never_shown(chief: Client, house: None) -> None:
    token, secret = create_token(user=User.objects.get(username="ann"), name="phone", scopes=["read"], days=1)
    pages = chief.get(page(ApiToken)).content + chief.get(page(ApiToken, "change", token.pk)).content
    assert token.prefix.encode() in pages
    assert token.digest.encode() not in pages
    chief.post(page(ApiToken), {"action": "revoke", "_selected_action": token.pk})
    assert find_token(secret) is None


def test_a_person_is_shut_out_of_every_browser_and_script(chief: Client, house: None) -> None:
    ann, browser = User.objects.get(username="ann"), Client()
    _, secret = create_token(user=ann, name="phone", scopes=["read"], days=1)
    browser.force_login(ann)
    chief.post(page(User), {"action": "shut_out", "_selected_action": ann.pk})
    assert find_token(secret) is None
    assert browser.get(reverse("profile")).status_code == 302
    assert chief.get(page(User)).status_code == 200


def test_an_account_that_was_closed_opens_without_its_old_sessions(chief: Client, house: None) -> None:
    ann, browser = User.objects.get(username="ann"), Client()
    browser.force_login(ann)
    fields = {"username": "ann", "date_joined_0": "2026-01-01", "date_joined_1": "00:00", **NO_MEMBERSHIPS}
    assert chief.post(page(User, "change", ann.pk), fields).status_code == 302
    assert chief.post(page(User, "change", ann.pk), fields | {"is_active": "on"}).status_code == 302
    ann.refresh_from_db()
    assert ann.is_active
    assert browser.get(reverse("profile")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_failed_for_good_rings_again_and_twice_does_no_harm() -> None:
    cell = make_position(anchor="100", fractional=True)
    make_quote("IBM", "90", at=LATER)
    failed = FailedTask.objects.create(
        task="trading.tasks.evaluate_position", task_id="t1", kwargs={"position_id": cell.pk}, traceback="Trace\n  back"
    )
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief"))
    assert b"<pre>Trace\n  back</pre>" in chief.get(page(FailedTask, "change", failed.pk)).content
    rung: list[str] = []
    with (
        on_every(task_postrun, lambda sender, **_: rung.append(sender.name.rpartition(".")[2])),
        start_worker(app, perform_ping_check=False, queues=["price-events", "orders"]),
    ):
        for _ in range(2):
            chief.post(page(FailedTask), {"action": "ring_again", "_selected_action": failed.pk})
        wait_until(lambda: len(rung) == 3)
    assert sorted(rung) == ["evaluate_position", "evaluate_position", "execute_order"]
    failed.refresh_from_db()
    assert failed.replayed_at
    assert Execution.objects.count() == Order.objects.count() == 1


def test_a_parked_message_is_worked_on_again_and_its_body_is_only_text(chief: Client) -> None:
    account = make_portfolio(make_user("ann")).account
    message = InboxMessage.objects.create(
        account=account, channel="webhook", delivery_id="m1", body="<script>alert(1)</script>", status="parked"
    )
    detail = chief.get(page(InboxMessage, "change", message.pk)).content
    assert b"<pre>&lt;script&gt;alert(1)&lt;/script&gt;</pre>" in detail
    again = {"action": "work_on_it_again", "_selected_action": message.pk}
    answer = chief.post(page(InboxMessage), again, follow=True)
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("refused", 1)
    assert b"refused. not acceptable JSON" in answer.content
    chief.post(page(InboxMessage), again)
    message.refresh_from_db()
    assert message.attempts == 1


def test_who_may_only_look_at_messages_works_on_none(house: None) -> None:
    reader = make_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_inboxmessage"))
    client = Client()
    client.force_login(reader)
    chosen = rows_of(InboxMessage)[0].pk
    assert client.get(page(InboxMessage)).status_code == 200
    client.post(page(InboxMessage), {"action": "work_on_it_again", "_selected_action": chosen})
    assert InboxMessage.objects.get().attempts == 0


def test_a_task_of_the_past_is_left_alone(chief: Client) -> None:
    failed = FailedTask.objects.create(task="trading.tasks.gone", task_id="t1")
    answer = chief.post(page(FailedTask), {"action": "ring_again", "_selected_action": failed.pk}, follow=True)
    failed.refresh_from_db()
    assert failed.replayed_at is None
    assert b"task of the past" in answer.content


def test_pages_carry_the_name_of_the_house_and_nothing_the_browser_would_block(chief: Client, house: None) -> None:
    urls = [reverse("admin:index"), page(Membership, "add"), page(Dividend, "add"), page(Instrument, "add")]
    urls += [page(model) for model in MODELS] + [page(model, "change", rows_of(model)[0].pk) for model in MODELS]
    for url in urls:
        answer = chief.get(url)
        text = answer.content.decode()
        assert "Volatility Balancing" in text
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"<style|<[^>]+\s(style|on\w+)=|<script(?![^>]*\ssrc=)[^>]*>", text), url


@contextmanager
def on_every(signal: Any, receiver: Callable[..., None]) -> Iterator[None]:
    signal.connect(receiver, weak=False)
    yield
    signal.disconnect(receiver)


def wait_until(done: Callable[[], bool], patience: float = 15.0) -> None:
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_staff_may_look_at_what_is_not_theirs_and_the_log_says_so(chief: Client, house: None) -> None:
    portfolio = Portfolio.objects.get()
    rows = [model.objects.earliest("pk") for model in (Portfolio, Position, Order, Execution)]
    rows.append(Event.objects.of(portfolio).earliest("pk"))
    for row in rows:
        assert chief.get(page(type(row), "change", row.pk)).status_code == 200
    seen = Event.objects.of(portfolio).filter(type="staff_viewed")
    assert {event.actor for event in seen} == {"user:chief"}
    assert seen.count() == len(rows)
    assert verify_events().findings == []


def test_staff_looking_at_their_own_leave_no_such_trace(chief: Client) -> None:
    own = make_portfolio(User.objects.get(username="chief"))
    chief.get(page(Portfolio, "change", own.pk))
    assert not Event.objects.filter(type="staff_viewed").exists()
