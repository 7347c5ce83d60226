"""Run the benchmarks: `make bench`, or `python -m benchmarks.run --only PATTERN`.

Each `benchmarks/bench_*.py` has a function `records()` that measures and returns one dictionary for each figure, with
the keys of FIELDS. The docstring of the module says what is measured and with what it is compared. The figures are
written to `benchmarks/results.json`; see benchmarks/README.md.
"""

import argparse
import fnmatch
import importlib
import json
import sys
from pathlib import Path

from benchmarks.measuring import Record

FOLDER = Path(__file__).parent
# The keys that `measuring.figure` returns.
FIELDS = {"name", "value", "unit", "goal", "compared_with"}


def modules(pattern: str) -> list[str]:
    """Return the names of the benchmarks that match the pattern, sorted."""
    names = [file.stem for file in sorted(FOLDER.glob("bench_*.py"))]
    return [name for name in names if fnmatch.fnmatch(name, f"*{pattern}*")]


def measure(name: str) -> list[Record]:
    """Run one benchmark; print and return its figures.

    Raises:
        ValueError: A figure has a missing or an unknown key.
    """
    found: list[Record] = list(importlib.import_module(f"benchmarks.{name}").records())
    for record in found:
        if set(record) != FIELDS:
            raise ValueError(f"benchmarks/{name}.py: a record has {sorted(record)}, not {sorted(FIELDS)}")
        print(as_line(record), flush=True)
    return found


def as_line(record: Record) -> str:
    """Return a figure as a row of the printed table."""
    value = f"{record['value']:.4g} {record['unit']}"
    goal = record["goal"] + ("" if is_kept(record) else " MISSED")
    return f"{record['name']:60}  {value:>18}  {goal:16}  {record['compared_with']}".rstrip()


def is_kept(record: Record) -> bool:
    """Return whether a figure meets its goal, `<= number` or `>= number`; a figure without a goal does.

    Raises:
        ValueError: The goal has another form.
    """
    if not record["goal"]:
        return True
    relation, _, bound = record["goal"].partition(" ")
    if relation not in {"<=", ">="}:
        raise ValueError(f"{record['name']}: goal {record['goal']!r} is neither '<= number' nor '>= number'")
    value, limit = record["value"], float(bound)
    return bool(value <= limit if relation == "<=" else value >= limit)


def merge(old: list[Record], new: list[Record]) -> list[Record]:
    """Return the old figures, with the new ones in place of those of the same name, sorted by name."""
    by_name = {record["name"]: record for record in [*old, *new]}
    return [by_name[name] for name in sorted(by_name)]


def main(argv: list[str] | None = None) -> int:
    """Run all benchmarks or those that match. Return 1 if none matches."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="PATTERN", help="part of a name, with * and ?")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json", help="file to write")
    args = parser.parse_args(argv)
    chosen = modules(args.only)
    if not chosen:
        print(f"ERROR: no benchmarks/bench_*.py matches {args.only!r}", file=sys.stderr)
        return 1
    new = [record for name in chosen for record in measure(name)]
    # A partial run replaces only its own figures; a whole run starts with an empty file.
    old = json.loads(args.results.read_text()) if args.only and args.results.exists() else []
    args.results.write_text(json.dumps(merge(old, new), indent=1) + "\n")
    print(f"written: {args.results}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
