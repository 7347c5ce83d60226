"""omero_export_images: channels, planes, projections, rectangles, ROIs and resolution levels."""

from pathlib import Path

import numpy as np
import omero
import pytest
import tifffile
from omero.rtypes import rdouble, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images import export as image_export
from sandbox.omero.client_import import ImportOptions, import_with_options
from tests.omero.tool_support import Lab, typed
from tests.omero.tools.export.pictures import by_id, five_d, noise, read


def test_channels_planes_and_times_are_chosen_and_nothing_else_changes(lab: Lab, export):
    pixels = noise((3, 2, 4, 20, 30))
    image = five_d(lab, pixels)
    [path], [row] = export(by_id(image), selection={"channels": "b, 0", "planes": "1-2", "times": "2,0"})
    np.testing.assert_array_equal(read(path), pixels[[2, 0]][:, [1, 0]][:, :, 1:3])
    assert (row["channel_names"], row["size_z"], row["size_t"]) == ("b; a", "2", "2")
    assert row["checked"] == "a part: OMERO has no checksum of it"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32"])
@pytest.mark.parametrize("how", ["max", "mean"])
def test_projections_along_z(lab: Lab, export, monkeypatch, dtype, how):
    monkeypatch.setattr(image_export, "TILE", 16)
    pixels = noise((2, 2, 5, 20, 30), dtype)
    image = five_d(lab, pixels)
    [path], [row] = export(by_id(image), selection={"projection": how, "planes": "1-"})
    if how == "max":
        expected = pixels[:, :, 1:].max(2, keepdims=True)
    else:
        mean = pixels[:, :, 1:].astype(np.float64).mean(2, keepdims=True)
        expected = (mean if dtype.startswith("float") else np.rint(mean)).astype(dtype)
    np.testing.assert_array_equal(read(path), expected)
    assert (row["projection"], row["size_z"]) == (how, "1")


def test_a_rectangle_across_tiles(lab: Lab, export, monkeypatch):
    monkeypatch.setattr(image_export, "TILE", 16)
    pixels = noise((1, 1, 1, 70, 90))
    image = five_d(lab, pixels)
    region = {"kind": "rectangle", "x": 11, "y": 7, "width": 50, "height": 40}
    [path], [row] = export(by_id(image), selection={"region": region})
    np.testing.assert_array_equal(read(path), pixels[..., 7:47, 11:61])
    assert [row[f"region_{name}"] for name in ("x", "y", "width", "height")] == ["11", "7", "50", "40"]
    with pytest.raises(UserError, match="is not inside the image of 90 x 70 pixels"):
        export(by_id(image), selection={"region": region | {"x": 60}})


def test_each_roi_is_a_crop_that_keeps_the_images_name(lab: Lab, export):
    pixels = noise((1, 2, 1, 40, 50))
    image = five_d(lab, pixels, "cells.tif")
    other = five_d(lab, pixels, "none.tif")
    rois = []
    for name, x in (("nuclei", 5), ("scale", 20)):
        roi, rectangle = omero.model.RoiI(), omero.model.RectangleI()
        rectangle.x, rectangle.y, rectangle.width, rectangle.height = map(rdouble, (x, 4, 8, 6))
        roi.image, roi.name = omero.model.ImageI(image, False), rstring(name)
        roi.addShape(rectangle)
        rois.append(lab.save(roi))
    target = typed("image", f"{image},{other}", by="id")
    files, rows = export(target, selection={"region": {"kind": "rois", "roi_name": ""}})
    assert [path.name for path in files] == [f"Image_{image}_cells.tif_roi_{roi}.ome.tiff" for roi in rois]
    np.testing.assert_array_equal(read(files[0]), pixels[..., 4:10, 5:13])
    assert [(row["image_id"], row["roi_id"], row["region_x"]) for row in rows] == [
        (str(image), str(rois[0]), "5"),
        (str(image), str(rois[1]), "20"),
        (str(other), "", ""),
    ]
    assert [(row["image"] != "", row["status"]) for row in rows] == [(True, "exported")] * 2 + [(False, "no ROI")]
    assert len(export(target, selection={"region": {"kind": "rois", "roi_name": "scale"}})[0]) == 1
    with pytest.raises(UserError, match=r"none of the 1 images has a ROI of name 'x'"):
        export(by_id(image), selection={"region": {"kind": "rois", "roi_name": "x"}})


def pyramid_file(path: Path, full: np.ndarray) -> list[np.ndarray]:
    levels = [full, full[::2, ::2] // 2, full[::4, ::4] // 4]
    with tifffile.TiffWriter(path, ome=True) as writer:
        for number, level in enumerate(levels):
            options = {"subifds": 2, "metadata": {"axes": "YX", "PhysicalSizeX": 0.5}} if not number else {}
            writer.write(level, tile=(64, 64), subfiletype=int(number > 0), **options)
    return levels


def test_a_resolution_level_is_what_omero_keeps_at_that_level(lab: Lab, export, tmp_path: Path):
    levels = pyramid_file(tmp_path / "large.ome.tif", noise((400, 600)))
    [image] = import_with_options(lab.client, [tmp_path / "large.ome.tif"], ImportOptions()).image_ids
    for number, level in enumerate(levels):
        [path], [row] = export(by_id(image), selection={"level": number})
        np.testing.assert_array_equal(read(path)[0, 0, 0], level)
        assert (row["level"], row["physical_size_x_um"]) == (str(number), str(0.5 * 2**number))
    region = {"kind": "rectangle", "x": 100, "y": 200, "width": 40, "height": 20}
    [path], _ = export(by_id(image), selection={"level": 2, "region": region})
    np.testing.assert_array_equal(read(path)[0, 0, 0], levels[2][50:55, 25:35])
    with pytest.raises(UserError, match="resolution level 3 is not there, it has 3"):
        export(by_id(image), selection={"level": 3})


def test_a_channel_is_found_by_its_name_wherever_it_stands_in_each_image(lab: Lab, export):
    dataset = lab.container("Dataset", "mixed")
    pixels = noise((1, 3, 1, 6, 7))
    for number, names in enumerate((("DAPI", "GFP"), ("GFP", "RFP", "DAPI"))):
        planes = {(0, c, 0): pixels[0, c, 0] for c in range(len(names))}
        lab.image(f"im {number}", planes, dataset, list(names))
    files, rows = export(typed("dataset", "mixed"), selection={"channels": "DAPI"})
    for path, place in zip(files, (0, 2), strict=True):
        np.testing.assert_array_equal(read(path)[0, 0, 0], pixels[0, place, 0])
    assert {row["channel_names"] for row in rows} == {"DAPI"}
    with pytest.raises(UserError, match=r"'im 0': no channel 'RFP'. Give .* 0: DAPI, 1: GFP"):
        export(typed("dataset", "mixed"), selection={"channels": "RFP"})
