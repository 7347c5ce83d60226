"""The OMERO objects that a tool works on: chosen by id, name or object table, and expanded to images."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.file_source import Origin, read_origins
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.object_table import read_object_ids
from bioimage_suite.tables.plate_layout import well_label

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
"""OMERO class by kind of object. Runs (acquisitions of a plate) and ROIs can be annotated, not expanded to images."""
PAGE = 4000  # Maximum number of rows, and of ids, per query.


@dataclass(frozen=True)
class Target:
    """Objects of one kind, by id or by name, not yet looked up.

    Kind "all" has neither: `scope` is "mine" (the user's images in the group), "group" or "server" (all groups that the
    user may read, with a session from `in_all_groups`). Images with `origins` must still stand where Galaxy got them.
    """

    kind: str
    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    scope: str = ""
    origins: tuple[Origin, ...] = ()

    @property
    def in_words(self) -> str:
        """Return the name of the target for messages."""
        if self.kind == "all":
            return {"mine": "your own data", "group": "the group", "server": "the server"}[self.scope]
        return f"{self.kind} {', '.join(map(str, self.names or self.ids[:10]))}"


@dataclass(frozen=True)
class ImageRecord:
    """An image with its containers and sizes; None if it is in no container of a kind.

    `well` is the usual label (row letters, column number from 1). Sizes count pixels, z-planes, channels, time points.
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


# Names of containers are queried separately, once each: most of the time of a large answer goes into its cells.
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
"""Index of the container ids in a row of that query."""
_ALIASES = {"image": "i", "dataset": "d", "project": "pr", "well": "w", "plate": "pl", "screen": "sc"}


def read_target(config: Mapping[str, Any]) -> Target:
    """Read a tool's choice of objects.

    `source` is "typed" (`kind`, `by`, `objects`), "choices" (`kind`, `objects` with ids), "table", "source" (images of
    the upload dialog, with `addresses`) or "all" (`scope`).

    `table` is Galaxy's description of a dataset, with the path as `source_path`.

    Raises:
        UserError: Nothing was given, an id is not a number, the table is not an object table, or an image did not come
            from OMERO.
    """
    if config["source"] == "table":
        kind, ids = read_object_ids(config["table"]["source_path"])
        return Target(kind, ids=ids)
    if config["source"] == "source":
        return came_from(read_origins(config["addresses"]))
    if config["source"] == "choices":
        return Target(config["kind"], ids=_chosen_ids(config["kind"], chosen_words(config.get("objects"))))
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


def came_from(origins: Sequence[Origin]) -> Target:
    """Return the images that Galaxy's OMERO file source brought, each once."""
    return Target("image", ids=tuple(dict.fromkeys(one.image_id for one in origins)), origins=tuple(origins))


def chosen_words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return what was chosen in a form from a list that `omero_find` wrote, as it is in OMERO."""
    chosen = [value] if isinstance(value, str) else list(value or [])
    return tuple(plain_text(one) for one in chosen if one)


def _chosen_ids(kind: str, words: Sequence[str]) -> tuple[int, ...]:
    if not words:
        raise UserError(f"{kind}: none is chosen. Choose at least one from the list.")
    bad = next((word for word in words if not word.isdecimal()), None)
    if bad is not None:
        raise UserError(f"{kind} {bad!r}: the list of choices has no id there. Give a list that omero_find wrote.")
    return tuple(dict.fromkeys(map(int, words)))


def split_terms(text: str) -> tuple[str, ...]:
    r"""Split typed names or ids, one per line or separated by commas; quotes keep a comma within a name.

    >>> split_terms('nuclei, mitosis\n"day 1, plate 2"')
    ('nuclei', 'mitosis', 'day 1, plate 2')
    """
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return tuple(dict.fromkeys(term.strip() for row in rows for term in row if term.strip()))


def find_ids(session: Session, target: Target) -> tuple[int, ...]:
    """Find the ids of a target's objects, in the given order.

    Raises:
        UserError: The group has no object with an id or name, the user may not read it, two objects have the name, or
            an image does not stand any more where Galaxy got it.
    """
    if target.kind == "all":
        return ()
    if target.names:
        return _ids_of_names(session, target)
    model = CLASSES[target.kind]  # HQL has no parameters for classes; this one comes from our own list.
    found: set[int] = set()
    for ids in batches(target.ids, PAGE):
        found.update(row[0] for row in session.rows(f"select o.id from {model} o where o.id in (:ids)", ids=ids))  # noqa: S608
    missing = [number for number in target.ids if number not in found]
    if missing:
        raise UserError(_why_missing(session, target.kind, missing))
    _require_origins(session, target.origins)
    return target.ids


def _require_origins(session: Session, origins: Sequence[Origin]) -> None:
    """Raise a UserError if an image does not stand where Galaxy got it: another server may have these ids, too."""
    hql = "select l.parent.id, l.child.id from DatasetImageLink l where l.child.id in (:ids)"
    there = {tuple(row) for row in paged_rows(session, hql, [one.image_id for one in origins])}
    for one in origins:
        if (one.dataset_id, one.image_id) not in there:
            raise UserError(
                f"{one.name!r}: image {one.image_id} does not stand in dataset {one.dataset_id}, from where Galaxy got "
                "it. It came from another server or was moved; choose it by name within its dataset."
            )


def find_images(session: Session, target: Target) -> list[ImageRecord]:
    """Find the images of a target, each once, ordered by project, dataset, plate, well and id.

    An image in several datasets is listed in the dataset of the target with the lowest id.

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
    """Find images like `find_images`, for ids that were checked: one query per page of 4,000 images.

    Up to five more queries fetch the names of the images' containers.

    Args:
        session: An open session.
        target: Containers, images or all.
        ids: The result of `find_ids` for the target.
        conditions: More HQL conditions on `i` (Image), `p` (Pixels) and `pt` (PixelsType), joined by "and".
        parameters: Their named parameters.
    """
    rows: dict[int, list[Any]] = {}
    if target.kind == "all":
        own: dict[str, Any] = {"me": session.user_id} if target.scope == "mine" else {}
        chosen = [(["i.details.owner.id = :me"] if own else [], own)]
    else:
        chosen = [([f"{_ALIASES[target.kind]}.id in (:ids)"], {"ids": some}) for some in batches(ids, PAGE)]
    for where, values in chosen:
        hql = _IMAGE_QUERY.format(conditions=" and ".join([*where, *conditions, "i.id > :last"]))
        for row in _pages(session, hql, {**values, **(parameters or {})}):
            rows.setdefault(row[0], row)
    names = [_container_names(session, kind, {row[place] for row in rows.values()}) for place, kind in _CONTAINERS]
    return sorted((_image_record(row, names) for row in rows.values()), key=position)


def find_nonempty_images(session: Session, target: Target) -> list[ImageRecord]:
    """Find images like `find_images`, but raise a UserError if there are none."""
    images = find_images(session, target)
    if not images:
        raise no_image(target)
    return images


def no_image(target: Target) -> UserError:
    """Return the error for a target without any image."""
    return UserError(f"{target.in_words}: holds no image. Put images into it or choose another.")


def ids_by_name(session: Session, kind: str, names: Sequence[str]) -> dict[str, list[int]]:
    """Return the ids of all objects of a kind that have one of these names, the lowest first; wells have no name."""
    if kind == "well":
        raise UserError("well: wells have no name. Give their ids.")
    found: dict[str, list[int]] = {}
    for some in batches(names, PAGE):
        hql = f"select o.id, o.name from {CLASSES[kind]} o where o.name in (:names) order by o.id"  # noqa: S608
        for number, name in session.rows(hql, names=some):
            found.setdefault(name, []).append(number)
    return found


def _ids_of_names(session: Session, target: Target) -> tuple[int, ...]:
    owners = ids_by_name(session, target.kind, target.names)
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


def _pages(session: Session, hql: str, parameters: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Yield the rows of a query page by page; the query takes the last id of the previous page as `last`.

    A page may end between two rows of one image; further rows of that image are not needed.
    """
    last = -1
    while True:
        rows = session.rows(hql, limit=PAGE, last=last, **parameters)
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _container_names(session: Session, kind: str, ids: set[int | None]) -> dict[int | None, str]:
    """Return the names of containers by id; a well is named by row and column."""
    found: dict[int | None, str] = {}
    field = "o.row, o.column" if kind == "well" else "o.name"
    hql = f"select o.id, {field} from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
    for some in batches(sorted(number for number in ids if number is not None), PAGE):
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
    """Return the sort key of an image in a table: project, dataset, screen, plate, well and id."""
    well = image.well or ""
    letters = well.rstrip("0123456789")
    row = (len(letters), *(ord(letter) for letter in letters.ljust(2)))
    containers = (image.project_id, image.dataset_id, image.screen_id, image.plate_id)
    return (*(number or 0 for number in containers), *row, int(well[len(letters) :] or 0), image.image_id)


def named_objects(session: Session, target: Target, of: str) -> tuple[str, dict[int, str]]:
    """Return kind and names by id of a target's objects, or of their images if `of` is "images"; wells have no name."""
    if of == "images":
        return "image", {image.image_id: image.image_name for image in find_nonempty_images(session, target)}
    ids = find_ids(session, target)
    if target.kind == "well":
        return target.kind, dict.fromkeys(ids, "")
    names: dict[int, str] = {}
    for page in batches(ids):
        hql = f"select o.id, o.name from {CLASSES[target.kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
        names |= dict(session.rows(hql, ids=page))
    return target.kind, {number: names[number] for number in ids}
