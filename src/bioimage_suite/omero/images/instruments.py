"""Instruments that images were taken with (microscope, objectives, detectors), and lengths with units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bioimage_suite.omero.session import Session

_MAKER = ("manufacturer", "model", "serialNumber", "lotNumber")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Microscope": (*_MAKER, "type"),
    "Detector": (*_MAKER, "type", "gain", "amplificationGain", "zoom"),
    "Objective": (*_MAKER, "nominalMagnification", "calibratedMagnification", "lensNA", "immersion", "correction"),
}
_ENUMERATIONS = {"Microscope": ("type",), "Detector": ("type",), "Objective": ("immersion", "correction")}


@dataclass(frozen=True)
class Length:
    """A length in OMERO: value and unit symbol; `micrometre` is None for units such as pixels."""

    value: float
    symbol: str
    micrometre: float | None


@dataclass(frozen=True)
class Part:
    """A part of an instrument: `kind` is its OME-XML element, `attributes` the attributes (text, numbers, lengths)."""

    kind: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Instrument:
    """The instrument of an image; `objective` is the index in `parts` of the objective in use."""

    instrument_id: int
    parts: tuple[Part, ...]
    objective: int | None


def load_instruments(session: Session, image_ids: Sequence[int]) -> dict[int, Instrument]:
    """Load the instruments of images, by image id, with at most seven queries; images without one are left out."""
    images = session.rows(
        "select i.id, ins.id, o.id from Image i join i.instrument ins left outer join i.objectiveSettings s "
        "left outer join s.objective o where i.id in (:ids)",
        ids=list(image_ids),
    )
    if not images:
        return {}
    ids = sorted({row[1] for row in images})
    parts: dict[int, list[tuple[int, Part]]] = {number: [] for number in ids}
    for kind in _FIELDS:
        for one, owner in _loaded(session, kind, ids):
            parts[owner].append((one.id.val, Part(kind, dict(_attributes(one, kind)))))
    found = {}
    for image_id, instrument_id, objective_id in images:
        known = parts[instrument_id]
        place = [n for n, (part_id, part) in enumerate(known) if part.kind == "Objective" and part_id == objective_id]
        found[image_id] = Instrument(instrument_id, tuple(part for _, part in known), place[0] if place else None)
    return found


def read_length(length: Any) -> Length | None:
    """Read an `omero.model.Length`; convert to micrometres with OMERO's own table of units."""
    if length is None:
        return None
    from omero.model import LengthI

    try:
        micrometre = LengthI(length, "MICROMETER").getValue()
    except Exception:  # omero-py raises a bare Exception for units without a conversion.
        micrometre = None
    return replace(read_quantity(length), micrometre=micrometre)


def read_quantity(quantity: Any) -> Length:
    """Read a length, time or other quantity with its unit as it is."""
    return Length(quantity.getValue(), quantity.getSymbol(), None)


def _loaded(session: Session, kind: str, ids: Sequence[int]) -> list[tuple[Any, int]]:
    """Load the parts of one kind with the id of their instrument, ordered by instrument and id."""
    # Several instruments may share a microscope; parts of other kinds refer to their instrument.
    owners = session.rows(
        "select ins.id, m.id from Instrument ins join ins.microscope m where ins.id in (:ids)"
        if kind == "Microscope"
        else f"select x.instrument.id, x.id from {kind} x where x.instrument.id in (:ids)",  # noqa: S608 (our list)
        ids=list(ids),
    )
    if not owners:
        return []
    fetch = "".join(f" left outer join fetch x.{name}" for name in _ENUMERATIONS[kind])
    hql = f"select x from {kind} x{fetch} where x.id in (:ids)"  # noqa: S608 (a class of our list)
    objects = {one.id.val: one for one in session.objects(hql, ids=sorted({row[1] for row in owners}))}
    return [(objects[part_id], owner) for owner, part_id in sorted(owners)]


def _attributes(one: Any, kind: str) -> Iterator[tuple[str, Any]]:
    from omero.rtypes import unwrap

    for field in _FIELDS[kind]:
        value = getattr(one, field)
        value = unwrap(value.value if field in _ENUMERATIONS[kind] and value is not None else value)
        if value not in (None, ""):
            yield field[0].upper() + field[1:], value
    distance = read_length(one.workingDistance) if kind == "Objective" else None
    if distance is not None:
        yield "WorkingDistance", distance
