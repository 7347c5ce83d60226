"""A job that is cancelled: SIGTERM ends a run, but never between a call that writes and the noting of what it wrote."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

STOPPED = 128 + signal.SIGTERM
"""Exit code of a run that was stopped, as shells have it."""


@dataclass
class _State:
    """Of the signal in this process.

    Attributes:
        holds: How many blocks hold it back.
        waiting: Whether it came while it was held back.
        over: Whether it counts no more.
        handled: Whether its handler has run.
        came: When it came, by the monotonic clock: also while the main thread is in a call that no signal interrupts.
        pipe: Where the interpreter writes the numbers of signals as soon as they come.
    """

    holds: int = 0
    waiting: bool = False
    over: bool = False
    handled: bool = False
    came: float | None = None
    pipe: int = -1


_state = _State()


def stop_on_sigterm() -> None:
    """Leave through `finally` when the job is cancelled, so that what was made is taken back and sessions close."""
    with suppress(ValueError):  # Only the main thread may set a handler.
        signal.signal(signal.SIGTERM, _stop)
        _listen()
        _state.holds, _state.waiting, _state.over, _state.handled, _state.came = 0, False, False, False, None


def _listen() -> None:
    if _state.pipe < 0:
        _state.pipe, write = os.pipe()
        os.set_blocking(_state.pipe, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signalled()


def signalled() -> float | None:
    """Return when SIGTERM came, by the monotonic clock, also if its handler could not run yet; None if it did not."""
    with suppress(OSError):  # Nothing to read.
        if signal.SIGTERM in os.read(_state.pipe, 4096) and _state.came is None:
            _state.came = time.monotonic()
    return _state.came


def leave_if_signalled() -> None:
    """Leave if SIGTERM came: for an error that only comes from the ending of the job.

    Raises:
        SystemExit: The signal came.
    """
    if signalled() is not None:
        _leave()


def is_kept_away() -> bool:
    """Tell whether SIGTERM came, and neither its handler ran nor a block holds it back: a call keeps it away."""
    return signalled() is not None and not _state.handled and not _state.holds


@contextmanager
def holding() -> Iterator[None]:
    """Keep SIGTERM back until the block ends: for a call that writes together with the noting of its ids.

    Raises:
        SystemExit: The signal came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():  # Handlers run in the main thread only.
        yield
        return
    _state.holds += 1
    try:
        yield
    finally:
        _state.holds -= 1
        if _state.waiting and not _state.holds:
            _leave()


@contextmanager
def finishing() -> Iterator[None]:
    """Keep SIGTERM back for the last step of a run; if that succeeds the run is done, and the signal counts no more."""
    with holding():
        yield
        _state.over, _state.waiting = True, False


def _stop(*_: object) -> None:
    _state.handled = True
    if _state.over:
        return
    if _state.holds:
        _state.waiting = True
    else:
        _leave()


def _leave() -> None:
    # Once is enough: a second signal would break off the taking back.
    _state.over, _state.waiting = True, False
    sys.exit(STOPPED)
