"""The terminal shows calm lines; the files keep every word."""

import json
from pathlib import Path

from vbalance.terminal import Scribe, short_form


def test_a_log_line_becomes_its_level_its_event_and_what_it_is_about():
    line = json.dumps(
        {"event": "order filled", "level": "info", "timestamp": "2026-01-02", "symbol": "IBM", "qty": "3"}
    )
    assert short_form(line) == "info    order filled symbol=IBM qty=3"


def test_ids_for_machines_stay_in_the_file():
    line = json.dumps({"event": "request", "level": "info", "request_id": "abc", "trace_id": "abc", "path": "/"})
    assert short_form(line) == "info    request path=/"


def test_of_a_failure_the_last_line_is_shown():
    line = json.dumps({"event": "no luck", "level": "error", "exception": "Traceback\n  File\nValueError: 7"})
    assert short_form(line) == "error   no luck ValueError: 7"


def test_what_is_no_log_line_is_shown_as_it_is():
    assert short_form("worker: Warm shutdown") == "worker: Warm shutdown"
    assert short_form('{"no": "event"}') == '{"no": "event"}'


def test_words_that_arrive_in_pieces_become_whole_lines(tmp_path: Path, capsys):
    scribe = Scribe("web", tmp_path)
    scribe.hear(b"first\nsec")
    scribe.hear(b"ond\n")
    assert (tmp_path / "web.log").read_text() == "first\nsecond\n"
    assert [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "web      first",
        "web      second",
    ]
