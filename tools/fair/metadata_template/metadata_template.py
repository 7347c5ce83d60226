"""Make a template to describe images: one row per image, with known values already filled in."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.fair.metadata.fields import Field, find_field, template_fields
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import known_values, load_images
from bioimage_suite.fair.metadata.table import is_metadata_table
from bioimage_suite.fair.metadata.templates import Template, make_rows, write_csv, write_json_schema, write_xlsx
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES


def known_of(image: ImageFacts) -> dict[str, str]:
    """Return the known values of an image by field: from its key-value pairs, else from its OME-XML."""
    values: dict[str, list[str]] = {}
    for key, value in image.key_values:
        field = find_field(key)
        if field and value not in values.setdefault(field.key, []):
            values[field.key].append(value)
    return known_values(image) | {key: "; ".join(found) for key, found in values.items()}


def make_template(images: Sequence[ImageFacts], fields: Sequence[Field], omero: bool = False) -> Template:
    """Make the template.

    Args:
        images: Images, one row each, in this order.
        fields: Fields, one column each.
        omero: Whether to use the format that omero-scripts from 5.9 imports as key-value pairs: columns OBJECT_ID and
            OBJECT_NAME, and no row for all images, because OMERO would look for an image of that name.

    Raises:
        UserError: There are no images.
    """
    if not images:
        raise UserError("images: there are none. Give at least one image or a table of images.")
    known = [known_of(image) for image in images]
    if omero:
        identities: list[Sequence[str]] = [(image.image_id, _omero_name(image)) for image in images]
        return Template(("OBJECT_ID", "OBJECT_NAME"), tuple(fields), make_rows(identities, known, fields))
    identity = ("image", "image_id") if any(image.image_id for image in images) else ("image",)
    identities = [(image.name, image.image_id)[: len(identity)] for image in images]
    everything = (ALL_IMAGES, "")[: len(identity)]
    shared, own = _shared(known)
    return Template(identity, tuple(fields), make_rows([everything, *identities], [shared, *own], fields))


def _omero_name(image: ImageFacts) -> str:
    """Return OMERO's own name of an image, not the name of the exported dataset in Galaxy."""
    if image.aliases:
        return image.aliases[0]
    exported = re.fullmatch(r"Image_\d+_(.+?)(\.ome\.tiff)?", image.name, re.DOTALL)
    return exported[1] if exported else image.name


def _shared(known: Sequence[dict[str, str]]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Split off the values of the study's fields, which are the same for all images, for the row `*`."""
    shared: dict[str, str] = {}
    for values in known:
        for key, value in values.items():
            if key.startswith("study."):
                shared.setdefault(key, value)
    return shared, [{key: value for key, value in values.items() if shared.get(key) != value} for values in known]


def main() -> int:
    """Parse the command line, read the images, write the template."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help='JSON list of {"path", "name"} of OME-TIFF images')
    parser.add_argument("--image-table", type=Path, help="tabular file of images (image_id or image_name)")
    parser.add_argument("--standard", choices=("rembi", "mifa", "omero"), default="rembi")
    parser.add_argument("--scopes", default="study,biosample,acquisition")
    parser.add_argument("--form", choices=("xlsx", "csv", "schema"), default="xlsx")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    if args.image_table and is_metadata_table(args.image_table):
        raise UserError("image table: is a table of metadata. Give a table of images (image_id or image_name).")
    omero = args.standard == "omero"
    fields = template_fields("rembi" if omero else args.standard, tuple(filter(None, args.scopes.split(","))))
    template = make_template(load_images(args.images, args.image_table), fields, omero)
    {"xlsx": write_xlsx, "csv": write_csv, "schema": write_json_schema}[args.form](args.output, template)
    print(f"{len(template.rows):,} rows, {len(fields)} columns to fill")
    return 0


if __name__ == "__main__":
    run_tool(main)
