"""Start an OMERO sandbox as a process of its own that cannot outlive its starter."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True)
class RunningServer:
    """Where a started server listens."""

    host: str
    port: int
    tcp_port: int
    root_password: str
    pid: int
    data: Path = Path()
    ws_port: int = 0
    wss_port: int = 0


@contextlib.contextmanager
def running_server(data_dir: str | Path, *, port: int = 0, root_password: str = "omero") -> Iterator[RunningServer]:  # noqa: S107 (documented)
    """Run a server on `data_dir` for the duration of the block.

    The server ends with the block, and also when this process dies: it watches its parent.

    Args:
        data_dir: Folder for everything the server keeps; made when missing.
        port: The ssl port; 0 takes a free one.
        root_password: Password of root when the folder is new.

    Raises:
        RuntimeError: The server did not start; the message has its output.
    """
    command = [sys.executable, "-m", "sandbox.omero", "--data", str(Path(data_dir).resolve())]
    command += ["--port", str(port), "--parent", str(os.getpid())]
    environment = os.environ | {"OMERO_SANDBOX_ROOT_PASSWORD": root_password}
    # Not a pipe, which nobody reads: full of warnings it stops the server in the middle of a call.
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,  # a Ctrl-C for the parent must not kill the server before the clients are done
        )
        try:
            yield _wait_until_ready(process, said, root_password, Path(data_dir).resolve())
        finally:
            process.terminate()
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _wait_until_ready(process: subprocess.Popen[str], said: IO[str], root_password: str, data: Path) -> RunningServer:
    import select

    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.5)
        line = process.stdout.readline() if readable else ""
        if line.startswith("ready"):
            _, _, ssl, _, tcp = line.split()
            host, _, port = ssl.rpartition(":")
            endpoint = json.loads((data / "endpoint.json").read_text())
            return RunningServer(
                *(host, int(port), int(tcp.rpartition(":")[2]), root_password, process.pid, data),
                *(endpoint["ws_port"], endpoint["wss_port"]),
            )
        if process.poll() is not None:
            said.seek(0)
            raise RuntimeError(f"the OMERO sandbox did not start: {said.read().strip()}")
    raise RuntimeError(f"the OMERO sandbox was not ready within {START_SECONDS} s")
