"""Run a tool's script in this process once it is told to, so that several copies begin at the same moment.

With `SIGNAL_IN_WRITE=<n> <signal>` in the environment the process gets a signal while its n-th call that writes to
OMERO is under way; with `<n> <signal> <seconds>` SIGKILL follows. With `PAUSE_BEFORE=<n> write` it stops itself before
that call, until SIGCONT comes; with `<n> any` before the n-th call that reads or writes.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WRITES = (
    ("omero.api.IUpdatePrx", "saveObject saveAndReturnObject saveCollection saveArray saveAndReturnArray"),
    ("omero.api.IUpdatePrx", "saveAndReturnIds end_saveAndReturnIds deleteObject"),
    ("omero.api.ServiceFactoryPrx", "submit"),
    ("omero.grid.ManagedRepositoryPrx", "importFileset"),
    ("omero.grid.ImportProcessPrx", "getUploader verifyUpload"),
    ("omero.grid.SharedResourcesPrx", "newTable"),
    ("omero.grid.TablePrx", "initialize addData close"),
    ("omero.api.RawFileStorePrx", "write save"),
)
IN_CALL = 0.03  # Seconds after a call's begin; its answer takes longer (`copies.SlowProxy`).


READS = (("omero.api.IQueryPrx", "projection findAllByQuery"),)


class Alarm:
    """Counts calls that write, and lets the signal come within one of them, or SIGSTOP before it."""

    def __init__(self, number: int, name: str = "SIGSTOP", grace: str = "") -> None:
        self.left, self.signal, self.grace = number, signal.Signals[name], grace

    def wrap(self, owner: type, name: str) -> None:
        original = getattr(owner, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and self.signal is signal.SIGSTOP:
                os.kill(os.getpid(), self.signal)
            elif self.left == 0:
                threading.Thread(target=self._ring, daemon=True).start()
            return original(*args, **kwargs)

        setattr(owner, name, called)

    def _ring(self) -> None:
        print("signal", flush=True)
        time.sleep(IN_CALL)
        os.kill(os.getpid(), self.signal)
        if self.grace:
            time.sleep(float(self.grace))
            os.kill(os.getpid(), signal.SIGKILL)


def set_alarm(alarm: Alarm, calls: Sequence[tuple[str, str]]) -> None:
    import omero
    import omero.clients
    import omero_api_RawFileStore_ice  # noqa: F401
    import omero_SharedResources_ice  # noqa: F401

    for path, names in calls:
        owner: Any = omero
        for step in path.split(".")[1:]:
            owner = getattr(owner, step)
        for name in names.split():
            alarm.wrap(owner, name)


def run(script: Path, words: Sequence[str], folder: Path, environment: Mapping[str, str], ready: Any, go: Any) -> None:
    """Run a script in a folder as a process of its own would, once `go` is set; what it says goes to files there."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [str(script.parent)]
    if text := environment.get("SIGNAL_IN_WRITE"):
        number, *rest = text.split()
        set_alarm(Alarm(int(number), *rest), WRITES)
    if text := environment.get("PAUSE_BEFORE"):
        number, which = text.split()
        set_alarm(Alarm(int(number)), WRITES if which == "write" else (*WRITES, *READS))
    ready.set()
    go.wait()
    sys.argv = [str(script), *words]
    runpy.run_path(str(script), run_name="__main__")
