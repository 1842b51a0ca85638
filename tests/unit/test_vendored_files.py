"""Files of others are the ones their note names, with their licences beside them."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTE = ROOT / "static" / "vendor" / "README.md"
SERVED = re.compile(r"^\| `([\w.-]+)` \|.*`([\w.-]+\.LICENSE)`.*`([0-9a-f]{64})` \|$", re.MULTILINE)


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_served_file_of_others_is_noted_with_its_licence_and_checksum():
    noted = {name: (licence, digest) for name, licence, digest in SERVED.findall(NOTE.read_text())}
    served = {path.name for path in NOTE.parent.iterdir() if path.suffix not in (".md", ".LICENSE")}
    assert set(noted) == served
    for name, (licence, digest) in noted.items():
        assert checksum(NOTE.parent / name) == digest
        assert (NOTE.parent / licence).stat().st_size > 300


def test_what_only_tests_need_is_noted_too_and_not_served():
    axe = ROOT / "tests" / "e2e" / "vendor" / "axe.min.js"
    assert checksum(axe) in NOTE.read_text()
    assert axe.with_name("axe.LICENSE").exists()
