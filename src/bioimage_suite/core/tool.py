"""The frame of a tool's script: its command line, JSON inputs, outputs and errors.

A script declares its arguments and one function that does the work:

    @tool(__doc__, argument("--image", type=Path, required=True), argument("--output", type=Path, required=True))
    def main(args: Namespace, outputs: Outputs) -> None:
        write(outputs.file(args.output), work(open_image(args.image)))

    if __name__ == "__main__":
        run_tool(main)
"""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core import damage
from bioimage_suite.core.errors import StartAgainError, UserError, machine_fault
from bioimage_suite.core.outputs import Outputs

LIST = "--list"
STARTS = 3
"""How often a run begins that has to begin anew."""
# The linear algebra of numpy starts a thread for each core of the machine while it is loaded, a third of that time; a
# job has the cores that Galaxy gave it, and over a list a process for each. So this stands before the first import of
# numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1" if LIST in sys.argv else os.environ.get("GALAXY_SLOTS", "1"))

Work = Callable[[Namespace, Outputs], int | None]
Main = Callable[..., int | None]


@dataclass(frozen=True)
class Argument:
    """One argument of a tool, as `ArgumentParser.add_argument` takes it."""

    flags: tuple[str, ...]
    options: dict[str, Any]


def argument(*flags: str, **options: Any) -> Argument:
    """Declare an argument of a tool; flags and options are those of `ArgumentParser.add_argument`."""
    return Argument(flags, options)


@dataclass(frozen=True)
class OneOf:
    """Arguments of which a command line gives exactly one."""

    choices: tuple[Argument, ...]


def one_of(*choices: Argument) -> OneOf:
    """Declare arguments of which exactly one must be given, such as a table or a label map."""
    return OneOf(choices)


def json_file(path: str) -> Any:
    """Read a JSON file: the `type` of an argument whose value is the content of a file.

    Raises:
        UserError: There is no such file, or it is not JSON in UTF-8, or a text in it has half a character (a lone
            surrogate), which no output can hold.
    """
    with damage.reading(f"File {path}: cannot be read as JSON", "Write it again."):
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        json.dumps(found, ensure_ascii=False).encode("utf-8")
        return found


def text_file(path: str) -> str:
    """Read a text of one line that a wrapper writes, such as a name: the `type` of an argument.

    Raises:
        UserError: There is no such file, or it is not UTF-8.
    """
    with damage.reading(f"File {path}: cannot be read as text", "Write it again in UTF-8."):
        return Path(path).read_text(encoding="utf-8").strip()


def file_list(path: str) -> list[tuple[Path, str]]:
    """Read a list of files that a wrapper writes: the `type` of an argument for several datasets with their names.

    Args:
        path: JSON `[{"path": ..., "name": ...}, ...]`.

    Returns:
        Path and display name of each file.
    """
    return [(Path(entry["path"]), str(entry["name"])) for entry in json_file(path)]


CONFIG = argument("--config", type=json_file, required=True, metavar="FILE", help="JSON file: values of the form")
"""The values of Galaxy's form, `<inputs name="config" />`: `args.config` is a dict."""


def tool(description: str | None, *arguments: Argument | OneOf) -> Callable[[Work], Main]:
    """Make the `main` of a script from the function that does its work.

    `main(argv)` parses the command line and calls the function with arguments and outputs of the run. The outputs
    appear when the function ends without an exception, whatever exit code it returns.

    Every tool also takes `--arguments FILE`: a JSON list of further arguments. Galaxy writes names and other free text
    into that file, where no quote, dollar sign or backtick has a meaning. With `--list FILE` the function is called for
    each element of the lists that the file names (`core/many.py`), with the arguments of the element after the others.

    Args:
        description: What `--help` says of the tool: the docstring of the script.
        arguments: The tool's arguments.
    """

    def framed(work: Work) -> Main:
        @functools.wraps(work)
        def main(argv: Sequence[str] | None = None) -> int | None:
            words = list(sys.argv[1:] if argv is None else argv)
            if LIST not in words[:-1]:
                return one(words)
            from bioimage_suite.core.many import run_list

            place = words.index(LIST)
            return run_list(Path(words[place + 1]), words[:place] + words[place + 2 :], one, checked)

        def checked(words: list[str]) -> Namespace:
            return parse(description, arguments, words)

        def one(words: list[str]) -> int | None:
            for _ in range(STARTS - 1):
                try:
                    return begun(words)
                except StartAgainError as error:
                    print(f"the run begins anew: {error}", flush=True)
            return begun(words)

        def begun(words: list[str]) -> int | None:
            args = checked(words)
            with Outputs() as outputs:
                return work(args, outputs)

        return main

    return framed


def parse(description: str | None, arguments: Sequence[Argument | OneOf], words: list[str]) -> Namespace:
    """Parse a command line, with the arguments of the file that `--arguments` names after the others.

    Args:
        description: What `--help` says of the tool.
        arguments: The tool's arguments.
        words: The command line.
    """
    parser = ArgumentParser(description=description)
    for one in arguments:
        if isinstance(one, OneOf):
            group = parser.add_mutually_exclusive_group(required=True)
            for choice in one.choices:
                group.add_argument(*choice.flags, **choice.options)
        else:
            parser.add_argument(*one.flags, **one.options)
    parser.add_argument("--arguments", type=Path, metavar="FILE", help="JSON file: a list of further arguments")
    parser.add_argument(LIST, type=Path, metavar="FILE", help="JSON file: elements of lists, each worked on as one")
    if "--arguments" in words[:-1]:
        words = words + json_file(words[words.index("--arguments") + 1])
    return parser.parse_args(words)


def allow_many_files() -> None:
    """Let this process have as many files open as it may: usually 1024, though more are allowed to who asks.

    A list of some thousand images is open at once where each is looked at before one is written.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's `main` and leave the process with its exit code.

    Args:
        main: Does the work; returns an exit code or None for success.

    Raises:
        SystemExit: Always. 0 for success, 1 with one line `ERROR: ...` on standard error for a `UserError`.
            The same for what the machine failed at, such as a full disk. Any other exception keeps its traceback:
            it is a defect of the tool.
    """
    allow_many_files()
    try:
        code = main()
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        code = 1
    except OSError as error:
        fault = machine_fault(error)
        if not fault:
            raise
        print(f"ERROR: {fault}", file=sys.stderr)
        code = 1
    # At its end the interpreter looks for garbage among all objects several times: with omero-py that takes 0.2 s.
    gc.freeze()
    sys.exit(code or 0)
