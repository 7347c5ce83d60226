"""Measure: `make bench`, or `python -m benchmarks.run --only PATTERN`.

Each `benchmarks/bench_*.py` has a function `records()` that measures and yields `Record`s; its docstring says what is
measured, and against which public alternative. The figures go to `benchmarks/results.json`.
"""

import argparse
import fnmatch
import importlib
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Record:
    """One measured figure."""

    name: str
    value: float
    unit: str
    goal: str
    """What it should be, in words: "at most 4 s", "at least 0.75". Empty if it is only told."""
    compared_with: str
    """The public alternative and its figure, measured in the same run. Empty if there is none."""


def modules(pattern: str) -> list[str]:
    """Return the names of the benchmarks that match, in order."""
    names = [file.stem for file in sorted(FOLDER.glob("bench_*.py"))]
    return [name for name in names if fnmatch.fnmatch(name, f"*{pattern}*")]


def measure(name: str) -> list[Record]:
    """Run one benchmark, a line of output a figure."""
    found = []
    records: Iterable[Record] = importlib.import_module(f"benchmarks.{name}").records()
    for record in records:
        print(as_line(record), flush=True)
        found.append(record)
    return found


def as_line(record: Record) -> str:
    """Return a figure as a row of the printed table."""
    value = f"{record.value:.4g} {record.unit}"
    return f"{record.name:50}  {value:>18}  {record.goal:18}  {record.compared_with}".rstrip()


def merge(old: list[dict[str, object]], new: list[Record]) -> list[dict[str, object]]:
    """Return the old figures with those that were measured again in their place, sorted by name."""
    by_name = {str(record["name"]): record for record in old} | {record.name: asdict(record) for record in new}
    return [by_name[name] for name in sorted(by_name)]


def main(argv: list[str] | None = None) -> int:
    """Measure all or those that match; 1 if there is nothing to measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="PATTERN", help="part of a name, with * and ?")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json", help="file to write")
    args = parser.parse_args(argv)
    chosen = modules(args.only)
    if not chosen:
        print(f"ERROR: no benchmarks/bench_*.py matches {args.only!r}", file=sys.stderr)
        return 1
    new = [record for name in chosen for record in measure(name)]
    # A part that was measured again replaces its own figures only; a whole run starts from nothing.
    old = json.loads(args.results.read_text()) if args.only and args.results.exists() else []
    args.results.write_text(json.dumps(merge(old, new), indent=1) + "\n")
    print(f"written: {args.results}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
