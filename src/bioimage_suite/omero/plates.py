"""Plates made from images in OMERO, following a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.containers import ScreenPlace, find_screen, make_container
from bioimage_suite.omero.objects import (
    ImageRecord,
    Target,
    find_ids,
    find_images,
    find_nonempty_images,
    ids_by_name,
    read_target,
)
from bioimage_suite.omero.undo import MadeObjects, writing
from bioimage_suite.tables.plate_layout import Position, well_label
from bioimage_suite.tables.report import Report, Row, at_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bioimage_suite.omero.session import Session

Layout = dict[str, list[tuple[Position, ImageRecord]]]


def find_layout_images(
    session: Session, by: str, positions: Sequence[Position], within: Mapping[str, Any], *, emptied: bool = False
) -> Layout:
    """Find the image of each position.

    Args:
        session: An open session.
        by: "image_id" or "image" (names).
        positions: The positions of the table.
        within: The target that holds the images; all ids and names must belong to it.
        emptied: The target may be gone, as an earlier run deleted it; then the plates of that run hold the images.

    Returns:
        Positions with their images, by plate.

    Raises:
        UserError: The target does not hold an image, or several of its images have the name.
    """
    target = read_target(within)
    try:
        images = find_nonempty_images(session, target)
    except UserError:
        plates = _own_plates(session, {one.plate for one in positions}) if emptied and _is_gone(session, target) else []
        if not plates:
            raise
        images = find_nonempty_images(session, Target("plate", ids=tuple(plates)))
    known: dict[str, list[ImageRecord]] = {}
    for image in images:
        known.setdefault(str(image.image_id) if by == "image_id" else image.image_name, []).append(image)
    layout: Layout = {}
    for one in positions:
        found = known.get(one.image, [])
        if len(found) != 1:
            ids = ", ".join(str(image.image_id) for image in found[:10]) or "none"
            raise UserError(
                f"layout, line {one.line}: the images chosen must hold one image {one.image!r}; found ids: {ids}. "
                "Mend the row, or give an image_id."
            )
        layout.setdefault(one.plate, []).append((one, found[0]))
    return layout


def _own_plates(session: Session, names: Iterable[str]) -> list[int]:
    """Return this user's plates of some names, the lowest id first."""
    hql = "select p.id from Plate p where p.name in (:names) and p.details.owner.id = :me order by p.id"
    return [row[0] for row in session.rows(hql, names=sorted(names), me=session.user_id)]


def _is_gone(session: Session, target: Target) -> bool:
    """Tell whether none of a target's datasets is there: as after a run that deleted them."""
    if target.kind != "dataset":
        return False
    return not (ids_by_name(session, "dataset", target.names) or session.among({"Dataset": target.ids}))


def find_emptied(session: Session, layout: Layout, target: Target) -> list[int]:
    """Find the datasets whose images all stand in a layout, to delete them once their images stand on plates.

    Args:
        session: An open session.
        layout: From `find_layout_images`.
        target: The datasets; those that an earlier run has deleted are left out.

    Raises:
        UserError: The target is no dataset, or an image of it has no place in the layout.
    """
    if target.kind != "dataset":
        raise UserError(f"{target.in_words}: only datasets can be deleted afterwards. Choose a dataset, or keep it.")
    placed = {image.image_id for positions in layout.values() for _, image in positions}
    try:
        there = list(find_ids(session, target))
    except UserError:
        if not _is_gone(session, target):
            raise
        return []
    # Also those that are without pixels, while they are imported.
    hql = "select l.child.id, l.child.name from DatasetImageLink l where l.parent.id in (:ids) order by l.id"
    left = [(number, name) for number, name in session.rows(hql, ids=there) if number not in placed]
    if left:
        raise UserError(
            f"{target.in_words}: {len(left)} of its images have no place in the layout, such as {left[0][0]} "
            f"{left[0][1]!r}, so it cannot be deleted. Add them to the layout, or keep the dataset."
        )
    return there


def make_plates(
    session: Session,
    layout: Layout,
    report: Report,
    *,
    screen: Mapping[str, Any],
    emptied: Sequence[int] = (),
    dry_run: bool,
) -> None:
    """Make the plates that do not exist yet, all in one transaction: either all of them or none.

    A plate of this user with the same name and the same images in the same wells and fields is kept.

    Args:
        session: An open session.
        layout: From `find_layout_images`.
        report: Receives one row per image.
        screen: `by` "none", "id" or "choices" with `screen_id`, or "name" with `screen` and `create`.
        emptied: Datasets to delete in the end, from `find_emptied`; their images stay.
        dry_run: Check everything and change nothing.

    Raises:
        UserError: The screen is unknown or ambiguous, a plate with the name has other content, an image is already in
            a well, or a dataset to delete has got an image meanwhile.
    """
    rows = {name: [_add_row(report, name, *place) for place in positions] for name, positions in layout.items()}
    with writing(session, [] if dry_run else ["plates"]) as made:
        found = _find_screen(session, screen)
        screen_id, screen_name = found.screen_id, found.screen_name
        there: dict[str, int | None] = {}
        for name, positions in layout.items():
            with at_work(rows[name]):
                there[name] = _same_plate(session, name, screen_id, positions)
        fresh = {name: positions for name, positions in layout.items() if there[name] is None}
        _refuse_placed(session, fresh)
        with at_work(row for name in fresh for row in rows[name]):
            if fresh and not dry_run:
                if screen_name and screen_id is None:
                    screen_id = make_container(session, "screen", screen_name, made)
                there |= _save(fresh, screen_id, made)
                for row in (row for name in fresh for row in rows[name]):
                    row.done("made")  # What comes now may still fail.
        wells = _well_ids(session, [number for number in there.values() if number is not None])
        if not dry_run:
            made.finish(_going(session, layout, emptied), keep=["Image"])
    done = "would make" if dry_run else "made"
    for name, positions in layout.items():
        plate = {"plate_id": there[name], "screen_id": screen_id, "screen_name": screen_name or None}
        for (one, _), row in zip(positions, rows[name], strict=True):
            well_id = wells.get((there[name], one.row, one.column))
            row.done(done if name in fresh else "unchanged", **plate, well_id=well_id)


def _going(session: Session, layout: Layout, emptied: Sequence[int]) -> dict[str, list[int]]:
    """Return the datasets to delete and the files that this user attached to them, as ids by class.

    Looks again what is in them, as late as can be: others may have put images into them since the tool began. Datasets
    that are gone already are fine: another job was quicker.

    Raises:
        UserError: An image of a dataset has no place in the layout.
    """
    there = session.among({"Dataset": emptied}).get("Dataset", [])
    if not there or not find_emptied(session, layout, Target("dataset", ids=tuple(there))):
        return {}
    hql = "select l.id, a.id, a.file.id from DatasetAnnotationLink l, FileAnnotation a where l.child.id = a.id "
    hql += "and l.parent.id in (:ids) and a.details.owner.id = :me"
    rows = session.rows(hql, ids=there, me=session.user_id)
    attached = ("DatasetAnnotationLink", "FileAnnotation", "OriginalFile")
    return {"Dataset": there, **{kind: sorted({row[place] for row in rows}) for place, kind in enumerate(attached)}}


def _add_row(report: Report, plate: str, one: Position, image: ImageRecord) -> Row:
    where = {"well": well_label(one.row, one.column), "field": one.field, "plate_name": plate}
    return report.add(image_id=image.image_id, image_name=image.image_name, **where)


def _find_screen(session: Session, screen: Mapping[str, Any]) -> ScreenPlace:
    """Return the screen for the plates; name "" if they get none."""
    if screen["by"] == "none":
        return ScreenPlace(None, "")
    return find_screen(
        session, {**screen, "by": {"id": "screen_id", "choices": "screen_choices", "name": "screen"}[screen["by"]]}
    )


def _same_plate(
    session: Session, name: str, screen_id: int | None, positions: Sequence[tuple[Position, ImageRecord]]
) -> int | None:
    """Return the id of the user's plate that already has this layout; None if the screen has no plate of this name."""
    plates = _own_plates(session, [name])
    if plates and screen_id is not None:
        hql = "select l.child.id from ScreenPlateLink l where l.parent.id = :screen and l.child.id in (:ids)"
        within = {row[0] for row in session.rows(hql, screen=screen_id, ids=plates)}
        plates = [number for number in plates if number in within]
    wanted: dict[tuple[int, int], list[int]] = {}
    for one, image in positions:
        wanted.setdefault((one.row, one.column), []).append(image.image_id)
    for plate_id in plates:
        found: dict[tuple[int, int], list[int]] = {}
        for row, column, image_id in session.rows(
            "select w.row, w.column, s.image.id from WellSample s join s.well w where w.plate.id = :id order by s.id",
            id=plate_id,
        ):
            found.setdefault((row, column), []).append(image_id)
        if found == wanted:
            return int(plate_id)
    if plates:
        raise UserError(
            f"plate {name!r}: you have one of this name with other content (id {plates[0]}). Choose another name, or "
            "delete that plate first."
        )
    return None


def _refuse_placed(session: Session, layout: Layout) -> None:
    """Raise a UserError if an image is in a plate: deleting one of two plates of an image would break the other."""
    ids = [image.image_id for positions in layout.values() for _, image in positions]
    if not ids:
        return
    placed = [image for image in find_images(session, Target("image", ids=tuple(ids))) if image.plate_id is not None]
    if placed:
        image = placed[0]
        raise UserError(
            f"image {image.image_id} {image.image_name!r}: it stands in well {image.well} of plate "
            f"{image.plate_name!r} (id {image.plate_id}) already. Leave it out."
        )


def _save(layout: Layout, screen_id: int | None, made: MadeObjects) -> dict[str, int]:
    """Save the plates, in their screen if there is one, in one call, which is one transaction; return their ids."""
    from omero.model import ScreenI

    plates = {name: _plate(name, positions) for name, positions in layout.items()}
    if screen_id is not None:
        for plate in plates.values():
            plate.linkScreen(ScreenI(screen_id, False))
    return dict(zip(plates, made.save("Plate", list(plates.values())), strict=True))


def _plate(name: str, positions: Sequence[tuple[Position, ImageRecord]]) -> Any:
    from omero.model import ImageI, PlateI, WellI, WellSampleI
    from omero.rtypes import rint, rstring

    plate = PlateI()
    plate.name = rstring(name)
    plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
    wells: dict[tuple[int, int], Any] = {}
    for one, image in positions:
        well = wells.get((one.row, one.column))
        if well is None:
            well = wells[one.row, one.column] = WellI()
            well.row, well.column = rint(one.row), rint(one.column)
            plate.addWell(well)
        sample = WellSampleI()
        sample.image = ImageI(image.image_id, False)
        well.addWellSample(sample)
    return plate


def _well_ids(session: Session, plate_ids: Sequence[int]) -> dict[tuple[int | None, int, int], int]:
    if not plate_ids:
        return {}
    hql = "select w.plate.id, w.row, w.column, w.id from Well w where w.plate.id in (:ids)"
    return {(row[0], row[1], row[2]): row[3] for row in session.rows(hql, ids=plate_ids)}
