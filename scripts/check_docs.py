"""Check the pages under docs/: front matter, links that lead somewhere, Mermaid that can be drawn."""

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
KEYS = {"owner", "status", "last_updated", "related"}
STATUSES = {"current", "draft", "template", "accepted", "superseded"}
DIAGRAMS = (
    r"(flowchart|graph|sequenceDiagram|stateDiagram-v2|erDiagram|classDiagram|C4Context|C4Container|timeline|gantt)\b"
)
BRACKETS = {"[": "]", "(": ")", "{": "}"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    pages = sorted(DOCS.rglob("*.md"))
    complaints = [f"{page.relative_to(ROOT)}: {text}" for page in pages for text in complaints_about(page)]
    complaints += [
        f"{page.name}: {text}" for page in sorted(ROOT.glob("*.md")) for text in dead_links(page, page.read_text())
    ]
    print("\n".join(complaints) or f"{len(pages)} pages are in order")
    return 1 if complaints else 0


def complaints_about(page: Path) -> Iterator[str]:
    text = page.read_text()
    yield from front_matter_complaints(page, text)
    yield from dead_links(page, text)
    for language, body in FENCE.findall(text):
        if language == "mermaid":
            yield from mermaid_complaints(body)


def front_matter_complaints(page: Path, text: str) -> Iterator[str]:
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not found:
        yield "no front matter"
        return
    try:
        matter: dict[str, Any] = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        yield f"front matter is not YAML: {error}".replace("\n", " ")
        return
    if missing := KEYS - matter.keys():
        yield f"front matter lacks {', '.join(sorted(missing))}"
        return
    if not isinstance(matter["last_updated"], date):
        yield "last_updated is not a date"
    if matter["status"] not in STATUSES:
        yield f"status {matter['status']!r} is none of {', '.join(sorted(STATUSES))}"
    for name in matter["related"] or []:
        if not (page.parent / name).exists():
            yield f"related page does not exist: {name}"


def dead_links(page: Path, text: str) -> Iterator[str]:
    """Only links into the repository: the network is not asked."""
    for pair in LINK.findall(FENCE.sub("", text)):
        target, _, anchor = (pair[0] or pair[1]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        place = (page.parent / target) if target else page
        if not place.exists():
            yield f"dead link: {target}"
        elif anchor and place.suffix == ".md" and anchor not in anchors(place):
            yield f"dead link: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """As code hosts make them: lower case, punctuation dropped, spaces to hyphens."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def mermaid_complaints(body: str) -> Iterator[str]:
    lines = [line for line in body.splitlines() if line.strip() and not line.strip().startswith("%%")]
    if not lines or not re.match(DIAGRAMS, lines[0].strip()):
        yield f"mermaid: unknown diagram {lines[0].strip() if lines else '(empty)'!r}"
        return
    opened = len(re.findall(r"^\s*(subgraph|loop|alt|opt|par|critical|rect|box)\b", body, re.MULTILINE))
    if opened != len(re.findall(r"^\s*end\s*$", body, re.MULTILINE)):
        yield "mermaid: a block is not ended"
    for line in lines:
        if not balanced(re.sub(r'"[^"]*"', "", line)) and not lines[0].startswith(("C4", "stateDiagram", "erDiagram")):
            yield f"mermaid: brackets do not match: {line.strip()}"


def balanced(line: str) -> bool:
    """Arrows such as `-)` and `--)` of sequence diagrams are no brackets."""
    waiting: list[str] = []
    for sign in re.sub(r"-+[)x]|[(]-+", "", line):
        if sign in BRACKETS:
            waiting.append(BRACKETS[sign])
        elif sign in BRACKETS.values() and (not waiting or waiting.pop() != sign):
            return False
    return not waiting


if __name__ == "__main__":
    sys.exit(main())
