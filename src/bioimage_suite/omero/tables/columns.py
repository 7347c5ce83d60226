"""Columns and rows of an OMERO.table with measurements: ids of objects beside their names, then features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.omero.objects import ImageRecord, Target, find_images
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.tables.column_names import storable_columns
from bioimage_suite.omero.tables.feature_table import NAMED, OBJECTS, Feature, Survey, convert

Value = int | float | bool | str
Ids = dict[tuple[str, str, str], dict[str, int]]


@dataclass(frozen=True)
class RowMaker:
    """A converter of measurement rows to rows of an OMERO.table with `columns`.

    Ids are in columns `Image`, `Roi`, `Well`, `Plate` and `Dataset`, names beside them in `Image Name` and so on: these
    are the names of omero-metadata, which OMERO.web, OMERO.parade and OMERO.iviewer recognise.
    """

    columns: tuple[Feature, ...]
    features: tuple[Feature, ...]
    images: Mapping[str, ImageRecord]
    ids: Ids
    rois: Mapping[tuple[int, int], int] | None

    @property
    def renamed(self) -> dict[str, str]:
        """Return the names in OMERO of the columns that OMERO.tables cannot hold under their own."""
        return {column.description: column.name for column in self.columns if column.description}

    def values(self, name: str, texts: Sequence[str]) -> list[Value]:
        """Return the values of a row of image `name`; `texts` has one text per feature."""
        found: list[Value] = []
        if self.images:
            image = self.images[name]
            found += [image.image_id, image.image_name]
        if self.rois is not None:
            label = "" if self._label is None else texts[self._label]
            known = self.images and label.isdecimal()
            found.append(self.rois.get((self.images[name].image_id, int(label)), -1) if known else -1)
        ids: Mapping[str, int] = {}
        if self.ids:
            plate, well, dataset = ("" if place is None else texts[place] for place in self._named)
            ids = self.ids[plate, well, dataset]
        for feature, text in zip(self.features, texts, strict=True):
            if self.ids and feature.name in NAMED:
                found.append(ids.get(feature.name, -1))
            found.append(convert(feature.kind, text))
        return found

    @cached_property
    def _label(self) -> int | None:
        return self._place("label")

    @cached_property
    def _named(self) -> tuple[int | None, ...]:
        return tuple(self._place(name) for name in ("plate", "well", "dataset"))

    def _place(self, name: str) -> int | None:
        return next((number for number, feature in enumerate(self.features) if feature.name == name), None)


def make_rows(
    survey: Survey, images: Mapping[str, ImageRecord], ids: Ids, rois: Mapping[tuple[int, int], int] | None
) -> RowMaker:
    """Choose the columns of the OMERO.table.

    Args:
        survey: The survey of the tables.
        images: The image of each name; empty if rows belong to no image.
        ids: From `find_places`; if empty, names of wells, plates and datasets are plain text columns.
        rois: ROI ids by (image id, label), if rows are to be linked to ROIs.

    Raises:
        UserError: Two columns would have the same name, or there are too many columns.
    """
    columns: list[Feature] = []
    if images:
        longest = max(len(image.image_name.encode()) for image in images.values()) or 1
        columns += [Feature("Image", "image", 0), Feature("Image Name", "string", longest)]
    if rois is not None:
        columns.append(Feature("Roi", "roi", 0))
    for feature in survey.features:
        if feature.kind in OBJECTS:
            columns.append(Feature(feature.kind.capitalize(), feature.kind, 0))
        elif feature.name in NAMED and ids:
            title = feature.name.capitalize()
            columns += [Feature(title, feature.name, 0), Feature(f"{title} Name", "string", feature.size)]
        else:
            columns.append(feature)
    twice = repeated(column.name for column in columns)
    if twice:
        raise UserError(
            f"tables: column {twice[0]!r} would stand twice in OMERO. Leave out or rename one of its columns."
        )
    return RowMaker(storable_columns(columns), survey.features, images, ids, rois)


def find_places(session: Session, survey: Survey, target: Target) -> Ids:
    """Find the wells, plates and datasets that rows name, within the container that gets the table.

    Returns:
        Ids by kind for each (plate, well, dataset) of the rows; empty if rows name none.

    Raises:
        UserError: The container holds no object with a name, or several.
    """
    named = [feature.name for feature in survey.features if feature.name in NAMED]
    if not named:
        return {}
    images = find_images(session, target)
    found: Ids = {}
    for place in survey.places:
        plate, well, dataset = place
        own = [image for image in images if plate in ("", image.plate_name) and dataset in ("", image.dataset_name)]
        own = [image for image in own if not well or (image.well or "").casefold() == well.casefold()]
        for kind, name in zip(("plate", "well", "dataset"), place, strict=True):
            numbers = {getattr(image, f"{kind}_id") for image in own} if name else set()
            if name and len(numbers) != 1:
                shown = ", ".join(map(str, sorted(numbers, key=str))) or "none"
                raise UserError(
                    f"{kind} {name!r}: {target.in_words} must hold one of this name; found ids: {shown}. "
                    "Mend the name, or give the plate's name beside it."
                )
            if name:
                found.setdefault(place, {})[kind] = numbers.pop()
        found.setdefault(place, {})
    return found
