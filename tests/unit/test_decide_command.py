"""`manage.py decide < cases.jsonl`: an answer or a clear error for every line, and never a traceback."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[2]
EXAMPLE = {
    "shares": "100",
    "cash": "10000",
    "receivable": "0",
    "anchor": "100",
    "price": "97",
    "settings": {"sizing": "proportional", "trigger_up": "0.03", "commission_bps": "1", "fractional": True},
}


def answers_to(*lines):
    """The answers, and whether the command ended well."""
    out = io.StringIO()
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    try:
        call_command("decide", stdin=io.BytesIO(raw), stdout=out)
        code = 0
    except CommandError as error:
        code = error.returncode
    return [json.loads(line) for line in out.getvalue().splitlines()], code


def refusal_of(line):
    (answer,), code = answers_to(line)
    assert code == 2
    assert answer.keys() == {"error"}
    assert answer["error"]["line"] == 1
    return answer["error"]["field"], answer["error"]["message"]


def test_a_case_is_answered_with_the_decision_and_what_it_leads_to():
    assert answers_to(EXAMPLE) == (
        [
            {
                "action": "BUY",
                "reason": "trigger_down",
                "raw": "10.468909",
                "quantity": "10.468909",
                "trims": [],
                "stock_share_before": "0.492385",  # 9,700 of 19,700
                "stock_share_after": "0.543936",  # 10,715.484173 of 19,699.898451: the fee is gone
                "commission": "0.101549",
            }
        ],
        0,
    )


def test_the_trims_that_bit_are_named_with_before_and_after():
    case = {"shares": "60", "cash": "4000", "anchor": "110", "price": "100"}
    settings = {"sizing": "proportional", "guardrail_high": "0.7", "commission_bps": "10", "fractional": False}
    (answer,), _ = answers_to(case | {"settings": settings})
    assert (answer["quantity"], answer["stock_share_after"]) == ("9", "0.690062")  # 6,900 of 9,999.10
    assert answer["trims"] == [
        {"name": "guardrail", "before": "16.667", "after": "9.993004"},
        {"name": "lot", "before": "9.993004", "after": "9"},
    ]


@pytest.mark.parametrize(
    ("case", "action", "reason"),
    [
        ({"shares": "100", "cash": "10000", "anchor": "100", "price": "103"}, "SELL", "trigger_up"),
        ({"shares": 100, "cash": 10000, "anchor": 100, "price": 97.01}, "HOLD", "inside_band"),
        ({"shares": "70", "cash": "2000", "anchor": "100", "price": "97"}, "SKIP", "guardrail"),
        ({"shares": "160", "cash": "4000", "anchor": "100", "price": "100"}, "SELL", "guardrail_rebalance"),
        ({"price": "97"}, "HOLD", "no_anchor"),
        ({"price": "97", "anchor": None}, "HOLD", "no_anchor"),
        ({"price": "97", "anchor": "0"}, "HOLD", "no_anchor"),
        ({"price": "97", "anchor": "100"}, "SKIP", "no_capital"),
        ({"price": "97", "anchor": "100", "cash": "1000", "reserved_cash": "1000"}, "SKIP", "insufficient_cash"),
    ],
)
def test_what_is_missing_is_nothing_and_plain_numbers_do_as_well(case, action, reason):
    (answer,), code = answers_to(case)
    assert (answer["action"], answer["reason"], code) == (action, reason, 0)


def test_a_skip_leaves_the_stock_share_as_it_is():
    (answer,), _ = answers_to({"shares": "70", "cash": "2000", "anchor": "100", "price": "97"})
    assert answer["stock_share_before"] == answer["stock_share_after"] == "0.772468"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"price": "0"}, "price", "from 0.0001 to 1000000"),
        ({"price": "0.00009"}, "price", "from 0.0001 to 1000000"),
        ({"price": "1000000.000001"}, "price", "from 0.0001 to 1000000"),
        ({"price": None}, "price", "number"),
        ({"price": True}, "price", "number"),
        ({"price": ["97"]}, "price", "number"),
        ({"price": "1e2"}, "price", "plain number"),
        ({"price": "97.0000001"}, "price", "6 digits after the point"),
        ({"price": "٩٧"}, "price", "plain number"),
        ({"price": "NaN"}, "price", "plain number"),
        ({"price": "Infinity"}, "price", "plain number"),
        ({"price": " 97"}, "price", "plain number"),
        ({"price": ""}, "price", "plain number"),
        ({"shares": "-1"}, "shares", "from 0 to 1000000000000"),
        ({"shares": "-0.000001"}, "shares", "from 0"),
        ({"shares": "20000000000"}, "shares", "at most 1000000000000 together"),
        ({"cash": "1000000000000.000001"}, "cash", "at most 1000000000000"),
        ({"cash": None}, "cash", "number"),
        ({"cash": False}, "cash", "number"),
        ({"receivable": {}}, "receivable", "number"),
        ({"anchor": "0.00001"}, "anchor", "from 0.0001 to 1000000"),
        ({"anchor": "1000001"}, "anchor", "to 1000000"),
        ({"reserved_cash": "10000.01"}, "reserved_cash", "at most cash, 10000"),
        ({"reserved_shares": "101"}, "reserved_shares", "at most shares, 100"),
        ({"ticker": "IBM"}, "ticker", "not a field"),
        ({"settings": None}, "settings", "object"),
        ({"settings": ["tau"]}, "settings", "object"),
        ({"settings": {"tau": "0.9"}}, "settings.trigger_up", "from 0.0001 to 0.5"),
        ({"settings": {"fractional": 1}}, "settings.fractional", "true or false"),
        ({"settings": {"colour": "blue"}}, "settings.colour", "not a setting"),
        ({"settings": {"guardrail_low": "0.8"}}, "settings.guardrail_low", "below guardrail_high"),
        ({"settings": {"sizing": "all_in"}}, "settings.sizing", "anchor_ratio, proportional"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field_and_its_limit(change, field, words):
    named, message = refusal_of(EXAMPLE | change)
    assert named == field
    assert words in message


def test_a_case_without_a_price_is_refused():
    assert refusal_of({"cash": "1"}) == ("price", "is required")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"price": "97", "price": "98"}', "'price' is given twice"),
        (b'{"price": "97", "settings": {"r": "0.1", "r": "0.2"}}', "'r' is given twice"),
        (b'{"price": NaN}', "NaN is not a number"),
        (b'{"price": -Infinity}', "Infinity is not a number"),
        (b'{"price": 1e2}', "1e2 has an exponent"),
        (b'{"price": ' + b"9" * 5_000 + b"}", "too long"),
        (b'{"price": 0.' + b"1" * 5_000 + b"}", "too long"),
        (b'{"settings": ' + b"[" * 100 + b"]" * 100 + b"}", "too deep"),
        (b"[" * 60_000, "too deep"),
        (b'{"price": "\xff"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"price": "97"}', "BOM"),
        (b'{"price": "97"', "delimiter"),
        (b'{"price": "97"} {"price": "98"}', "Extra data"),
        (b'["97"]', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"price": "' + b"9" * 70_000 + b'"}', "longer than 65536 bytes"),
    ],
)
def test_a_line_that_is_no_plain_json_object_is_refused(raw, words):
    field, message = refusal_of(raw)
    assert field is None
    assert words in message


def test_the_lines_after_a_bad_one_are_still_answered_and_empty_lines_are_only_counted():
    answers, code = answers_to(EXAMPLE, b"", b"nonsense", b"  ", b"x" * 200_000, EXAMPLE)
    assert [answer.get("action") or answer["error"]["line"] for answer in answers] == ["BUY", 3, 5, "BUY"]
    assert code == 2


def test_no_case_is_no_answer():
    assert answers_to(b"") == ([], 0)


def test_the_command_answers_each_line_before_it_reads_the_next_and_needs_no_store(tmp_path):
    nowhere = {"DATABASE_URL": "postgres://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, "manage.py", "decide"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = nowhere | {"VBALANCE_VAR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:
        for line, expected in ((json.dumps(EXAMPLE), "BUY"), ("{}", None), (json.dumps(EXAMPLE), "BUY")):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()).get("action") == expected
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 2
    assert complaint.strip() == "CommandError: Lines not understood: 1. Their answers say why."


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text((json.dumps(EXAMPLE) + "\n") * 3_000)
    shell = f'"{sys.executable}" manage.py decide < "{cases}" | head -n 1'
    done = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["action"] == "BUY"
    assert done.stderr == ""
