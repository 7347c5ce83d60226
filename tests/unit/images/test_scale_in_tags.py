"""Programs that know no OME-XML see a scale in what the suite writes: the tags XResolution and YResolution."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import convert_image
import numpy as np
import openslide
import pytest
import segment_objects
import tifffile

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import write_label_map
from bioimage_suite.images.writers.tiff_output import resolution_tags
from scripts.suite_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COLOUR = np.random.default_rng(0).integers(0, 255, (900, 1100, 3), dtype=np.uint8)
LIBRARY = ROOT / "src" / "bioimage_suite"
# The layout of the Cell Tracking Challenge has plain TIFF files without a scale.
WITHOUT_A_SCALE = {"tracking/challenge_layout.py"}


def write_colour(path: Path) -> None:
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(path, COLOUR, ome=True, photometric="rgb", metadata={"axes": "YXS", **sizes})


def test_openslide_sees_colours_and_their_scale(tmp_path: Path):
    write_colour(tmp_path / "a.ome.tif")
    convert_image.main([f"--image={tmp_path / 'a.ome.tif'}", "--format=ome-tiff", f"--output={tmp_path / 'b.tif'}"])
    with openslide.OpenSlide(tmp_path / "b.tif") as slide:
        assert slide.dimensions == (1100, 900)
        assert (slide.properties["openslide.mpp-x"], slide.properties["openslide.mpp-y"]) == ("0.25", "0.5")
        region = np.asarray(slide.read_region((100, 200), 0, (300, 400)))
    np.testing.assert_array_equal(region[..., :3], COLOUR[200:600, 100:400])


def test_smaller_levels_have_larger_pixels(tmp_path: Path):
    write_colour(tmp_path / "a.ome.tif")
    convert_image.main([f"--image={tmp_path / 'a.ome.tif'}", "--format=ome-tiff", f"--output={tmp_path / 'b.tif'}"])
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        found = [level.keyframe.get_resolution("CENTIMETER") for level in tiff.series[0].levels]
    assert found == [(40_000, 20_000), (20_000, 10_000), (10_000, 5_000)]


def test_label_maps_have_the_scale_of_their_image(tmp_path: Path):
    grey = np.pad(np.full((20, 20), 200, np.uint8), 20)
    tifffile.imwrite(tmp_path / "a.tif", grey, imagej=True, resolution=(2, 4), metadata={"unit": "um"})
    segment_objects.main([f"--image={tmp_path / 'a.tif'}", f"--output={tmp_path / 'b.tif'}"])
    write_label_map(tmp_path / "c.tif", [(grey > 0).astype("i4")], open_image(tmp_path / "a.tif"))
    for name in ("b.tif", "c.tif"):
        with tifffile.TiffFile(tmp_path / name) as tiff:
            assert tiff.pages.first.get_resolution("CENTIMETER") == (20_000, 40_000)


@pytest.mark.parametrize(("x", "y"), [(None, 0.5), (0, 0.5), (0.5, -1), (1e-9, 1), (float("nan"), 1), (1, 1e12)])
def test_what_is_no_scale_is_not_written(x: float | None, y: float | None):
    assert resolution_tags(x, y) == {}


def test_every_writer_writes_the_scale():
    writers = {
        str(path.relative_to(LIBRARY)): text
        for path in LIBRARY.rglob("*.py")
        if re.search(r"TiffWriter\(|tifffile\.imwrite\(", text := path.read_text(encoding="utf-8"))
    }
    assert len(writers) > 5
    assert {name for name, text in writers.items() if "**resolution_tags(" not in text} == WITHOUT_A_SCALE
