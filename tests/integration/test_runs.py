"""Runs: asked for, carried out, stopped, thrown away; a worker's death costs time and nothing else."""

from datetime import date

import pytest

from tests.recorded import BEGINS, PRICES, make_run
from trading.simulation.archive import packed, unpacked
from trading.simulation.services import carry_out

pytestmark = pytest.mark.django_db


def test_a_run_is_carried_out_and_kept() -> None:
    run = make_run(settings={"tau": "0.03"}, name=" first  try ")
    assert (run.status, run.done, run.total, run.stage) == ("queued", 0, 4, "")
    assert (run.name, run.first_day, run.last_day) == ("first try", BEGINS, date(2007, 1, 12))
    assert run.settings == {"trigger_up": "0.03", "trigger_down": "0.03"}
    done = carry_out(run_id=run.pk)
    assert (done.status, done.done, done.failure, done.tries) == ("done", 4, "", 1)
    assert (done.result["bars"], done.result["from"], done.result["to"]) == (10, "2007-01-01", "2007-01-12")
    assert done.result["trades"] == done.result["buys"] + done.result["sells"] > 4
    assert "fills" not in done.result
    assert len(done.settings_sha256) == len(done.rule_version) == len(done.data_sha256) == 64
    series = unpacked(done.series)
    assert len(series.days) == len(series.closes) == len(series.daily) == len(PRICES)
    assert len(series.buy_and_hold) == len(series.constant_mix) == len(PRICES)
    assert series.closes.tolist() == [int(price) * 10**6 for price in PRICES]
    assert len(series.steps) == len(series.at) == done.result["trades"]
    assert packed(series) == bytes(done.series)
