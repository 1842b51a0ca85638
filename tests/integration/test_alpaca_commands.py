"""The programs around Alpaca: the fake from a shell, the demo that trades there, and who listens to which account."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import MICROS
from portfolios.models import Account, Portfolio, User
from portfolios.services.accounts import close_account
from tests.factories import make_quote, make_user
from tests.fake_alpaca import fake_alpaca, make_account
from tests.integration.test_halt_commands import manage
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.actions import carry_out
from trading.brokers.fake_alpaca.book import Book
from trading.management.commands.alpaca_stream import accounts
from trading.management.commands.fake_alpaca import announce_ahead
from trading.market.selectors import market_now
from trading.services.demonstration import TRADED_THERE, create_broker_demo
from trading.services.reconciliation import reconcile_account
from vbalance import preparation

ORDER = {
    "symbol": "IBM",
    "qty": "3",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "client_order_id": "vb-1",
}


@contextmanager
def fake(*words: str) -> Iterator[str]:
    """The fake as a program; its address."""
    command = [sys.executable, "manage.py", "fake_alpaca", "--port", "0", *words]
    surroundings = os.environ | {"VBALANCE_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(
        command, cwd=django_settings.BASE_DIR, env=surroundings, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield process.stdout.readline().split()[4].rstrip(",")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def ask(url: str, body: Any = None) -> Any:
    headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as response:
        return json.load(response)


def test_the_fake_lives_by_its_script_and_keeps_its_book(tmp_path: Path) -> None:
    script, state, bars = tmp_path / "script.json", tmp_path / "book.json", tmp_path / "bars.csv"
    faults = [{"on": "GET /v2/clock", "fault": "500"}]
    script.write_text(json.dumps({"cash": "5000", "held": {"IBM": "7"}, "habit": ["fill 1", "rest"], "faults": faults}))
    bars.write_text("symbol,timestamp,open,high,low,close,volume\nIBM,2020-01-02,99,102,98,101.5,1000\n")
    words = ("--script", str(script), "--state", str(state), "--bars", str(bars))
    with fake(*words) as url:
        with pytest.raises(urllib.error.HTTPError, match="500"):
            ask(f"{url}/v2/clock")
        assert ask(f"{url}/v2/clock")["is_open"]
        ask(f"{url}/v2/orders", ORDER)
    with fake(*words) as url:
        order = ask(f"{url}/v2/orders:by_client_order_id?client_order_id=vb-1")
        assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == ("partially_filled", "1", "101.5")
        assert ask(f"{url}/v2/positions/IBM")["qty"] == "8"
        assert ask(f"{url}/v2/account")["cash"] == "4898.5"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("no json", "cannot use what was given"),
        ("[]", "a script has"),
        ('{"habits": []}', "a script has"),
        ('{"cash": "much"}', "cannot use what was given"),
        ('{"held": {"IBM": "x"}}', "cannot use what was given"),
        ('{"faults": [{"on": "POST /v2/orders", "fault": "mute"}]}', "is no fault of"),
        ('{"faults": [{"on": "stream", "fault": "429"}]}', "is no fault of"),
        ('{"faults": [{"on": "stream", "fault": "mute", "times": 0}]}', "count upwards"),
        ('{"faults": [{"on": "stream"}]}', "cannot use what was given"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_in_one_line(tmp_path: Path, script: str, said: str) -> None:
    (tmp_path / "script.json").write_text(script)
    with pytest.raises(CommandError, match=said) as refused:
        call_command("fake_alpaca", "--port", "0", "--script", str(tmp_path / "script.json"))
    assert (refused.value.returncode, len(str(refused.value).splitlines())) == (2, 1)


@pytest.mark.parametrize("words", [("--script", "/nowhere/script.json"), ("--bars", "/nowhere/bars.csv")])
def test_a_file_that_is_not_there_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="cannot use what was given") as refused:
        call_command("fake_alpaca", "--port", "0", *words)
    assert refused.value.returncode == 2


@pytest.mark.parametrize("port", ["65536", "-1", "x"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CommandError, match="must be a port"):
        call_command("fake_alpaca", f"--port={port}")


def test_a_taken_port_is_said_in_one_line_with_exit_code_2() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        told = manage("fake_alpaca", "--port", port, database="postgresql:///nobody?host=/nowhere")
    assert (told.returncode, len(told.stderr.splitlines())) == (2, 1)
    assert f"port {port}" in told.stderr


@pytest.mark.parametrize("words", [("--no-demo",), ("--web-only",)])
def test_the_house_needs_its_demo_for_a_fake_broker(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        call_command("up", "--broker", "fake-alpaca", *words)
    assert refused.value.code == 2
    assert "--broker needs the demo" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_demo_at_the_broker_is_wired_once_and_its_books_are_equal(tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path
    make_user("demo")
    for symbol in TRADED_THERE:
        make_quote(symbol, "97")
    with fake_alpaca() as running:
        preparation.wire_to_fake(running.url)
        preparation.note_streams()
        account = Account.objects.get(adapter="alpaca")
        running.do(lambda: running.book.load(tmp_path / preparation.FAKE_BOOK))
        assert running.book.held == {symbol: Decimal("51.546391") for symbol in TRADED_THERE}
        assert reconcile_account(account_id=account.pk, why="start", patience=0).outcome == "matched"
    assert (tmp_path / preparation.STREAM_WANTED).exists()
    doubted = Account.objects.get(pk=account.pk).doubted_at
    preparation.wire_to_fake(running.url)
    assert Account.objects.get(pk=account.pk).doubted_at == doubted
    preparation.wire_to_fake("http://127.0.0.1:1")  # another port: other credentials, and its books in doubt
    assert Account.objects.get(pk=account.pk).doubted_at > doubted
    assert Portfolio.objects.filter(account__adapter="alpaca").count() == 1
    book = Book()
    book.load(tmp_path / preparation.FAKE_BOOK)
    assert book.held["IBM"] * MICROS == 51_546_391


@pytest.mark.django_db
def test_only_accounts_that_can_be_spoken_to_are_listened_to(tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path
    with fake_alpaca() as running:
        account = make_account(make_user(), running)
        other = make_account(make_user("bob"), running)
    Account.objects.filter(pk=other.pk).update(sealed="")
    account.refresh_from_db()
    assert accounts() == [(account.pk, account.sealed)]
    preparation.note_streams()
    assert (tmp_path / preparation.STREAM_WANTED).exists()
    for pk in (account.pk, other.pk):
        close_account(account_id=pk, actor="user:test")
    preparation.note_streams()
    assert accounts() == []
    assert not (tmp_path / preparation.STREAM_WANTED).exists()
    assert not User.objects.filter(username="demo").exists()
    with pytest.raises(User.DoesNotExist):
        create_broker_demo({"key": KEY, "secret": SECRET})


@pytest.mark.django_db
def test_a_fake_that_follows_a_market_of_ours_pays_its_dividends_and_splits_on_its_days(settings: Any) -> None:
    make_quote("IBM", "97")
    for ex_date, source in ((date(2007, 1, 3), "replay"), (date(2007, 2, 7), "replay"), (date(2007, 2, 7), "other")):
        announce_dividend(source=source, symbol="IBM", ex_date=ex_date, dps=300_000, pay_date=date(2007, 3, 10))
    announce_split(source="replay", symbol="IBM", ex_date=date(2007, 5, 1), numerator=2, denominator=1)
    announce_split(source="replay", symbol="KO", ex_date=date(2007, 5, 1), numerator=2, denominator=1)
    book = Book(Decimal(1000))
    book.held, book.told_now = {"IBM": Decimal(100)}, market_now("replay")
    book.wall = lambda: book.told_now or datetime.now(UTC)
    for _ in range(2):
        announce_ahead(book, "replay")
    assert [(one.kind, one.ex_date) for one in book.actions] == [
        ("cash_dividend", "2007-02-07"),
        ("forward_split", "2007-05-01"),
    ]
    book.told_now = datetime(2007, 2, 7, 15, tzinfo=UTC)
    book.fill(book.submit(ORDER), Decimal(3), Decimal(97))  # bought on the ex-date, before the fake has looked
    book.told_now = datetime(2007, 5, 1, 15, tzinfo=UTC)
    carry_out(book)
    assert book.held["IBM"] == 206
    assert book.cash == Decimal(1000) - 3 * 97 + Decimal("22.5")
    assert {row["activity_type"] for row in book.activities} == {"FILL", "SPLIT", "DIV", "DIVNRA"}
