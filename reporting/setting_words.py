"""Settings told on pages: by name in plain words, and what became of them from version to version."""

from collections.abc import Mapping
from typing import NamedTuple

from portfolios.domain.settings import differences
from portfolios.typed import WORDS, with_unit


class Told(NamedTuple):
    label: str
    value: str


class Change(NamedTuple):
    """One setting from one version to the next; "inherited" where it is not given."""

    label: str
    before: str
    after: str


def told_settings(given: Mapping[str, int]) -> list[Told]:
    return [Told(WORDS[name].label, with_unit(name, given[name])) for name in WORDS if name in given]


def changes_between(before: Mapping[str, int], after: Mapping[str, int]) -> list[Change]:
    return [
        Change(WORDS[found.name].label, told(before, found.name), told(after, found.name))
        for found in differences(before, after)
    ]


def told(given: Mapping[str, int], name: str) -> str:
    return with_unit(name, given[name]) if name in given else "inherited"
