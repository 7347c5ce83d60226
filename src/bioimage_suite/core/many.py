"""A list in one job: the work of a tool for each element, in as many processes as the job has cores.

A script needs nothing for it: it declares the work for one image, and the frame (`core/tool.py`) calls it for each
element with the arguments that the job for this element alone would have. So the results are the same to the byte.
Each process works on one element at a time: what is in memory is what is in flight. An element that fails, or whose
process is killed, is named in the report; the others go on.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.element_lists import FOLDER, Element, Listing, collected, elements_of, read_listing
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.in_order import threads_allowed
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.texts import one_line
from bioimage_suite.core.workers import Outcome, in_processes

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[list[str]], int | None]
    """The work on one element: takes its command line, returns an exit code or None."""

SHOWN = 20
"""How many failures a job tells on standard error; the report has all of them."""
COLUMNS = ("element", "status", "message")


def run_list(path: Path, common: list[str], work: Work, check: Callable[[list[str]], object]) -> int:
    """Work through the lists of a job and write its outputs, the report and what Galaxy reads of the collections.

    Args:
        path: What the wrapper says of the job, see `element_lists.read_listing`.
        common: Arguments that all elements share.
        work: The work for one element: takes its whole command line.
        check: Leaves with a message if a command line is wrong; called once, as all elements have the same options.

    Returns:
        1 where the job fails as chosen, else 0.

    Raises:
        UserError: A list cannot be worked on at all, or the disk is full; then there are no outputs.
    """
    listing = read_listing(path)
    with Outputs() as outputs:
        folder = outputs.folder(FOLDER)
        elements = elements_of(listing, folder)
        for element in [one for one in elements if not one.fault][:1]:
            check(common + element.words)
        outcomes = _outcomes(elements, common, work)
        failed = [number for number, outcome in enumerate(outcomes) if outcome.fault]
        ends_badly = bool(failed) and (listing.all_must_work or len(failed) == len(elements))
        _finish_files(listing, folder, failed, ends_badly)
        _tell(elements, outcomes, failed)
        outputs.file(listing.report).write_text(_table(elements, outcomes), encoding="utf-8")
        said = json.dumps(collected(listing, elements, folder), ensure_ascii=False)
        outputs.file(Path("galaxy.json")).write_text(said, encoding="utf-8")
    return int(ends_badly)


def _outcomes(elements: list[Element], common: list[str], work: Work) -> list[Outcome]:
    """Work on every element without a fault; those whose process was killed have a second try, one at a time.

    Raises:
        UserError: The disk is full.
    """
    outcomes = [Outcome(element.fault) for element in elements]
    tasks = {number: common + element.words for number, element in enumerate(elements) if not element.fault}
    processes = min(threads_allowed(), len(tasks))
    while tasks:
        for number, outcome in in_processes(work, tasks, processes):
            if outcome.disk_full:
                raise UserError(f"{elements[number].title}: {outcome.fault}")
            failed = f"ended with exit code {outcome.result}" if outcome.result else ""
            outcomes[number] = replace(outcome, fault=outcome.fault or failed)
        tasks = {number: words for number, words in tasks.items() if outcomes[number].killed and processes > 1}
        processes = 1
    return outcomes


def _finish_files(listing: Listing, folder: Path, failed: list[int], ends_badly: bool) -> None:
    """Leave failed elements out of the collections; where the job fails, let empty files stand for them.

    Galaxy shows all elements of a job that failed as failed, and nothing that comes after it starts.
    """
    for output in listing.outputs:
        (folder / output.collection).mkdir(exist_ok=True)
        for written in (folder / output.collection).iterdir():
            if output.folder and written.is_dir():
                written.with_name(written.name.removesuffix("_files")).touch()
        for number in failed:
            file = folder / output.file(number)
            file.unlink(missing_ok=True)
            if ends_badly:
                file.touch()


def _tell(elements: list[Element], outcomes: list[Outcome], failed: list[int]) -> None:
    for outcome in outcomes:
        sys.stdout.write(outcome.said)
    if not failed:
        return
    print(f"ERROR: {len(failed)} of {len(elements)} elements failed; the report names them.", file=sys.stderr)
    for number in failed[:SHOWN]:
        print(f"ERROR: {elements[number].title}: {outcomes[number].fault}", file=sys.stderr)
    if len(failed) > SHOWN:
        print(f"... and {len(failed) - SHOWN} more", file=sys.stderr)


def _table(elements: list[Element], outcomes: list[Outcome]) -> str:
    """Return the report: a row an element, what failed with its reason, what did not with what it printed."""
    rows = [COLUMNS]
    for element, outcome in zip(elements, outcomes, strict=True):
        rows.append((element.title, "failed" if outcome.fault else "ok", outcome.fault or outcome.said.strip()))
    return "".join("\t".join(one_line(cell) for cell in row) + "\n" for row in rows)
