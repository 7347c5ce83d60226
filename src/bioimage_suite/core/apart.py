"""Work of outside libraries on a stranger's data, in a child process with limits and without the network.

A library that parses what a stranger wrote may hang, take all memory, or follow an address in it. The child has a limit
of time and of memory, and whatever it wants to open on the network is refused by the interpreter itself.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from bioimage_suite.core.errors import UserError

Result = TypeVar("Result")

SECONDS = 300
MEMORY_BYTES = 2 << 30
_SOCKETS = "connect sendto sendmsg getaddrinfo gethostbyname gethostbyaddr getnameinfo"
# Events of the interpreter (https://docs.python.org/3/library/audit_events.html); urllib.Request comes for `file:` too.
_NETWORK = frozenset({"urllib.Request", "ftplib.connect", *(f"socket.{event}" for event in _SOCKETS.split())})


class ApartError(Exception):
    """Work that ended without a result: the message says why, in one line."""


def run_apart(work: Callable[..., Result], *args: Any, seconds: float = SECONDS, memory: int = MEMORY_BYTES) -> Result:
    """Call a function in a child process and return its result.

    Args:
        work: The function. The child is a copy of this process, so it may be anything; its result must be picklable.
        args: Its arguments.
        seconds: Longest time it may take.
        memory: Bytes that it may take in addition to what this process has.

    Returns:
        What the function returned.

    Raises:
        ApartError: The function raised, took too long or too much memory, or the child died.
        UserError: The function raised it.
    """
    # A copy (fork) starts within milliseconds and has the modules that are loaded; a new interpreter takes a second.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work_in_child, args=(theirs, work, args, seconds, memory), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise ApartError(f"took longer than {seconds:g} s")
        ended, result = ours.recv()
    except EOFError as error:
        raise ApartError("ended without an answer") from error
    finally:
        child.kill()
        child.join()
        ours.close()
    if not ended:
        raise result if isinstance(result, UserError) else ApartError(result)
    return result  # type: ignore[no-any-return]


def _work_in_child(
    answer: Connection, work: Callable[..., Any], args: tuple[Any, ...], seconds: float, memory: int
) -> None:
    # The child takes nothing back and finishes nothing of its parent's: it only ends.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _limit(seconds, memory)
    sys.addaudithook(_refuse_network)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stderr = nowhere  # What a library prints is no output of the tool.
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
        outcome = _outcome(work, args, memory)
        if not outcome[0]:
            # After work that ran out of levels of recursion, none were left to send the reason (seen with ruyaml 0.91).
            sys.setrecursionlimit(1_000_000)
        answer.send(outcome)


def _outcome(work: Callable[..., Any], args: tuple[Any, ...], memory: int) -> tuple[bool, Any]:
    """Return whether the work ended well, with its result or with the reason."""
    try:
        return True, work(*args)
    except UserError as error:
        return False, error
    except MemoryError:
        return False, f"needs more memory than {memory >> 20:,} MB"
    except BaseException as error:  # A library may raise anything, SystemExit included.
        return False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _limit(seconds: float, memory: int) -> None:
    """Set the limits of this process; a system without one of them has only the limit of time by its parent."""
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory,) * 2)
    with suppress(OSError, ValueError):  # A parent that was killed cannot end its child any more.
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)


def _address_space() -> int:
    """Return the bytes of address space of this process, 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        raise PermissionError(f"{event} is refused: nothing is fetched")
