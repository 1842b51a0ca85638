"""A double click asks once: one run for each key, however fast it is sent again; another question is another run."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.models import User
from tests.at_once import at_once
from tests.factories import bearer, make_user
from tests.integration.browsing import signed_in
from tests.integration.problems import problem
from tests.recorded import make_bars
from trading.simulation.models import SimulationRun
from trading.simulation.services import MOST_UNFINISHED, carry_out, delete_work

pytestmark = pytest.mark.django_db
LIVE = pytest.mark.django_db(transaction=True)
URL = "/v1/simulations"
BODY = {"symbol": "IBM", "cash": "5000"}
FORM = {"symbol": "IBM", "first": "", "last": "", "cash": "10000", "in_stock": "50", "slippage": "2", "path": "close"}


@pytest.fixture
def ann() -> User:
    make_bars()
    return make_user("ann")


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which runs were rung for, at either door."""
    bells: list[int] = []
    for door in ("trading.api.simulations", "trading.views.simulations"):
        monkeypatch.setattr(f"{door}.ring", lambda bell, run_id: bells.append(run_id))
    return bells


def asked(ann: User, body: dict[str, Any], key: str) -> Any:
    client = Client(headers=bearer(ann, scopes=["read", "simulate"]) | {"Idempotency-Key": key})
    return client.post(URL, body, "application/json")


def clicked(ann: User, **typed: str) -> Any:
    return signed_in(ann).post(reverse("simulation-start"), FORM | typed)


@LIVE
def test_the_api_asked_by_many_at_once_under_one_key_makes_one_run(ann: User, rung: list[int]) -> None:
    answers = at_once(*[lambda: asked(ann, BODY, "k-1")] * 6)
    run = SimulationRun.objects.get()
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert {(answer.json()["id"], answer["Location"]) for answer in answers} == {
        (str(run.public_id), f"http://testserver{URL}/{run.public_id}")
    }
    assert rung == [run.pk]


@LIVE
def test_a_form_sent_by_many_clicks_at_once_makes_one_run(ann: User, rung: list[int]) -> None:
    answers = at_once(*[lambda: clicked(ann, key="a1b2")] * 6)
    run = SimulationRun.objects.get()
    assert {answer.url for answer in answers} == {reverse("simulation", args=[run.public_id])}
    assert rung == [run.pk]


def test_a_repeat_finds_the_run_as_it_is_by_then(ann: User, rung: list[int]) -> None:
    first = asked(ann, BODY, "k-1").json()
    carry_out(run_id=SimulationRun.objects.get().pk)
    repeat = asked(ann, {"cash": 5000, "symbol": "IBM"}, '"k-1"')  # the same, written otherwise
    assert (repeat.status_code, repeat.json()["id"], repeat.json()["status"]) == (200, first["id"], "done")


def test_another_request_under_the_same_key_is_refused_and_makes_nothing(ann: User, rung: list[int]) -> None:
    asked(ann, BODY, "k-1")
    for other in ({"symbol": "IBM", "cash": "5001"}, {"symbol": "NONE"}, {}):
        assert problem(asked(ann, other, "k-1")) == (409, "idempotency_signature_mismatch")
    assert SimulationRun.objects.count() == 1


def test_what_is_refused_uses_up_no_key(ann: User, rung: list[int]) -> None:
    assert problem(asked(ann, {"symbol": "NONE"}, "k-1")) == (422, "unknown_symbol")
    assert asked(ann, BODY, "k-1").status_code == 202


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_missing"),
        ('""', "idempotency_key_missing"),
        ("a b", "idempotency_key_invalid"),
        ("x" * 256, "idempotency_key_invalid"),
        ("\u00e4", "idempotency_key_invalid"),
    ],
)
def test_a_key_that_is_none_is_refused_at_both_doors(ann: User, rung: list[int], key: str, code: str) -> None:
    assert problem(asked(ann, BODY, key)) == (400, code)
    assert clicked(ann, key=key).status_code == 422
    assert not SimulationRun.objects.exists()


def test_keys_are_each_owners_own(ann: User, rung: list[int]) -> None:
    assert [asked(person, BODY, "k-1").status_code for person in (ann, make_user("bob"))] == [202, 202]


def test_without_a_key_each_request_is_a_run(ann: User, rung: list[int]) -> None:
    client = Client(headers=bearer(ann, scopes=["read", "simulate"]))
    assert [client.post(URL, BODY, "application/json").status_code for _ in range(2)] == [202, 202]
    assert SimulationRun.objects.count() == 2


def test_going_back_and_typing_something_else_is_another_question(ann: User, rung: list[int]) -> None:
    first, changed, again = (clicked(ann, key="a1b2", cash=cash).url for cash in ("10000", "20000", "10000.00"))
    assert first != changed
    assert again == first
    with_setting, other = (clicked(ann, key="a1b2", trigger_up=rise).url for rise in ("4", "5"))
    assert len({first, changed, with_setting, other}) == 4


def test_a_run_thrown_away_may_be_asked_for_again(ann: User, rung: list[int]) -> None:
    asked(ann, BODY, "k-1")
    delete_work(work=SimulationRun.objects.get())
    assert asked(ann, BODY, "k-1").status_code == 202


def test_a_repeat_is_answered_even_when_no_more_may_wait(ann: User, rung: list[int]) -> None:
    for number in range(MOST_UNFINISHED):
        asked(ann, BODY, f"k-{number}")
    assert problem(asked(ann, BODY, "k-more")) == (409, "too_many_unfinished_runs")
    assert asked(ann, BODY, "k-0").status_code == 200


def test_each_form_carries_a_key_of_its_own(ann: User) -> None:
    client = signed_in(ann)
    forms = [client.get(reverse("simulation-new")).content.decode() for _ in range(2)]
    keys = [html.split('name="key" value="')[1].split('"')[0] for html in forms]
    assert len(set(keys)) == 2
    assert all(len(key) == 32 for key in keys)
