"""Child processes that never outlive the process that started them, not even when it is killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str],
    *,
    output: int | IO[bytes],
    last_wish: signal.Signals = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (Ctrl-C reaches only us); if we die first the kernel sends `last_wish`."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment) if environment is not None else None,
        cwd=folder,
        user=user,
        start_new_session=True,
        preexec_fn=_dying_with(os.getpid(), last_wish),
    )


def _dying_with(parent: int, last_wish: signal.Signals) -> Callable[[], None]:
    def ask_the_kernel() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(last_wish))
            if os.getppid() != parent:  # it died before the kernel knew
                os._exit(1)

    return ask_the_kernel


def end(process: subprocess.Popen[bytes], *, gently: signal.Signals, patience: float) -> None:
    """Ask first; after `patience` seconds end the whole session."""
    if process.poll() is None:
        process.send_signal(gently)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
