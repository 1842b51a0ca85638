#!/usr/bin/env python
"""Django's command line, with this project's settings."""

import os
import sys
from argparse import ArgumentParser
from typing import NoReturn

from django.core.management import execute_from_command_line
from django.core.management.base import CommandParser


def refuse(parser: ArgumentParser, message: str) -> NoReturn:
    """One line for words that make no sense, without the usage that Django puts above it."""
    parser.exit(2, f"{parser.prog}: {message}\n")


def with_settings_of_a_cell(words: list[str]) -> list[str]:
    """`simulate --settings` means the settings of a cell: Django would take it for its own settings module."""
    if words[1:2] != ["simulate"]:
        return words
    return [word.replace("--settings", "--cell-settings", 1) if is_ours(word) else word for word in words]


def is_ours(word: str) -> bool:
    return word == "--settings" or word.startswith("--settings=")


def simulate(words: list[str]) -> None:
    """Without the apps, a second sooner: a file of bars needs none of them, and for the record they are set up then."""
    from trading.management.commands.simulate import Command  # noqa: PLC0415 - all other commands need their apps

    Command().run_from_argv(words)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    CommandParser.error = refuse  # type: ignore[assignment, method-assign]
    words = with_settings_of_a_cell(sys.argv)
    if words[1:2] == ["simulate"]:
        simulate(words)
    else:
        execute_from_command_line(words)
