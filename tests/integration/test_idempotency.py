"""The first answer to a key is the only deed."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import IdempotencyKey
from portfolios.services.idempotency import Answer, answer_once, forget_old_keys
from tests.factories import make_portfolio


def ask(portfolio_id: int, deed: Callable[[], dict[str, Any]], key: str = "k1", fingerprint: str = "same") -> Answer:
    return answer_once(portfolio_id=portfolio_id, key=key, fingerprint=fingerprint, answer=deed)


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_in_the_same_order() -> None:
    portfolio = make_portfolio()
    first = ask(portfolio.pk, lambda: {"z_order_id": "1", "accepted": True})
    again = ask(portfolio.pk, lambda: pytest.fail("done twice"))
    assert (first.is_first, again.is_first) == (True, False)
    assert list(again.body.items()) == list(first.body.items())


@pytest.mark.django_db
def test_one_key_for_two_requests_is_a_mistake() -> None:
    portfolio = make_portfolio()
    ask(portfolio.pk, dict)
    with pytest.raises(Refused) as caught:
        ask(portfolio.pk, dict, fingerprint="other")
    assert (caught.value.code, caught.value.status) == ("idempotency_signature_mismatch", 409)


@pytest.mark.django_db
def test_two_portfolios_may_use_the_same_key() -> None:
    first = make_portfolio()
    second = make_portfolio(first.owner)
    assert ask(first.pk, dict).is_first
    assert ask(second.pk, dict, fingerprint="other").is_first


@pytest.mark.django_db
def test_a_refused_deed_uses_up_no_key() -> None:
    portfolio = make_portfolio()

    def refuse() -> dict[str, Any]:
        raise Refused("insufficient_cash", "no")

    with pytest.raises(Refused):
        ask(portfolio.pk, refuse)
    assert ask(portfolio.pk, dict, fingerprint="corrected").is_first


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_one_deed_and_nine_repeats() -> None:
    portfolio = make_portfolio()
    deeds: list[int] = []
    answers: list[Answer] = []

    def deed() -> dict[str, Any]:
        deeds.append(1)
        time.sleep(0.1)
        return {"deed": len(deeds)}

    def run() -> None:
        try:
            answers.append(ask(portfolio.pk, deed))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(deeds) == 1
    assert sorted(answer.is_first for answer in answers) == [False] * 9 + [True]
    assert all(answer.body == {"deed": 1} for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_a_repeat_does_not_wait_forever_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portfolios.services.idempotency.WAIT", "200ms")
    portfolio = make_portfolio()
    entered, leave = threading.Event(), threading.Event()

    def slow() -> dict[str, Any]:
        entered.set()
        leave.wait(10)
        return {}

    def run() -> None:
        try:
            ask(portfolio.pk, slow)
        finally:
            connection.close()

    first = threading.Thread(target=run)
    first.start()
    entered.wait(10)
    with pytest.raises(Refused) as caught:
        ask(portfolio.pk, dict)
    leave.set()
    first.join()
    assert caught.value.code == "idempotency_in_progress"
    assert not ask(portfolio.pk, dict).is_first


@pytest.mark.django_db
def test_keys_are_forgotten_after_thirty_days() -> None:
    portfolio = make_portfolio()
    ask(portfolio.pk, dict, key="old")
    ask(portfolio.pk, dict, key="young")
    IdempotencyKey.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=31))
    with transaction.atomic():
        assert forget_old_keys() == 1
    assert IdempotencyKey.objects.get().key == "young"
