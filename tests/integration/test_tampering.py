"""A thousand different ways of changing a log behind everybody's back, each of them found."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import models, transaction
from django.db.models import F

from portfolios.domain.chain import GENESIS, chained_hash
from portfolios.events import EventType
from portfolios.models import Account, Event, House, Portfolio, Position
from portfolios.services.journal import Journal
from portfolios.services.positions import deposit
from portfolios.services.verification import Finding, row_heads, verify_events
from tests.factories import NOON, make_portfolio, make_position, make_quote
from tests.integration.test_ledger import unguarded
from tests.market import later, make_fallen_cell, tick

pytestmark = pytest.mark.django_db
COLUMNS = [field for field in Event._meta.concrete_fields if field.name != "id"]
Published = dict[UUID, tuple[int, str]]


@pytest.fixture
def published() -> Iterator[Published]:
    """Some hundreds of events in streams of all four kinds, their heads published, the guards lifted by the owner."""
    cell = make_fallen_cell()
    for minute, price in enumerate(("97", "100", "94", "70", "99", "102"), start=1):
        make_quote(price=price, at=later(minute))
        tick(cell)
    others = [
        cell,
        *(make_position(cell.portfolio) for _ in range(3)),
        make_position(make_portfolio(cell.portfolio.owner)),
    ]
    for number in range(250):
        deposit(position_id=others[number % 5].pk, amount=number + 1, market_at=NOON, actor="user:ann")
    house, _ = House.objects.get_or_create(pk=1)
    for row in (Account.objects.get(pk=cell.portfolio.account_id), house):
        with transaction.atomic():
            journal = Journal(row, market_at=NOON, actor="user:ann")
            for number in range(10):
                journal.add(EventType.HALTED, f"Halted for the {number}th time.")
            journal.write()
    heads = {stream: (end.seq, end.hash) for stream, end in row_heads().items()}
    assert verify_events(heads).findings == []
    assert set(Event.objects.values_list("stream", flat=True)) == set(Event.Stream.values)
    with unguarded("portfolios_event"):
        yield heads


def some_event(chance: random.Random, **traits: Any) -> Event:
    return chance.choice(list(Event.objects.filter(**traits).order_by("pk")))


def other_letter(chance: random.Random, text: str) -> str:
    """The text with one letter changed, dropped or added."""
    place = chance.randrange(len(text)) if text else 0
    letter = chance.choice([other for other in 'aZ09{}":, -\né' if other != text[place : place + 1]])
    return chance.choice(
        [
            text[:place] + letter + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + letter + text[place:],
        ]
        if text
        else [letter]
    )


def other_value(chance: random.Random, event: Event, field: Any) -> Any:
    value = getattr(event, field.attname)
    if field.name == "portfolio":
        return chance.choice([pk for pk in (*Portfolio.objects.values_list("pk", flat=True), None) if pk != value])
    if isinstance(field, models.UUIDField):
        return UUID(int=(value.int if value else 0) ^ (1 << chance.randrange(128)))
    if isinstance(field, models.DateTimeField):
        return value + timedelta(microseconds=chance.choice([-1, 1, 10**6]))
    if isinstance(field, models.BigIntegerField):
        return value + chance.choice([-1, 1, 10**6])
    return other_letter(chance, value)[: field.max_length]


def edits_the_text(chance: random.Random) -> None:
    event = some_event(chance)
    Event.objects.filter(pk=event.pk).update(text=other_letter(chance, event.text))


def edits_a_column(chance: random.Random) -> None:
    event, field = some_event(chance), chance.choice(COLUMNS)
    value = other_value(chance, event, field)
    while value == getattr(event, field.attname):  # cut off at the end of the column
        value = other_value(chance, event, field)
    if field.name in ("seq", "stream_id"):
        Event.objects.filter(stream_id=event.stream_id, seq=value if field.name == "seq" else 0)._raw_delete("default")
    Event.objects.filter(pk=event.pk).update(**{field.attname: value})


def edits_and_hashes_again(chance: random.Random) -> None:
    event = some_event(chance)
    text = other_letter(chance, event.text)
    Event.objects.filter(pk=event.pk).update(text=text, hash=chained_hash(event.prev_hash, text))


def inserts(chance: random.Random) -> None:
    """A copy of an event, honestly chained, in the middle or at the end of a stream, or a stream of its own."""
    model, before = some_event(chance), some_event(chance)
    later_ones = Event.objects.filter(stream_id=before.stream_id, seq__gt=before.seq)
    later_ones.update(seq=F("seq") + 1_000_000)
    Event.objects.filter(stream_id=before.stream_id, seq__gt=1_000_000).update(seq=F("seq") - 999_999)
    model.pk, model.seq, model.prev_hash = None, before.seq + 1, before.hash
    model.stream_id, model.stream, model.portfolio_id = before.stream_id, before.stream, before.portfolio_id
    if chance.random() < 0.2:
        model.stream_id, model.seq, model.prev_hash = UUID(int=chance.getrandbits(128)), 1, GENESIS
    model.hash = chained_hash(model.prev_hash, model.text)
    model.save(force_insert=True)


def deletes(chance: random.Random) -> None:
    """With or without moving up those behind it."""
    gone = some_event(chance)
    Event.objects.filter(pk=gone.pk)._raw_delete("default")
    if chance.random() < 0.5:
        for seq in range(gone.seq + 1, gone.seq + 500):
            if not Event.objects.filter(stream_id=gone.stream_id, seq=seq).update(seq=seq - 1):
                break


def swaps(chance: random.Random) -> None:
    one = some_event(chance)
    others = Event.objects.filter(stream_id=one.stream_id).exclude(pk=one.pk)
    if not others.exists():
        return deletes(chance)
    other = chance.choice(list(others.order_by("pk")))
    if chance.random() < 0.5:
        exchange(one, other, "seq")
    else:
        exchange(one, other, "id")
    return None


def exchange(one: Event, other: Event, name: str) -> None:
    mine, yours = getattr(one, name), getattr(other, name)
    Event.objects.filter(pk=one.pk).update(**{name: -7})
    Event.objects.filter(**{name: yours}, stream_id=one.stream_id).update(**{name: mine})
    Event.objects.filter(**{name: -7}).update(**{name: yours})


def cuts(chance: random.Random) -> None:
    """The end of a stream, its row put right or removed from sight; sometimes other events are written in its place."""
    first = some_event(chance)
    Event.objects.filter(stream_id=first.stream_id, seq__gte=first.seq)._raw_delete("default")
    table = {"position": Position, "portfolio": Portfolio, "account": Account, "global": House}[first.stream]
    traits = {"event_seq": first.seq - 1, "event_hash": first.prev_hash}
    table.objects.filter(public_id=first.stream_id).update(**traits)
    if chance.random() < 0.3:
        row = table.objects.get(public_id=first.stream_id)
        journal = Journal(row, market_at=NOON, actor="mallory")
        for _ in range(chance.randrange(1, 40)):
            journal.add(EventType.DEPOSITED, "As it should have been.")
        journal.write()


DEEDS: list[Callable[[random.Random], None]] = [
    edits_the_text,
    edits_a_column,
    edits_and_hashes_again,
    inserts,
    deletes,
    swaps,
    cuts,
]


def found_after(deed: Callable[[random.Random], None], chance: random.Random, published: Published) -> list[Finding]:
    """What verifying finds after the deed, which is then undone."""
    with transaction.atomic():
        deed(chance)
        found = verify_events(published).findings
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("times", [105, pytest.param(1_000, marks=pytest.mark.long)])
def test_every_tampering_is_found(published: Published, times: int) -> None:
    seed = int(os.environ.get("VBALANCE_TEST_SEED") or random.randrange(10**9))
    for number in range(times):
        deed = DEEDS[number % len(DEEDS)]
        chance = random.Random(f"{seed}/{number}")
        assert found_after(deed, chance, published), f"{deed.__name__} number {number} of seed {seed} was not found"
    assert verify_events(published).findings == []


def test_a_cut_agreed_with_its_row_needs_the_published_heads(published: Published) -> None:
    with transaction.atomic():
        cuts(random.Random(1))
        assert verify_events().findings == []
        assert verify_events(published).findings != []
        transaction.set_rollback(True)
