"""`manage.py decide < cases.jsonl`: what the rule says to each case, one line of JSON in, one line out."""

import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.domain.amounts import as_text
from trading.domain.choices import OPEN
from trading.domain.decision import decide
from trading.domain.explanation import after_trade, reason_name, stock_share, trims_of
from trading.management.cases import Case, CaseError, read_case

LONGEST_LINE = 65_536
SOME_WERE_BAD = 2


class Command(BaseCommand):
    help = "Answers cases from standard input, one JSON object a line, with every gate open; needs no database."
    requires_system_checks = []
    stealth_options = ("stdin",)

    def handle(self, *args: Any, **options: Any) -> None:
        bad = 0
        try:
            for number, raw in numbered_lines(options.get("stdin") or sys.stdin.buffer):
                answer = answer_line(number, raw)
                bad += "error" in answer
                self.stdout.write(json.dumps(answer))
                self.stdout.flush()  # whoever writes line by line reads line by line
        except BrokenPipeError:  # the reader has seen enough; what is still buffered goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if bad:
            raise CommandError(f"Lines not understood: {bad}. Their answers say why.", returncode=SOME_WERE_BAD)


def numbered_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not empty, counted from 1; one that is too long is cut just behind the limit."""
    number = 0
    while raw := stream.readline(LONGEST_LINE + 2):
        number += 1
        rest = raw
        while not rest.endswith(b"\n") and (rest := stream.readline(LONGEST_LINE)):
            pass
        if raw.strip():
            yield number, raw.rstrip(b"\r\n")


def answer_line(number: int, raw: bytes) -> dict[str, Any]:
    try:
        if len(raw) > LONGEST_LINE:
            raise CaseError(None, f"is longer than {LONGEST_LINE} bytes")
        return answer_case(read_case(raw))
    except CaseError as error:
        return {"error": {"line": number, "field": error.field, "message": error.message}}


def answer_case(case: Case) -> dict[str, Any]:
    decision = decide(case.holding, case.rules, case.price, OPEN)
    after = after_trade(case.holding, decision, case.price)
    return {
        "action": decision.action.name,
        "reason": reason_name(decision.reason),
        "raw": as_text(decision.raw),
        "quantity": as_text(decision.quantity),
        "trims": [
            {"name": trim.name, "before": as_text(trim.before), "after": as_text(trim.after)}
            for trim in trims_of(decision)
        ],
        "stock_share_before": as_text(stock_share(case.holding, case.price)),
        "stock_share_after": as_text(stock_share(after, case.price)),
        "commission": as_text(decision.commission),
    }
