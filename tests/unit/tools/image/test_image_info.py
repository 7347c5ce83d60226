"""image_info: what a file says, in OME's words; what it does not say is left out."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import image_info
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from tests.unit.tools.image.ome_documents import RICH

DATA = Path(__file__).parents[4] / "test-data"


def info(tmp_path: Path, image: Path, *more: str) -> dict[tuple[str, str], tuple[str, str]]:
    image_info.main([
        f"--image={image}", f"--output={tmp_path / 'o.tsv'}", f"--output-json={tmp_path / 'o.json'}",
        f"--output-xml={tmp_path / 'o.xml'}", *more,
    ])  # fmt: skip
    lines = (tmp_path / "o.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "image\tobject\tproperty\tvalue\tunit"
    cells = [line.split("\t") for line in lines[1:]]
    return {(subject, name): (value, unit) for _, subject, name, value, unit in cells}


def test_rich_ome_xml(tmp_path):
    tifffile.imwrite(tmp_path / "rich.ome.tiff", np.zeros((8, 8), np.uint8), description=RICH, metadata=None)
    facts = info(tmp_path, tmp_path / "rich.ome.tiff", "--image-name=a\tb")
    assert facts["pixels", "PhysicalSizeX"] == ("108", "nm")
    assert ("pixels", "PhysicalSizeY") not in facts
    assert facts["channel 0", "EmissionWavelength"] == ("509", "nm")
    assert facts["channel 0", "Name"] == ("488", "")
    assert facts["objective", "Model"] == ("Plan-Apo", "")
    assert facts["objective", "LensNA"] == ("1.4", "")
    assert facts["microscope", "Manufacturer"] == ("Zeiss", "")
    assert facts["image", "AcquisitionDate"] == ("2024-05-06T07:08:09", "")
    assert facts["image", "Description"] == ("two lines here", "")
    assert (tmp_path / "o.xml").read_text() == RICH
    assert json.loads((tmp_path / "o.json").read_text())["pixels"]["PhysicalSizeX"] == {"value": "108", "unit": "nm"}


def test_the_only_objective_and_instrument_are_the_images(tmp_path):
    xml = RICH.replace('<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:1"/>', "")
    one = xml.replace('<Objective ID="Objective:0" Model="10x" NominalMagnification="10"/>', "")
    for name, text in (("two", xml), ("one", one)):
        tifffile.imwrite(tmp_path / f"{name}.ome.tiff", np.zeros((8, 8), np.uint8), description=text, metadata=None)
    assert info(tmp_path, tmp_path / "one.ome.tiff")["objective", "LensNA"] == ("1.4", "")
    facts = info(tmp_path, tmp_path / "two.ome.tiff")
    assert ("objective", "LensNA") not in facts
    assert facts["microscope", "Model"] == ("LSM 880", "")


def test_pictures_have_axes_too(tmp_path):
    assert info(tmp_path, DATA / "synthetic_rgb.png")["pixels", "Axes"] == ("YXS", "")


@pytest.mark.parametrize("file", ["synthetic_imagej.tiff", "synthetic_rgb.png", "nuclei.ome.tiff"])
def test_ome_xml_says_the_same_as_the_table(tmp_path, file):
    from ome_types import from_xml

    facts = info(tmp_path, DATA / file)
    pixels = from_xml(tmp_path / "o.xml").images[0].pixels
    for axis in "xyzct":
        assert str(getattr(pixels, f"size_{axis}")) == facts["pixels", f"Size{axis.upper()}"][0]
    assert ("pixels", "PhysicalSizeX") in facts or pixels.physical_size_x is None


def test_own_ome_xml_is_kept(tmp_path):
    info(tmp_path, DATA / "synthetic_tczyx.ome.tiff")
    names = [one.get("Name") for one in ET.parse(tmp_path / "o.xml").iter() if one.tag.endswith("}Channel")]
    assert names == ["DAPI", "GFP & <friends>"]


def test_broken_file_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match="cut short"):
        info(tmp_path, DATA / "truncated.tiff")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_nan_infinite_and_constant_images_are_images(tmp_path, value):
    tifffile.imwrite(tmp_path / "a.tif", np.full((5, 7), value, np.float32))
    facts = info(tmp_path, tmp_path / "a.tif")
    assert (facts["pixels", "Type"][0], facts["pixels", "SizeX"][0], facts["pixels", "Axes"][0]) == (
        "float32",
        "7",
        "YX",
    )


@pytest.mark.parametrize("given", ["-0.5", "0", "NaN", "inf", "wide"])
def test_an_impossible_physical_size_is_left_out(tmp_path, given, capsys):
    xml = RICH.replace('PhysicalSizeX="108"', f'PhysicalSizeX="{given}"')
    tifffile.imwrite(tmp_path / "a.ome.tiff", np.zeros((8, 8), np.uint8), description=xml, metadata=None)
    assert ("pixels", "PhysicalSizeX") not in info(tmp_path, tmp_path / "a.ome.tiff")
    assert f"physical size along x is {given} nm" in capsys.readouterr().out


def test_axes_that_no_image_has_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 3, 4, 8, 8), np.uint8), metadata={"axes": "QRZYX"},
                     photometric="minisblack")  # fmt: skip
    with pytest.raises(UserError, match="its axes are QRZYX"):
        info(tmp_path, tmp_path / "a.tif")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.tif").touch()
    with pytest.raises(UserError, match="empty"):
        info(tmp_path, tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_cut_short_is_refused(tmp_path, suffix):
    import cv2

    _, data = cv2.imencode(f".{suffix}", np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8))
    (tmp_path / f"a.{suffix}").write_bytes(data.tobytes()[: len(data) // 2])
    with pytest.raises(UserError, match=r"damaged or cut short"):
        info(tmp_path, tmp_path / f"a.{suffix}")


def broken_zarr(folder: Path, **changes: object) -> Path:
    """An OME-Zarr whose only multiscale is changed."""
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=2)
    group.create_array("0", data=np.zeros((4, 8, 8), np.uint8))
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.5]}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets} | changes]
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": [{"name": name} for name in "yxz"]}, "its axes"),
        ({"axes": [{"name": name} for name in "yx"]}, "do not fit an array of 3 dimensions"),
        ({"datasets": [{"path": "7"}]}, "its array '7' is missing"),
    ],
)
def test_a_broken_ome_zarr_is_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        info(tmp_path, broken_zarr(tmp_path / "a.zarr", **changes))
