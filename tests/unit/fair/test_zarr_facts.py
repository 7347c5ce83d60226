"""What a packed OME-Zarr says of itself, for templates, reports and crates."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import complete_folder
from bioimage_suite.fair.metadata.image_facts import ImageFacts, read_images
from bioimage_suite.fair.metadata.image_list import known_values
from bioimage_suite.fair.metadata.zarr_facts import zarr_values
from bioimage_suite.fair.products.package import place_images
from bioimage_suite.images.ome_zarr.archive import pack
from bioimage_suite.images.ome_zarr.folder import write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate, ZarrChannel, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter


def image(axes: str = "tczyx", shape: tuple[int, ...] = (2, 2, 1, 30, 40)) -> ZarrImage:
    scale = {"t": 30.0, "z": 2.0, "y": 0.25, "x": 0.5}
    units = {"t": "s", "z": "µm", "y": "µm", "x": "µm"}
    channels = (ZarrChannel("DAPI"), ZarrChannel("GFP & <friends>"))
    return ZarrImage("cells", axes, shape, np.dtype("uint16"), scale, units, channels)


def write(folder: Path, described: ZarrImage, version: str) -> None:
    with PyramidWriter(folder, described, version) as writer:
        for t in range(described.size("t")):
            for c in range(described.size("c")):
                writer.write(np.full(described.shape[-2:], 7, described.dtype), t=t, c=c)


def packed(tmp_path: Path, version: str) -> Path:
    with complete_folder(tmp_path / "cells.ome.zarr") as folder:
        write(folder, image(), version)
    pack(tmp_path / "cells.ome.zarr", tmp_path / "cells.ozx", version)
    return tmp_path / "cells.ozx"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_says_what_it_was_written_with(tmp_path: Path, version: str) -> None:
    (facts,) = read_images([(packed(tmp_path, version), "cells.ome.tiff")])
    assert known_values(facts) == {
        "image.dimensions": "X=40 Y=30 Z=1 C=2 T=2",
        "image.pixel_size_x": "0.5 µm",
        "image.pixel_size_y": "0.25 µm",
        "image.time_increment": "30 s",
        "image.channels": "DAPI; GFP & <friends>",
        "image.format": "OME-Zarr",
    }
    assert facts.first("Pixels.Type") == "uint16"
    assert facts.first("Zarr.Version") == version


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_says_what_its_first_field_says(tmp_path: Path, version: str) -> None:
    with complete_folder(tmp_path / "plate.ome.zarr") as folder:
        write_plate(folder, Plate("P1", ("B",), ("3",), {("B", "3"): 1}), version)
        write(folder / "B/3/0", image(), version)
    pack(tmp_path / "plate.ome.zarr", tmp_path / "plate.ozx", version)
    assert zarr_values(tmp_path / "plate.ozx", "plate")["Pixels.SizeX"] == ["40"]


def test_an_image_in_a_folder_of_the_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(tmp_path, "0.4")) as old, zipfile.ZipFile(tmp_path / "in.zip", "w") as new:
        for member in old.namelist():
            new.writestr(f"cells.ome.zarr/{member}", old.read(member))
    assert zarr_values(tmp_path / "in.zip", "in.zip")["Channel.Name"] == ["DAPI", "GFP & <friends>"]


def with_metadata(path: Path, attributes: Any, array: Any = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(".zattrs", attributes if isinstance(attributes, str) else json.dumps(attributes))
        if array is not None:
            archive.writestr("0/.zarray", json.dumps(array))
    return path


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "without multiscales"),
        ([], "is no JSON object"),
        ("{", "x.ozx"),
        ({"multiscales": []}, "not as specified"),
        ({"multiscales": [{"datasets": [{"path": "0"}], "axes": []}]}, "not as specified"),
        ({"multiscales": [{"datasets": [{"path": "9"}], "axes": []}]}, "holds no 9/zarr.json"),
        ({"plate": {"wells": []}}, "not as specified"),
        ({"plate": [1]}, "not as specified"),
        ({"plate": {"wells": [{"path": "A/1"}]}}, "no OME-Zarr metadata at A/1/0/"),
    ],
)
def test_what_is_no_ome_zarr_is_said(tmp_path: Path, attributes: Any, said: str) -> None:
    path = with_metadata(tmp_path / "x.ozx", attributes, {"shape": [2], "dtype": "<u2"})
    with pytest.raises(UserError, match=said):
        zarr_values(path, "x.ozx")


def test_the_ome_xml_beside_the_image_is_read_too(tmp_path: Path) -> None:
    path = packed(tmp_path, "0.5")
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        "<AcquisitionDate>2026-01-31T10:00:00</AcquisitionDate>"
        '<Pixels SizeX="9" DimensionOrder="XYCZT"/></Image></OME>'
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("OME/METADATA.ome.xml", xml)
    (facts,) = read_images([(path, "cells.ozx")])
    known = known_values(facts)
    assert (known["acquisition.date"], known["image.format"]) == ("2026-01-31", "OME-Zarr")
    assert facts.first("Pixels.SizeX") == "40"


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(UserError, match="without an OME-Zarr at its root"):
        zarr_values(tmp_path / "x.zip", "x.zip")


def test_a_package_calls_a_converted_image_by_what_it_is(tmp_path: Path) -> None:
    path = packed(tmp_path, "0.5")
    names = ["cells.ome.tiff", "b.ozx", "c"]
    placed = place_images([ImageFacts(name) for name in names], [(path, name) for name in names])
    assert [where for _, where, _ in placed] == ["images/cells.ozx", "images/b.ozx", "images/c.ozx"]


def with_scales(path: Path, level: Any, every: Any = None) -> Path:
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    described = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": level}]}
    attributes = {"ome": {"multiscales": [described | ({"coordinateTransformations": every} if every else {})]}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zarr.json", json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))
        archive.writestr("0/zarr.json", json.dumps({"shape": [2, 2], "data_type": "uint8"}))
    return path


@pytest.mark.parametrize(
    ("level", "every", "size"),
    [
        ([{"type": "scale", "scale": [1, 0.5]}], None, ["0.5"]),
        ([{"type": "scale", "scale": [1, 0.5]}], [{"type": "scale", "scale": [1, 0.5]}], ["0.25"]),
        ([{"type": "scale", "scale": [1, -0.5]}], None, None),
        ([{"type": "scale", "scale": [1, None]}], None, None),
        ([{"type": 1, "scale": [1, 1]}], None, None),
        ([{"type": "affine", "affine": []}], None, None),
        ([], None, None),
    ],
)
def test_the_size_of_a_pixel_is_that_of_its_scales_or_unknown(
    tmp_path: Path, level: Any, every: Any, size: list[str] | None
) -> None:
    path = with_scales(tmp_path / "a.ozx", level, every)
    assert zarr_values(path, "a").get("Pixels.PhysicalSizeX") == size


def test_metadata_of_another_form_are_said(tmp_path: Path) -> None:
    path = tmp_path / "odd.ozx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zarr.json", json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"ome": -1}}))
    with pytest.raises(UserError, match=r"`ome` in zarr.json is no JSON object"):
        zarr_values(path, "odd.ozx")
