"""A job that is cancelled: SIGTERM ends a run, but never between a call that writes and the noting of what it wrote."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

STOPPED = 128 + signal.SIGTERM
"""Exit code of a run that was stopped, as shells have it."""


@dataclass
class _State:
    """Of the signal in this process: how many blocks hold it back, whether it came, whether it counts no more."""

    holds: int = 0
    waiting: bool = False
    over: bool = False


_state = _State()


def stop_on_sigterm() -> None:
    """Leave through `finally` when the job is cancelled, so that what was made is taken back and sessions close."""
    with suppress(ValueError):  # Only the main thread may set a handler.
        signal.signal(signal.SIGTERM, _stop)
        _state.holds, _state.waiting, _state.over = 0, False, False


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
