"""Where each field of the metadata stands in each product, and which fields a product has no place for."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from bioimage_suite.fair.metadata.fields import all_fields
from bioimage_suite.fair.metadata.table import MetadataValue
from bioimage_suite.tables.delimited import shipped_rows

_TABLE = Path(__file__).resolve().parent / "place_tables" / "field_places.tsv"
# The submission to the BioImage Archive is a crate and PageTab: a field that stands in one of them is kept.
DOCUMENTS = {
    "gide": ("gide",),
    "bia": ("bia", "pagetab"),
    "general": ("general",),
    "idr": ("idr",),
    "arc": ("arc",),
}
RECORDS = ("zenodo", "datacite", "croissant")
"""Records for catalogues beside the crate of a general package, which has every field; they have places for some."""
_OF_ANNOTATIONS = ("annotation.", "annotation_file.", "version.")


@cache
def field_places() -> Mapping[str, Mapping[str, str]]:
    """Return the place of each field (`BioSample.description`) by its key and the document; empty if there is none."""
    rows = shipped_rows(_TABLE)
    return {row["key"]: {name: place for name, place in row.items() if name != "key"} for row in rows}


def left_out(values: Iterable[MetadataValue], product: str, *, annotated: bool, emails: bool) -> list[str]:
    """Return the headers of the fields that are filled in and stand nowhere in a product.

    Args:
        values: The normalised metadata.
        product: A product, a key of `DOCUMENTS`.
        annotated: Whether there are annotation files; without one its description has nothing to describe.
        emails: Whether the addresses of authors go in.
    """
    filled = {value.field for value in values}
    places = {**field_places(), **({} if emails else {"study.author_emails": {}})}
    return [
        field.header
        for field in all_fields()
        if field.key in filled
        and (
            not any(places[field.key].get(document) for document in DOCUMENTS[product])
            or (field.key.startswith(_OF_ANNOTATIONS) and not annotated)
        )
    ]
