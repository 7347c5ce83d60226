"""The ARC of a study in which every field has a value."""

from pathlib import Path

from bioimage_suite.fair.metadata.image_facts import read_images
from bioimage_suite.fair.products.package import make_package, read_study, write_product
from tests.unit.fair.every_field import VALUES
from tests.unit.fair.made_crates import DATA, FILES


def write_filled_arc(path: Path) -> None:
    """Write it as build_crate does, as a zip."""
    made = read_study(
        VALUES,
        list(read_images(FILES)),
        files=FILES,
        annotations=[(DATA / "cells_a.ome.tiff", "mask.ome.tiff")],
        results=[],
        product="arc",
    )
    write_product(path, make_package("arc", made))
