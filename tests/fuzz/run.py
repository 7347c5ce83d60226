"""Run mutants of valid inputs through the tools: `python -m tests.fuzz.run --mutants 100 [tool ...]`.

A mutant passes if the tool ends with a clear error and leaves no output, or with outputs that can be read; within 60 s
and 1 GB of memory, without a word to the network. Each runs in a process of its own, forked from one that has loaded
what the tool needs, so that it takes milliseconds and may die alone. So does each tool, forked from a process that has
made the inputs.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image
from scripts.suite_files import tool_script
from tests.fuzz import mutants
from tests.fuzz.calls import FETCHING, Call, all_calls
from tests.fuzz.inputs import make_inputs, pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SECONDS = 60
WAITED = 6
MAX_BYTES = 1 << 30
ENDED = "-- ended"  # Follows what is said of a tool that standard input named.
SEED = 20261129
REPORTS = {"out.tsv", "containers.tsv"}  # of OMERO tools, which they also write when they fail


@dataclass(frozen=True)
class Outcome:
    """How a mutant ended.

    Attributes:
        kind: `valid`, `clear error`, or what is wrong: `traceback`, `unreadable output`, `wrong pixels`,
            `left output`, `asked the network`, `died`, `too long`, `too much memory`.
        said: The message, or the last lines of the traceback.
        loaded: Modules that a valid call has loaded.
    """

    kind: str
    said: str = ""
    loaded: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Say whether a user is served by it."""
        return self.kind in {"valid", "clear error"}


def tool_main(tool: str) -> Any:
    """Import a tool's script, which stands in a folder of its own, and return its `main`."""
    folder = str(tool_script(tool).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(tool).main


def command_line(call: Call, files: dict[str, Path], out: Path, rng: random.Random | None) -> list[str]:
    """Return the words of a call; with a generator, one of the values that a user types is changed."""
    words = call.words(files, out)
    typed = [number for number, word in enumerate(words) if isinstance(word, tuple)]
    changed = rng.choice(typed) if rng and typed else None
    line = []
    for number, word in enumerate(words):
        if isinstance(word, tuple):
            value = mutants.mutate_text(word[1], rng) if rng and number == changed else word[1]
            line.append(f"{word[0]}={value}")
        else:
            line.append(str(word))
    return line


def run_call(call: Call, line: list[str], out: Path, said: io.StringIO, *, cut: bool) -> Outcome:
    """Run a tool in this process."""
    main = tool_main(call.tool)
    if call.tool.startswith("omero_"):
        sys.modules[call.tool].session_of = _reached  # type: ignore[attr-defined]
    if call.tool == "omero_import_labels":  # It reads the pixels once it knows the images.
        sys.modules[call.tool].match_images = _matched  # type: ignore[attr-defined]
    before = set(out.rglob("*"))
    try:
        main(line)
    except ReachedServerError:
        return Outcome("valid")
    except AskedTheNetworkError:
        return Outcome("valid" if call.tool in FETCHING else "asked the network", traceback.format_exc())
    except UserError as error:
        left = {path for path in set(out.rglob("*")) - before if path.name not in REPORTS}
        return Outcome("left output", str(left)) if left else Outcome("clear error", str(error))
    except SystemExit as end:  # argparse has said what is wrong with the command line
        return Outcome("clear error" if end.code == 2 else "died", f"exit {end.code}")
    except BaseException:
        return Outcome("traceback", traceback.format_exc())
    try:
        made = [path for path in out.iterdir() if path not in before]
        for path in made:
            _check_readable(path)
        if cut and call.tool == "convert_image" and len(call.files) == 1 and call.files[0] in PIXELS_KNOWN:
            return _same_pixels(out / "out", said.getvalue())
    except Exception:
        return Outcome("unreadable output", traceback.format_exc())
    return Outcome("valid" if made else "unreadable output", "no output" if not made else "")


PIXELS_KNOWN = {"image.tiff", "tiled.tiff", "imagej.tiff", "big.tiff", "old.zarr", "new.zarr", "image.ozx"}


def _same_pixels(path: Path, said: str) -> Outcome:
    """Compare what was read of an image of which parts are missing: only chunks that were said to be missing are 0."""
    image = open_image(path)
    expected = pixels()
    for c in range(2):
        plane = image.read_plane(*((0, c, 0) if image.size_c == 2 else (c, 0, 0)))
        wrong = plane != expected[c]
        if wrong.any() and not ("are not in the file" in said and not plane[wrong].any()):
            return Outcome("wrong pixels", f"{int(wrong.sum())} in channel {c}")
    return Outcome("valid")


def _check_readable(path: Path) -> None:
    if path.is_dir() and not any((path / name).exists() for name in ("zarr.json", ".zgroup")):  # a list
        for one in path.iterdir():
            _check_readable(one)
        return
    if path.is_dir():
        open_image(path, reading=Reading(series=0)).read_plane()
        return
    start = path.read_bytes()[:4]
    if start in (b"II*\0", b"II+\0"):
        open_image(path).read_plane()
    elif start == b"PK\3\4":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    elif start == b"\x89HDF":
        import h5py

        h5py.File(path).close()
    elif start == b"PAR1":
        from pyarrow import parquet

        parquet.read_table(path)
    elif path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif start != b"\x89PNG":
        path.read_text(encoding="utf-8")


def in_child(work: Any, seconds: int = MAX_SECONDS) -> Outcome:
    """Do something that returns an outcome in a forked process, within limits."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        # Seconds of work, as other processes share the machine; what waits for ever ends too.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(WAITED * seconds)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (8 * MAX_BYTES, 8 * MAX_BYTES))
        try:
            outcome = work()
        except BaseException:
            outcome = Outcome("died", traceback.format_exc())
        with contextlib.suppress(BaseException), os.fdopen(writing, "wb") as stream:
            stream.write(json.dumps([outcome.kind, outcome.said[-4000:], outcome.loaded]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    _, status, used = os.wait4(child, 0)
    if os.WIFSIGNALED(status):
        killed = os.WTERMSIG(status)
        return Outcome("too long" if killed in {signal.SIGALRM, signal.SIGPROF} else "died", f"signal {killed}")
    if used.ru_maxrss * 1024 > MAX_BYTES:
        return Outcome("too much memory", f"{used.ru_maxrss / 1024:.0f} MB")
    return Outcome(*json.loads(said)) if said else Outcome("died", "it said nothing")


class AskedTheNetworkError(BaseException):
    """A tool wanted to speak to another computer."""


class ReachedServerError(BaseException):
    """A tool has read its files and wants to speak to OMERO."""


class _Server:
    """Stands for a session with OMERO: the first question ends the run."""

    def __getattr__(self, name: str) -> Any:
        raise ReachedServerError


@contextlib.contextmanager
def _reached(_: Any) -> Iterator[Any]:
    """Open a session in which a tool reads what is left of its files until it asks the server."""
    yield _Server()


LABELLED = {"labels.tiff": (64, 64, 1), "movie.tiff": (128, 128, 10)}
"""Width, height and time points of the images of label maps."""


def _matched(_: Any, names: list[str], __: Any) -> list[Any]:
    from bioimage_suite.omero.objects import ImageRecord

    record: Any = ImageRecord
    sizes = [LABELLED[name] for name in names]
    return [record(1, "a", *[None] * 10, x, y, 1, 1, t, "uint8") for x, y, t in sizes]


def _no_network(*args: Any) -> None:
    raise AskedTheNetworkError(str(args[1:]))


def _copied(call: Call, files: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Copy the inputs of a call into a folder; return the copies."""
    copies = {one: folder / one for one in call.files}
    for one, path in copies.items():
        mutants.copy(files[one], path)
    return copies


def run_mutant(call: Call, files: dict[str, Path], number: int, seed: int) -> tuple[str, Outcome]:
    """Make one mutant of a call's inputs and run it; return what was done, and how it ended."""
    rng = random.Random(f"{seed} {call.tool} {number}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        (folder / "out").mkdir()
        mine = _copied(call, files, folder)
        typed = rng.random() < 0.1 and any(isinstance(word, tuple) for word in call.words(mine, folder / "out"))
        done = "a typed value"
        if not typed:
            one = rng.choice(call.files)
            done = f"{one}: {mutants.mutate(mine[one], rng)}"
        line = command_line(call, mine, folder / "out", rng if typed else None)
        if typed:
            done = f"typed: {[word for word in line if word.startswith('--') and '=' in word]}"
        cut = done.partition(": ")[2].startswith("cut")
        return done, in_child(lambda: _quietly(call, line, folder / "out", cut=cut))


def _quietly(call: Call, line: list[str], out: Path, *, cut: bool) -> Outcome:
    socket.socket.connect = _no_network  # type: ignore[method-assign]
    socket.getaddrinfo = _no_network  # type: ignore[assignment]
    os.chdir(out)
    warnings.simplefilter("ignore")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        return run_call(call, line, out, said, cut=cut)


def make_children_cheap() -> None:
    """Do here what each child would do again, or what takes it most of its time and tells nothing of a mutant."""
    if machine_code := sys.modules.get("bioimage_suite.spatial.machine_code"):
        for kernel in Path(str(machine_code.__file__)).with_name(machine_code.KERNELS).glob("*.ll"):
            machine_code.machine_code(kernel.stem, vectors=kernel.stem != "nearest")
    if figures := sys.modules.get("matplotlib.figure"):
        # To arrange its axes a figure is drawn once more.
        figures.Figure.set_layout_engine = lambda *_, **__: None
        drawn = figures.Figure()
        drawn.subplots().set(title="$1$", xscale="log")
        drawn.savefig(io.BytesIO(), format="png")  # Finds and loads its fonts.
    # A child's collector would look at all that is loaded, and so copy it.
    gc.collect()
    gc.freeze()


def run_whole(call: Call, files: dict[str, Path]) -> Outcome:
    """Run a call on its inputs as they are; what came of it tells what it has loaded."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        (folder / "out").mkdir()
        whole = _copied(call, files, folder)
        line = command_line(call, whole, folder / "out", None)

        def work() -> Outcome:
            outcome = _quietly(call, line, folder / "out", cut=True)
            return replace(outcome, loaded=tuple(sys.modules))

        return in_child(work)


def run_tool(tool: str, count: int, seed: int, files: dict[str, Path], first: int = 0) -> list[tuple[str, Outcome]]:
    """Run mutants of a tool's calls in turn, after the calls themselves."""
    calls = [call for call in all_calls() if call.tool == tool]
    found = []
    for call in calls:
        valid = run_whole(call, files)
        if "omero" in valid.loaded:  # Its modules cannot be loaded in any order.
            importlib.import_module("omero.clients")
        for module in valid.loaded:  # once, and not in each child
            with contextlib.suppress(Exception):
                importlib.import_module(module)
        if valid.kind != "valid":
            failed = Outcome("valid input failed", f"{valid.kind} {valid.said}")
            found.append((f"unchanged {', '.join(call.files)}", failed))
    make_children_cheap()
    for number in range(first, first + count):
        done, outcome = run_mutant(calls[number % len(calls)], files, number, seed)
        found.append((f"{tool} {number}: {done}", outcome))
    return found


def _shown(outcome: Outcome) -> str:
    """Return a message, or the places of ours and the last line of a traceback."""
    lines = outcome.said.strip().splitlines() or [""]
    ours = [line.strip() for line in lines if "/src/bioimage_suite/" in line or "/tools/" in line.partition("site-")[0]]
    places = [line.rpartition("/bioimage_suite/")[2][:110] for line in ours if "site-packages" not in line]
    return " | ".join([*places[-3:], lines[-1][:300]])


def report_tool(tool: str, count: int, seed: int, files: dict[str, Path], *, first: int, verbose: bool) -> int:
    """Run mutants of a tool and say how they ended; return how many were not served."""
    begin = time.monotonic()
    tool_main(tool)
    found = run_tool(tool, count, seed, files, first)
    kinds = Counter(outcome.kind for _, outcome in found)
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    print(f"{tool}: {counted}; {time.monotonic() - begin:.0f} s", flush=True)
    for done, outcome in found:
        if not outcome.good or verbose:
            print(f"  {done}: {outcome.kind}: {_shown(outcome)}", flush=True)
    return sum(not outcome.good for _, outcome in found)


def in_process_of_its_own(work: Any) -> int:
    """Return the number that something returns, in a forked process; 1 if that died."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, str(work()).encode())
        except BaseException:
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return int(said or 1)


def main(argv: list[str] | None = None) -> int:
    """Run mutants and say how they ended; 0 if all served the user."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("tool", nargs="*", help="default: all; -: those that standard input names, one a line")
    parser.add_argument("--mutants", type=int, default=100, help="of each tool")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant, to run one again")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--verbose", action="store_true", help="show every mutant")
    args = parser.parse_args(argv)
    asked = args.tool == ["-"]
    tools = map(str.strip, sys.stdin) if asked else args.tool or sorted({call.tool for call in all_calls()})
    bad = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-inputs-") as folder:
        files = make_inputs(Path(folder))
        for tool in tools:
            bad += in_process_of_its_own(
                lambda tool=tool: report_tool(
                    tool, args.mutants, args.seed, files, first=args.first, verbose=args.verbose
                )
            )
            if asked:
                print(ENDED, flush=True)
    print(f"{bad} mutants were not served")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
