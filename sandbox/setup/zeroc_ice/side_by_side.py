"""Stand for a compiler whose calls return at once: a build that compiles one file after the other uses all cores.

Called as `side_by_side.py FOLDER COMPILER ARGUMENT...`. A compilation (`-c`) takes one of the slots in the folder and
goes on after this process has ended; the lock of its slot ends with it. Any other call, such as the linker's, waits
until all slots are free. A file that did not compile has left its message, and the linker misses its object.

Two hundred files include the same headers, which take as long to read as the rest of a file: they are compiled once, by
the flags of the first file, and every file of C++ begins with them.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

SLOTS = min(os.cpu_count() or 1, 8)
WAIT_SECONDS = 0.05
HEADERS = "headers.h"
"""What every file of C++ begins with, in the folder."""


def slot(folder: Path) -> int:
    """Return the open, locked file of the first slot that gets free."""
    files = [os.open(folder / f"slot{number}", os.O_RDWR | os.O_CREAT) for number in range(SLOTS)]
    while True:
        for file in files:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            return file
        time.sleep(WAIT_SECONDS)


def with_headers(folder: Path, command: list[str]) -> list[str]:
    """Return a compilation that begins with the headers of Ice, compiled before.

    Args:
        folder: Holds HEADERS, and what is compiled of it.
        command: A compilation of one file.
    """
    source = command[command.index("-c") + 1]
    header = folder / HEADERS
    if not source.endswith(".cpp") or not header.exists():
        return command
    compiled = header.with_suffix(".h.gch")
    with (folder / "headers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not compiled.exists():
            flags = _without(_without(command, "-c"), "-o")
            # Where this fails, the compiler reads the header itself.
            subprocess.run([*flags, "-x", "c++-header", str(header), "-o", str(compiled)], check=False)
    # First of all: a compiled header counts only where nothing stands before it.
    return [command[0], "-include", str(header), *command[1:]]


def _without(command: list[str], option: str) -> list[str]:
    at = command.index(option)
    return [*command[:at], *command[at + 2 :]]


def main() -> int:
    """Compile in the background, or wait and call the compiler for anything else."""
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    if "-c" in command:
        command = with_headers(folder, command)
        subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[slot(folder)])
        return 0
    for number in range(SLOTS):
        with (folder / f"slot{number}").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
