"""The docs name only what exists: paths, decision records, commands."""

import re
from pathlib import Path

import pytest

from portfolios.api.problems import CODES
from trading.domain.choices import Gates

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MAPS = ("architecture/lineage.md", "architecture/components.md", "getting-started/repo-map.md", "index.md")
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"\.?[A-Za-z][\w.-]*(/[\w.-]+)+|\.?[\w-]+\.(py|toml|yml|txt|md)|\.env\.example|run|Dockerfile")
IGNORED = "var/"
FLOORS = ("vbalance", "reporting", "trading", "dividends", "portfolios")


def named_paths(page: str) -> list[str]:
    """What a page puts in backticks in its tables and looks like a path of this repository."""
    rows = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("|")]
    names = [name.rstrip("/") for row in rows for name in IN_BACKTICKS.findall(row) if not name.startswith(IGNORED)]
    return [name for name in names if PATH.fullmatch(name) or (ROOT / name).is_dir()]


@pytest.mark.parametrize("page", MAPS)
def test_every_path_a_map_names_exists(page):
    assert named_paths(page)
    # "models.py" in the table of file names recurs in every room: it is no path from the root.
    rooms = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    names = {path.name for path in rooms}
    assert [name for name in named_paths(page) if not (ROOT / name).exists() and name not in names] == []


def test_every_row_of_the_lineage_names_a_place_that_exists():
    rows = [row for row in (DOCS / "architecture/lineage.md").read_text().splitlines() if row.startswith("| ")]
    bodies = [row for row in rows if not re.match(r"\| (word|letter) \|", row)]
    without = [row for row in bodies if not any((ROOT / name).exists() for name in IN_BACKTICKS.findall(row))]
    assert without == []


def test_the_index_lists_every_decision_once_and_in_order():
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", (DOCS / "adr/index.md").read_text(), re.MULTILINE)
    assert listed == sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in listed] == list(range(1, len(listed) + 1))


def test_every_decision_says_context_decision_and_consequences():
    for path in (DOCS / "adr").glob("[0-9]*.md"):
        assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == ["Context", "Decision", "Consequences"], (
            path.name
        )


def test_every_problem_the_api_can_name_is_explained():
    doors = [path.read_text() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    named = {code for text in doors for code in re.findall(r'(?:Refused|Problem)\((?:\s*\d+,)?\s*"(\w+)"', text)}
    missing_things = {f"{thing}_not_found" for text in doors for thing in re.findall(r'not_found\("(\w+)"\)', text)}
    explained = set(re.findall(r"^### (\w+)$", (DOCS / "api/problems.md").read_text(), re.MULTILINE))
    assert named | missing_things | set(CODES.values()) | set(Gates._fields) == explained


def test_every_page_can_be_reached_from_the_index():
    seen, waiting = set(), [DOCS / "index.md", DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text())
        waiting += [target for link in links if (target := (page.parent / link).resolve()).is_relative_to(DOCS)]
    assert sorted(str(path.relative_to(DOCS)) for path in set(DOCS.rglob("*.md")) - seen) == []


def test_the_options_the_readme_shows_are_known_to_run():
    script = (ROOT / "run").read_text() + (ROOT / "vbalance/management/commands/up.py").read_text()
    shown = set(re.findall(r"`?\./run(?: test)? (--[a-z-]+|test|check)", (ROOT / "README.md").read_text()))
    assert shown >= {"test", "--port", "--no-browser"}
    assert [option for option in shown if option not in script and option.lstrip("-") not in script] == []


def test_the_commands_the_docs_show_exist():
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"manage\.py ([a-z_]+)", page.read_text())}
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")} | {
        path.stem for path in ROOT.glob("*/*/management/commands/*.py")
    }
    assert sorted(shown - ours - {"check", "migrate", "spectacular"}) == []
