"""Which objects of OMERO a tool works on: chosen by id, by name or by an object table, and expanded to images."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from object_table import read_object_ids
from omero_session import Session
from tool_errors import UserError

CLASSES = {
    "project": "Project",
    "dataset": "Dataset",
    "screen": "Screen",
    "plate": "Plate",
    "well": "Well",
    "image": "Image",
    "run": "PlateAcquisition",
    "roi": "Roi",
}
"""Class of each kind of object. Runs (acquisitions of a plate) and ROIs are only annotated, not expanded to images."""
PAGE = 4000  # Rows a query returns at most; ids it takes at most.


@dataclass(frozen=True)
class Target:
    """Objects of one kind, by id or by name, not yet looked up.

    Kind "all" has neither: `scope` is "mine" (own images of the group), "group" or "server" (all groups
    one may read, through a session that `in_all_groups` gave).
    """

    kind: str
    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    scope: str = ""

    @property
    def in_words(self) -> str:
        """What messages call it."""
        if self.kind == "all":
            return {"mine": "your own data", "group": "the group", "server": "the server"}[self.scope]
        return f"{self.kind} {', '.join(map(str, self.names or self.ids[:10]))}"


@dataclass(frozen=True)
class ImageRecord:
    """An image, where it stands and how large it is; None where it stands in no such container.

    `well` is the usual label (row letters, column number from 1). Sizes count pixels, planes, channels and time points.
    """

    image_id: int
    image_name: str
    project_id: int | None
    project_name: str | None
    dataset_id: int | None
    dataset_name: str | None
    screen_id: int | None
    screen_name: str | None
    plate_id: int | None
    plate_name: str | None
    well_id: int | None
    well: str | None
    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    pixel_type: str


# Names of containers come apart, once each: most of the time of a large answer goes into its cells.
_IMAGE_QUERY = """
select i.id, i.name, pr.id, d.id, sc.id, pl.id, w.id, p.sizeX, p.sizeY, p.sizeZ, p.sizeC, p.sizeT, pt.value
from Image i
join i.pixels p
join p.pixelsType pt
left outer join i.datasetLinks dil
left outer join dil.parent d
left outer join d.projectLinks pdl
left outer join pdl.parent pr
left outer join i.wellSamples ws
left outer join ws.well w
left outer join w.plate pl
left outer join pl.screenLinks spl
left outer join spl.parent sc
where {conditions}
order by i.id, d.id, pr.id, pl.id, sc.id
"""
_CONTAINERS = ((2, "project"), (3, "dataset"), (4, "screen"), (5, "plate"), (6, "well"))
"""Where a row of that query has the ids of containers."""
_ALIASES = {"image": "i", "dataset": "d", "project": "pr", "well": "w", "plate": "pl", "screen": "sc"}


def read_target(config: Mapping[str, Any]) -> Target:
    """Read a tool's choice of objects: `source` is "typed" (`kind`, `by`, `objects`), "table" or "all" (`scope`).

    `table` is Galaxy's description of a dataset, with the path as `source_path`.

    Raises:
        UserError: Nothing was given, or an id is not a number, or the table is not an object table.
    """
    if config["source"] == "table":
        kind, ids = read_object_ids(config["table"]["source_path"])
        return Target(kind, ids=ids)
    if config["source"] == "all":
        return Target("all", scope=config["scope"])
    kind = config["kind"]
    terms = split_terms(config["objects"])
    if not terms:
        raise UserError(f"{kind}: no {config['by']} given. Write at least one.")
    if config["by"] == "name":
        return Target(kind, names=terms)
    for term in terms:
        if not term.isdecimal():
            raise UserError(f"{kind} {term!r}: not an id. Write a whole number, or choose to give names.")
    return Target(kind, ids=tuple(dict.fromkeys(int(term) for term in terms)))


def split_terms(text: str) -> tuple[str, ...]:
    r"""Split what a person typed: one a line or separated by commas; quotes keep a comma within a name.

    >>> split_terms('nuclei, mitosis\n"day 1, plate 2"')
    ('nuclei', 'mitosis', 'day 1, plate 2')
    """
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return tuple(dict.fromkeys(term.strip() for row in rows for term in row if term.strip()))


def find_ids(session: Session, target: Target) -> tuple[int, ...]:
    """Look the objects of a target up, in the order they were given.

    Raises:
        UserError: An id or name that the group does not have or the user may not read; a name that two objects have.
    """
    if target.kind == "all":
        return ()
    if target.names:
        return _ids_of_names(session, target)
    model = CLASSES[target.kind]  # HQL takes no parameter for a class; this one is from our own list.
    found: set[int] = set()
    for ids in _chunks(target.ids):
        found.update(row[0] for row in session.rows(f"select o.id from {model} o where o.id in (:ids)", ids=ids))  # noqa: S608
    missing = [number for number in target.ids if number not in found]
    if missing:
        raise UserError(_why_missing(session, target.kind, missing))
    return target.ids


def find_images(session: Session, target: Target) -> list[ImageRecord]:
    """List the images of a target, each once, ordered by project, dataset, plate, well and id.

    An image that stands in several datasets is listed in the one with the lowest id that belongs to the target.

    Raises:
        UserError: As `find_ids`.
    """
    return list_images(session, target, find_ids(session, target))


def list_images(
    session: Session,
    target: Target,
    ids: Sequence[int],
    conditions: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> list[ImageRecord]:
    """As `find_images`, for ids that were looked up: one query a page of 4,000 images, whatever the target is.

    Up to five more queries name the containers that the images stand in.

    Args:
        session: An open session.
        target: Containers, images or all.
        ids: What `find_ids` found for the target.
        conditions: More HQL conditions on `i` (Image), `p` (Pixels) and `pt` (PixelsType), joined by "and".
        parameters: Their named parameters.
    """
    rows: dict[int, list[Any]] = {}
    if target.kind == "all":
        own = {"me": session.user_id} if target.scope == "mine" else {}
        chosen = [(["i.details.owner.id = :me"] if own else [], own)]
    else:
        chosen = [([f"{_ALIASES[target.kind]}.id in (:ids)"], {"ids": some}) for some in _chunks(ids)]
    for where, values in chosen:
        hql = _IMAGE_QUERY.format(conditions=" and ".join([*where, *conditions, "i.id > :last"]))
        for row in _pages(session, hql, {**values, **(parameters or {})}):
            rows.setdefault(row[0], row)
    names = [_container_names(session, kind, {row[place] for row in rows.values()}) for place, kind in _CONTAINERS]
    return sorted((_image_record(row, names) for row in rows.values()), key=position)


def find_nonempty_images(session: Session, target: Target) -> list[ImageRecord]:
    """As `find_images`, but a target without any image is a `UserError`: there is nothing to work on."""
    images = find_images(session, target)
    if not images:
        raise no_image(target)
    return images


def no_image(target: Target) -> UserError:
    """The error of a target without any image."""
    return UserError(f"{target.in_words}: holds no image. Put images into it or choose another.")


def well_label(row: int, column: int) -> str:
    """The usual name of a well, from its row and column that count from 0.

    >>> well_label(0, 0), well_label(25, 11), well_label(26, 0)
    ('A1', 'Z12', 'AA1')
    """
    letters, row = "", row + 1
    while row:
        row, rest = divmod(row - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{column + 1}"


def _ids_of_names(session: Session, target: Target) -> tuple[int, ...]:
    if target.kind == "well":
        raise UserError("well: wells have no name. Give their ids.")
    owners: dict[str, list[int]] = {}
    for names in _chunks(target.names):
        hql = f"select o.id, o.name from {CLASSES[target.kind]} o where o.name in (:names) order by o.id"  # noqa: S608
        for number, name in session.rows(hql, names=names):
            owners.setdefault(name, []).append(number)
    for name in target.names:
        ids = owners.get(name, [])
        if not ids:
            raise UserError(
                f"{target.kind} {name!r}: there is none of this name that you can read in group "
                f"{session.group_name!r}. Check the spelling and the group."
            )
        if len(ids) > 1:
            raise UserError(
                f"{target.kind} {name!r}: {len(ids)} have this name (ids {', '.join(map(str, ids[:10]))}). Give the id."
            )
    return tuple(owners[name][0] for name in target.names)


def _why_missing(session: Session, kind: str, missing: Sequence[int]) -> str:
    hql = f"select o.id, g.name from {CLASSES[kind]} o join o.details.group g where o.id in (:ids)"  # noqa: S608
    elsewhere = dict(session.rows(hql, ids=missing[:PAGE], context={"omero.group": "-1"}))
    shown = ", ".join(map(str, missing[:10]))
    for number, group in elsewhere.items():
        return f"{kind} {number}: it belongs to group {group!r}, not to {session.group_name!r}. Choose that group."
    return f"{kind} {shown}: no such id, or you may not read it. Check the id, the group and your permissions."


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), PAGE):
        yield list(values[start : start + PAGE])


def _pages(session: Session, hql: str, parameters: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Yield the rows of a query that goes on after the id `last`.

    A page may end between two rows of one image; what follows of that image is not needed.
    """
    last = -1
    while True:
        rows = session.rows(hql, limit=PAGE, last=last, **parameters)
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _container_names(session: Session, kind: str, ids: set[int | None]) -> dict[int | None, str]:
    """What containers are called; a well by its row and column."""
    found: dict[int | None, str] = {}
    field = "o.row, o.column" if kind == "well" else "o.name"
    hql = f"select o.id, {field} from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
    for some in _chunks(sorted(number for number in ids if number is not None)):
        for number, *name in session.rows(hql, ids=some):
            found[number] = well_label(*name) if kind == "well" else name[0]
    return found


def _image_record(row: Sequence[Any], names: Sequence[Mapping[int | None, str]]) -> ImageRecord:
    containers = [
        value
        for (place, _), known in zip(_CONTAINERS, names, strict=True)
        for value in (row[place], known.get(row[place]))
    ]
    return ImageRecord(*row[:2], *containers, *row[7:])


def position(image: ImageRecord) -> tuple[int, ...]:
    """Where an image stands in a table: by project, dataset, screen, plate, well and id."""
    well = image.well or ""
    letters = well.rstrip("0123456789")
    row = (len(letters), *(ord(letter) for letter in letters.ljust(2)))
    containers = (image.project_id, image.dataset_id, image.screen_id, image.plate_id)
    return (*(number or 0 for number in containers), *row, int(well[len(letters) :] or 0), image.image_id)
