"""As whom PostgreSQL runs: it refuses uid 0, so root lends it another name or another user."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from vbalance.stores.errors import StoreError

FOREIGN_HOME = Path("/var/lib/vbalance")


class Identity(NamedTuple):
    prefix: tuple[str, ...] = ()
    """Words before every command: a user namespace where we are called `nobody` and our files stay ours."""
    user: int | None = None
    """The uid the server really changes to; its files then live under `FOREIGN_HOME`."""


def choose_identity(*, program: Path, folder: Path) -> Identity:
    """Ourselves if we can; initdb also refuses a uid without a name, as some containers give."""
    if os.getuid() != 0 and _has_name(os.getuid()):
        return Identity()
    borrowed = ("unshare", "--user", f"--map-user={nobody()}", "--")
    question = ("sh", "-c", 'test -x "$1" && test -w "$2"', "sh", str(program), str(folder))
    if shutil.which("unshare") and subprocess.run([*borrowed, *question], capture_output=True).returncode == 0:
        return Identity(prefix=borrowed)
    return Identity(user=nobody()) if os.getuid() == 0 else Identity()


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise StoreError(
            "PostgreSQL refuses to run as root and there is no user `nobody`: run as another user"
        ) from None


def foreign_folder(folder: Path, user: int) -> Path:
    """A folder of that user's own: ours may lie where it cannot go, such as under /root."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:10]
    foreign = FOREIGN_HOME / digest
    foreign.mkdir(parents=True, exist_ok=True)
    os.chown(foreign, user, -1)
    return foreign


def reachable_programs(folder: Path, user: int) -> Path:
    """The programs' folder if that user can run them, else a copy made once, libraries beside it as in the wheel."""
    if _can_run(folder / "postgres", user):
        return folder
    install, wheel = folder.parent, folder.parent.parent
    digest = hashlib.sha256(f"{folder} {(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:10]
    copy = FOREIGN_HOME / f"programs-{digest}"
    if not copy.exists():
        draft = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(install, draft / wheel.name / install.name, symlinks=True)
        for libraries in wheel.parent.glob(f"{wheel.name}.libs"):
            shutil.copytree(libraries, draft / libraries.name)
        draft.rename(copy)
    return copy / wheel.name / install.name / folder.name


def _can_run(program: Path, user: int) -> bool:
    try:
        return subprocess.run([program, "--version"], user=user, capture_output=True).returncode == 0
    except PermissionError:
        return False
