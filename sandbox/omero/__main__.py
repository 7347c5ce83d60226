"""Run an OMERO sandbox until it is stopped: `python -m sandbox.omero --data DIR --port N`."""

from __future__ import annotations

import argparse
import ctypes
import gc
import logging
import logging.handlers
import os
import resource
import signal
import sys
import threading
from pathlib import Path

# Private memory (files mapped into it do not count); the server needs some hundred MB with a large image open.
MEMORY_BYTES = 4 << 30
M_ARENA_MAX = -8  # of malloc.h
COLLECTOR_THRESHOLDS = (100_000, 10, 10)  # Python's own are 700, 10, 10


def main() -> int:
    """Run the server; return 0 after SIGTERM or SIGINT, 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.omero", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for database, pixels, files and logs")
    parser.add_argument("--port", type=int, default=4064, help="port for ssl; 0 takes a free one")
    parser.add_argument("--tcp-port", type=int, default=0, help="port for unencrypted connections; 0 takes a free one")
    parser.add_argument("--parent", type=int, default=0, help="end when this process (the parent) ends")
    arguments = parser.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    _log_to(arguments.data / "log")
    _limit_memory()
    # Before omero is imported: the imports below record its definitions.
    from sandbox.omero.model.introspect import model_classes

    model_classes()
    import Ice

    from sandbox.omero.hql.parse import parse
    from sandbox.omero.server.state import DataFolderBusyError, Server
    from sandbox.omero.wire.listening import HOST, Listener

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = Server(arguments.data.resolve(), os.environ.get("OMERO_SANDBOX_ROOT_PASSWORD", "omero"))
        listener = Listener(server)
        listener.start(arguments.port, arguments.tcp_port)
    except DataFolderBusyError as error:
        print(f"ERROR: {error}. Stop it, or choose another --data.", file=sys.stderr)
        return 1
    except Ice.SocketException as error:
        print(f"ERROR: port {arguments.port}: {error}. Choose another --port, or 0.", file=sys.stderr)
        return 1
    parse("from Image")  # Making the parser takes 0.2 s; the first query need not wait for it.
    # omero's classes and modules, 170,000 objects, stay for good: the collector need not look at them again.
    gc.collect()
    gc.freeze()
    # A large answer is 100,000 objects, none of them garbage before it is sent: the collector must not search them.
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    print(f"ready ssl {HOST}:{listener.port} tcp {HOST}:{listener.tcp_port}", flush=True)
    while not stop.wait(0.5):
        if arguments.parent and os.getppid() != arguments.parent:
            break
    listener.stop()
    return 0


def _limit_memory() -> None:
    """Keep any message from taking the machine's memory, and return freed memory to the system.

    Ice 3.6 compares the announced length of a list with the length of the message, but the product overflows: for a
    short message that announces 2^31 objects IcePy would allocate 16 GB. With a limit that fails at once.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    # glibc keeps freed memory in up to 8 arenas a core; the threads here wait for one another anyway.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 2)


def _log_to(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(folder / "server.log", maxBytes=10_000_000, backupCount=3)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    log = logging.getLogger("sandbox.omero")
    log.addHandler(handler)
    log.setLevel(os.environ.get("OMERO_SANDBOX_LOG", "INFO"))


if __name__ == "__main__":
    sys.exit(main())
