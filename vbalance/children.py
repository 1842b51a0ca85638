"""Child processes that never outlive the process that started them, not even when it is killed."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import IO, NoReturn, Protocol

LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child(Protocol):
    """What `subprocess.Popen` and `Copy` have in common."""

    pid: int

    def poll(self) -> int | None: ...

    def send_signal(self, number: int) -> None: ...


def spawn(
    command: Sequence[str], *, output: IO[bytes], last_wish: signal.Signals, user: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in its own session (Ctrl-C reaches only us); if we die first the kernel sends `last_wish`."""
    parent = os.getpid()
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        user=user,
        start_new_session=True,
        preexec_fn=lambda: _die_with(parent, last_wish),
    )


def _die_with(parent: int, last_wish: signal.Signals) -> None:
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(last_wish))
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)


class Copy:
    """A child that begins as a copy of us, so what we have imported costs it no time and little memory.

    Safe because the process that forks has neither threads nor connections: see `vbalance.management.commands.up`.
    """

    def __init__(self, main: Callable[[], None]) -> None:
        self.returncode: int | None = None
        read, write = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self.pid = os.fork()
        if self.pid == 0:
            _live_as_copy(main, parent, write)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(write)
        self.output = read

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _live_as_copy(main: Callable[[], None], parent: int, output: int) -> NoReturn:
    """Our own life from here on; never returns into the code that forked us."""
    code = 1
    try:
        os.setsid()
        _die_with(parent, signal.SIGTERM)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 1024)  # the lock and the pipes of our brothers are not ours
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        main()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)  # noqa: T201 - what Python itself does with a message in SystemExit
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            logging.shutdown()
            sys.stdout.flush()
        os._exit(code)


def end(child: Child, *, gently: signal.Signals, patience: float, meanwhile: Callable[[], None] | None = None) -> None:
    """Ask first; after `patience` seconds end it and everything it started."""
    child.send_signal(gently)
    deadline = time.monotonic() + patience
    while child.poll() is None and time.monotonic() < deadline:
        (meanwhile or _rest)()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    while child.poll() is None:
        (meanwhile or _rest)()


def _rest() -> None:
    time.sleep(0.02)
