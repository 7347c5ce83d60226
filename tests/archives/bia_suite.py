"""Compare validate_crate with bia-ro-crate-validator: its own test crates, ours, and a mutant for each rule.

    PYTHON tests/archives/bia_suite.py make FOLDER --checkout DIR
    PEER tests/archives/bia_suite.py theirs FOLDER --contexts DIR
    PYTHON tests/archives/bia_suite.py ours FOLDER
    PYTHON tests/archives/bia_suite.py compare FOLDER

`PYTHON` is this project's, `PEER` that of an environment with bia-ro-crate-validator (Python 3.13); `--checkout` a
checkout of BioImage-Archive/bia-integrator, `--contexts` a folder with RO-Crate's contexts as `1.1.jsonld` and so on.
`compare` prints each difference and exits with 1 if there is one: see docs/crate-verdicts.md.
"""

import argparse
import json
import logging
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DESCRIPTOR = "ro-crate-metadata.json"


def make(folder: Path, args: argparse.Namespace) -> int:
    """Gather the crates: those of the archive's tests, what build_crate makes, and the mutants."""
    from bioimage_suite.fair.products.package import make_package, write_product
    from tests.unit.fair.made_bia import LIST, list_text, mutants, whole
    from tests.unit.fair.made_crates import study

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, file in enumerate(sorted(args.checkout.rglob(DESCRIPTOR))):
        shutil.copytree(file.parent, folder / f"archive-{number:02}-{file.parent.name}")
    package = folder / "ours.zip"
    write_product(package, make_package("bia", study("bia")))
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder / "made")
    package.unlink()
    for name, document, listed in (("whole", whole()[0], list_text()), *mutants()):
        target = folder / f"mutant-{name.replace(':', '_')}"
        shutil.copytree(folder / "made", target)
        (target / DESCRIPTOR).write_text(json.dumps(document), encoding="utf-8")
        (target / LIST).unlink()
        if listed is not None:
            (target / LIST).write_bytes(listed)
    print(f"{len(list(folder.iterdir())):,} crates")
    return 0


def _crates(folder: Path) -> Iterator[Path]:
    return (one for one in sorted(folder.iterdir()) if one.is_dir())


def theirs(folder: Path, args: argparse.Namespace) -> int:
    """Ask the archive's validator for its errors."""
    from bia_ro_crate.validator import bia_roc_validation
    from judge import answer_contexts

    logging.disable(logging.CRITICAL)
    answer_contexts(args.contexts)
    file = folder / "theirs.json"
    verdicts: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}
    for crate in _crates(folder):
        if crate.name in verdicts:
            continue
        try:
            verdicts[crate.name] = [str(one) for one in bia_roc_validation(crate, "report")["issues"]["ERROR"]]
        except Exception as error:  # an error of the program is no verdict
            verdicts[crate.name] = [f"CRASH {type(error).__name__}: {str(error)[:200]}"]
        # Hundreds of crates take long: a run that ends early goes on where it was.
        file.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return 0


def ours(folder: Path, _args: argparse.Namespace) -> int:
    """Ask validate_crate, without roc-validator."""
    from bioimage_suite.core.errors import UserError
    from bioimage_suite.fair.crates.reading import read_crate
    from bioimage_suite.fair.crates.validation import validate_crate

    verdicts = {}
    for crate in _crates(folder):
        file = folder / "crate.zip"
        with zipfile.ZipFile(file, "w") as archive:
            for one in sorted(crate.rglob("*")):
                if one.is_file():
                    archive.write(one, one.relative_to(crate).as_posix())
        try:
            found = validate_crate(read_crate(file, "crate"), "bia", with_roc=False)
            verdicts[crate.name] = [
                f"{one.column}: {one.found}, {one.expected}" for one in found if one.level == "error"
            ]
        except UserError as error:
            verdicts[crate.name] = [str(error)]
        file.unlink()
    (folder / "ours.json").write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return 0


def compare(folder: Path, _args: argparse.Namespace) -> int:
    """Print the count of equal verdicts and each difference."""
    left, right = (json.loads((folder / f"{name}.json").read_text()) for name in ("theirs", "ours"))
    counts: Counter[tuple[str, str, str]] = Counter()
    for name in left:
        verdict = "refused" if left[name] else "accepted"
        same = bool(left[name]) == bool(right[name])
        counts[name.partition("-")[0], "same" if same else "different", verdict] += 1
        if not same:
            print(f"{name}\tthe archive: {verdict}\n    theirs: {left[name][:2]}\n    ours: {right[name][:2]}")
    for (kind, agreed, verdict), count in sorted(counts.items()):
        print(f"{kind}: {count} {agreed}, {verdict} by the archive's program")
    return int(any(agreed == "different" for _, agreed, _ in counts))


COMMANDS: dict[str, Any] = {command.__name__: command for command in (make, theirs, ours, compare)}


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkout", type=Path, default=Path())
    parser.add_argument("--contexts", type=lambda text: Path(text).resolve(), default=Path())
    args = parser.parse_args()
    return int(COMMANDS[args.command](args.folder.resolve(), args))


if __name__ == "__main__":
    sys.exit(main())
