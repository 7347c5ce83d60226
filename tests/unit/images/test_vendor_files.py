"""CZI, ND2, LIF, DeltaVision: pixels, sizes, channels and what the maker says come through; broken ones are refused."""

import builtins
import re
import shutil
import time
from pathlib import Path

import convert_image
import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.facts import image_facts
from bioimage_suite.images.readers.opening import open_image
from tests.unit.images.vendor_files import made_pixels, write_dv, write_lif

DATA = Path(__file__).parents[3] / "test-data"
NAMES = {"made.czi": ("DAPI", "EGFP"), "made.dv": ("353/465", "488/509"), "made.lif": ("Blue", "Green"),
         "made.nd2": ("DAPI", "EGFP")}  # fmt: skip
FILES = list(NAMES)
FORMATS = {"made.dv": "DeltaVision"}


def facts(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one.object, one.property): (one.value, one.unit) for one in image_facts(open_image(path))}


@pytest.mark.parametrize("file", FILES)
def test_pixels_sizes_and_channels(tmp_path, file):
    """Galaxy's file names end in .dat: only the content may decide."""
    path = tmp_path / "dataset_1.dat"
    shutil.copy(DATA / file, path)
    image = open_image(path, file)
    pixels = made_pixels()
    assert (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x) == pixels.shape
    for t, c, z in np.ndindex(pixels.shape[:3]):
        np.testing.assert_array_equal(image.read_plane(t, c, z), pixels[t, c, z])
    np.testing.assert_array_equal(image.read_region(1, 1, 2, slice(3, 9), slice(5, 30)), pixels[1, 1, 2, 3:9, 5:30])
    assert image.channels == NAMES[file]
    y = 0.1 if file == "made.nd2" else 0.2
    assert [image.micrometres(axis) for axis in "xyz"] == pytest.approx([0.1, y, 0.5])


@pytest.mark.parametrize("file", ["made.czi", "made.nd2"])
def test_instrument_wavelengths_and_date(file):
    found = facts(DATA / file)
    for channel, word, wave in ((1, "EmissionWavelength", 509), (0, "ExcitationWavelength", 353)):
        value, unit = found[f"channel {channel}", word]
        assert (float(value), unit) == (wave, "nm")
    assert found["objective", "LensNA"] == ("1.4", "")
    assert float(found["objective", "NominalMagnification"][0]) == 63
    assert found["image", "AcquisitionDate"][0].startswith("2024-05-06T")


def test_objective_of_a_lif(tmp_path):
    write_lif(tmp_path / "a.lif", made_pixels())
    start = (tmp_path / "a.lif").read_bytes()
    said = '<ATLConfocalSettingDefinition ObjectiveName="HC PL APO" NumericalAperture="1.4" Magnification="63"/>'
    old, new = "</ImageDescription>", f"</ImageDescription>{said}"
    text = len(said.encode("utf-16-le"))
    data = bytearray(start.replace(old.encode("utf-16-le"), new.encode("utf-16-le")))
    data[4:8] = (int.from_bytes(data[4:8], "little") + text).to_bytes(4, "little")
    data[9:13] = (int.from_bytes(data[9:13], "little") + text // 2).to_bytes(4, "little")
    (tmp_path / "a.lif").write_bytes(data)
    found = facts(tmp_path / "a.lif")
    assert found["objective", "Model"] == ("HC PL APO", "")
    assert found["objective", "LensNA"] == ("1.4", "")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr-0.5"])
def test_conversion_keeps_them(tmp_path, file, form):
    convert_image.main([f"--image={DATA / file}", f"--format={form}", f"--output={tmp_path / 'out'}", "--check"])
    found, source = open_image(tmp_path / "out"), open_image(DATA / file)
    np.testing.assert_array_equal(found.read_plane(1, 1, 2), made_pixels()[1, 1, 2])
    assert found.channels == source.channels
    assert [found.micrometres(axis) for axis in "xyz"] == [source.micrometres(axis) for axis in "xyz"]
    if file in ("made.czi", "made.nd2"):
        assert re.search(r'EmissionWavelength="509(\.0)?"', found.details["ome_xml"])


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_a_file_cut_short_is_refused(tmp_path, file, share):
    data = (DATA / file).read_bytes()
    (tmp_path / file).write_bytes(data[: max(40, int(len(data) * share))])
    kind = FORMATS.get(file, file[-3:].upper())

    def read_all() -> None:
        image = open_image(tmp_path / file)
        for t, c, z in np.ndindex(2, 2, 3):
            image.read_plane(t, c, z)

    with pytest.raises(
        UserError, match=rf"^Image {file}(: the {kind} file|, pixels at t=\d, c=\d, z=\d): damaged or cut"
    ):
        read_all()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("axes", ["CTZ", "TZC", "TCZ"])
def test_orders_of_planes_and_bytes_of_a_deltavision_file(tmp_path, axes, order):
    pixels = made_pixels()
    write_dv(tmp_path / "a.dv", pixels, axes, order)
    image = open_image(tmp_path / "a.dv")
    for t, c, z in np.ndindex(pixels.shape[:3]):
        np.testing.assert_array_equal(image.read_plane(t, c, z), pixels[t, c, z])
    assert image.dtype == image.read_plane().dtype == np.dtype("=u2")
    # mrc reads what is said of planes in this machine's order of bytes only.
    assert image.channels == (NAMES["made.dv"] if order == "<" else (None, None))
    assert facts(tmp_path / "a.dv")["channel 0", "EmissionWavelength"] == ("465", "nm")


def test_a_deltavision_file_without_words_on_planes(tmp_path):
    write_dv(tmp_path / "a.dv", made_pixels(), extended=False)
    assert open_image(tmp_path / "a.dv").channels == (None, None)
    found = facts(tmp_path / "a.dv")
    assert found["channel 1", "EmissionWavelength"] == ("509", "nm")
    assert ("channel 1", "ExcitationWavelength") not in found
    assert found["objective", "LensNA"] == ("1.4", "")


def test_a_czi_mosaic_is_stitched(tmp_path):
    """Two by two tiles that begin at a negative place; a region may lie across all of them."""
    from pylibCZIrw import czi

    plane = np.arange(2 * 60 * 90, dtype=np.uint16).reshape(2, 60, 90) + 1
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for c, y, x in [(c, y, x) for c in (0, 1) for y in (0, 30) for x in (0, 45)]:
            tile = np.ascontiguousarray(plane[c, y : y + 30, x : x + 45, None])
            document.write(tile, plane={"C": c}, location=(x - 20, y + 100))
        document.write_metadata("made", scale_x=1e-7, scale_y=1e-7)
    image = open_image(tmp_path / "a.czi")
    assert (image.size_c, image.size_y, image.size_x) == (2, 60, 90)
    np.testing.assert_array_equal(image.read_plane(0, 1, 0), plane[1])
    np.testing.assert_array_equal(image.read_region(0, 0, 0, slice(20, 45), slice(40, 60)), plane[0, 20:45, 40:60])


@pytest.mark.parametrize("tiles", [1, 2])
def test_colours_of_a_czi_are_red_green_blue(tmp_path, tiles):
    """In the file they stand as blue, green, red."""
    from pylibCZIrw import czi

    pixels = np.broadcast_to(np.array([10, 20, 30], np.uint8), (30, 40, 3))
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for x in range(0, 40, 40 // tiles):
            document.write(np.ascontiguousarray(pixels[:, x : x + 40 // tiles]), location=(x, 0), plane={"C": 0})
        document.write_metadata("made")
    image = open_image(tmp_path / "a.czi")
    assert [(one or "").split()[-1] for one in image.channels] == ["Red", "Green", "Blue"]
    assert [image.read_plane(0, c, 0).mean() for c in range(3)] == [30, 20, 10]


def test_a_tool_without_the_reader_names_the_remedy(monkeypatch):
    importing = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pylibCZIrw"):
            raise ImportError(name)
        return importing(name, *args, **kwargs)

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(UserError, match="Convert it with convert_image first"):
        open_image(DATA / "made.czi")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.7", "is a PDF"),
        (b"<!DOCTYPE html>", "is an XML or HTML text"),
        (b"name,value\n1,2\n", "seems to be a text: it begins with b'name,value"),
        (b"\x00\x01\x02\x03", r"begins with b'\\x00\\x01"),
        (b"\xd0\xcf\x11\xe0", "OIB"),
    ],
)
def test_an_unknown_file_is_described(tmp_path, content, message):
    (tmp_path / "a.dat").write_bytes(content)
    with pytest.raises(UserError, match=message):
        open_image(tmp_path / "a.dat")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_date_of_acquisition_does_not_depend_on_the_time_zone_of_the_machine(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        document = open_image(DATA / "made.nd2").details["ome_xml"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "<AcquisitionDate>2024-05-06T12:00:00Z</AcquisitionDate>" in document
