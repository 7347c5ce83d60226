"""The lists of one job: which files belong to which element, and how Galaxy is told what became of each.

Elements are paired by identifier, never by position: of two lists, one may lack an element that failed before.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError

FOLDER = Path("elements")
"""Where the outputs of the elements stand, seen from the folder of the job; Galaxy takes them from there."""

Place = tuple[str, ...]
"""Identifiers of an element, those of the lists that hold it first: ("plate 1", "A1")."""


@dataclass(frozen=True)
class Input:
    """One list of a job.

    Attributes:
        flag: The argument that takes the file of an element, such as `--image`.
        called: What its files are in messages, such as `label map`.
        paths: Its files in order.
    """

    flag: str
    called: str
    paths: dict[Place, str]


@dataclass(frozen=True)
class Output:
    """A collection that a job makes.

    Attributes:
        flag: The argument that takes the path to write to, such as `--output`.
        collection: Its name in the tool's form.
        ext: Galaxy's name of the format of its elements.
        folder: Name of the folder that an element writes, where its format is a folder; "" for a file.
    """

    flag: str
    collection: str
    ext: str
    folder: str = ""

    def file(self, number: int) -> Path:
        """Return the file of an element in the folder of all; where it is a folder, the file that stands for it."""
        return Path(self.collection, str(number))

    def extra_files(self, number: int) -> Path:
        """Return the folder of an element that holds the folder which it writes."""
        return Path(self.collection, f"{number}_files")

    def written(self, number: int) -> Path:
        """Return what the tool writes for an element."""
        return self.extra_files(number) / self.folder if self.folder else self.file(number)


@dataclass(frozen=True)
class Listing:
    """What a wrapper says of a job over lists.

    Attributes:
        inputs: The lists; the first one says which elements there are, and their order.
        names: Arguments that take the identifier of an element, such as `--image-name`.
        outputs: The collections to make.
        report: The table to write: a row an element.
        all_must_work: Whether one failed element makes the job fail; else only the failure of all.
    """

    inputs: list[Input]
    names: list[str]
    outputs: list[Output]
    report: Path
    all_must_work: bool = True


@dataclass(frozen=True)
class Element:
    """One element: its place in the lists, its own arguments, and what is wrong with it before any work."""

    place: Place
    words: list[str]
    fault: str = ""

    @property
    def title(self) -> str:
        """Return its identifiers as one text."""
        return "/".join(self.place)


def read_listing(path: Path) -> Listing:
    """Read what a wrapper says of a job over lists.

    Args:
        path: JSON: `inputs` (a list of `flag`, `called`, `elements`: pairs of identifiers and path), `names`, `outputs`
            (a list of `flag`, `collection`, `ext`, perhaps `folder`), `report`, `fail` (`any` or `all`).

    Raises:
        UserError: The file cannot be read, a list is empty, or two of its elements have the same identifiers.
    """
    with damage.reading(f"List {path.name}: cannot be read", "Run the tool again."):
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = [(one["flag"], one["called"], [(tuple(at), file) for at, file in one["elements"]])
                 for one in said["inputs"]]  # fmt: skip
        outputs = [Output(**one) for one in said["outputs"]]
        report, fail = Path(said["report"]), said["fail"]
    for _, called, elements in given:
        _check(called, [place for place, _ in elements])
    inputs = [Input(flag, called, dict(elements)) for flag, called, elements in given]
    return Listing(inputs, said["names"], outputs, report, fail != "all")


def _check(called: str, places: list[Place]) -> None:
    if not places:
        raise UserError(f"List of {called}s: it is empty. Choose a list with at least one {called}.")
    place, count = Counter(places).most_common(1)[0]
    if count > 1:
        raise UserError(
            f"List of {called}s: {count} elements are called {'/'.join(place)}. Give each a name of its own."
        )


def elements_of(listing: Listing, folder: Path) -> list[Element]:
    """Return the elements of the lists, paired by identifier, in the order of the first list.

    An element that one of the lists lacks has a fault that names the list; those that the first one lacks are last.

    Args:
        listing: The job.
        folder: Where elements write their outputs.
    """
    places = list(dict.fromkeys(place for one in listing.inputs for place in one.paths))
    return [_element(listing, place, number, folder) for number, place in enumerate(places)]


def _element(listing: Listing, place: Place, number: int, folder: Path) -> Element:
    missing = [one.called for one in listing.inputs if place not in one.paths]
    if missing:
        fault = f"there is no {' and no '.join(missing)} of this name. Give lists whose elements have the same names."
        return Element(place, [], fault)
    words: list[str] = []
    for flag in dict.fromkeys(one.flag for one in listing.inputs):
        words += [flag, *(one.paths[place] for one in listing.inputs if one.flag == flag)]
    words += [f"{flag}={place[-1]}" for flag in listing.names]
    for output in listing.outputs:
        words += [output.flag, str(folder / output.written(number))]
    return Element(place, words)


def collected(listing: Listing, elements: list[Element], folder: Path) -> dict[str, Any]:
    """Return what Galaxy reads of the collections (`galaxy.json`): elements in order, nested as the lists are.

    Args:
        listing: The job.
        elements: All elements; one whose file is not there is in no collection.
        folder: Where the outputs stand now; at the end of the job they are in `FOLDER`.
    """
    tree: dict[str, Any] = {}
    for output in listing.outputs:
        root: dict[str, Any] = {"elements": []}
        levels: dict[Place, dict[str, Any]] = {(): root}
        for number, element in enumerate(elements):
            if (folder / output.file(number)).exists():
                entries = _level(levels, element.place[:-1])["elements"]
                entries.append(_entry(output, number, element.place[-1]))
        tree[output.collection] = root
    return tree


def _level(levels: dict[Place, dict[str, Any]], place: Place) -> dict[str, Any]:
    """Return the inner list at a place; make it, and those that hold it, where they are not there yet."""
    if place not in levels:
        levels[place] = {"name": place[-1], "elements": []}
        _level(levels, place[:-1])["elements"].append(levels[place])
    return levels[place]


def _entry(output: Output, number: int, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "filename": str(FOLDER / output.file(number)), "ext": output.ext}
    if output.folder:
        entry["extra_files"] = str(FOLDER / output.extra_files(number))
    return entry


def parts_of(names: list[str], size: int) -> list[str]:
    """Return the part that each element of a list belongs to, `size` elements a part, counted from 1.

    All numbers have the same length, so that they sort as texts.

    >>> parts_of(["b", "a", "c"], 2)
    ['1', '1', '2']

    Raises:
        UserError: The list is empty, or a part would be.
    """
    if size < 1:
        raise UserError(f"Images a job {size}: it must be at least 1. Give the number of images for each job.")
    if not names:
        raise UserError("List: it is empty. Choose a list with at least one element.")
    digits = len(str((len(names) - 1) // size + 1))
    return [str(number // size + 1).zfill(digits) for number in range(len(names))]
