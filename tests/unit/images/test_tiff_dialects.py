"""TIFF of makers' own kinds: what their own tags say survives. The files are made here, by what tifffile reads."""

import csv
from pathlib import Path

import convert_image
import image_info
import numpy as np
import pytest
import tifffile

from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.readers.opening import open_image
from tests.unit.images.tiff_dialect_files import write_lsm, write_metaseries, write_svs
from tests.unit.images.tiff_files import write_stk


def facts_of(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    image_info.main(["--image", str(path), "--output", str(path) + ".tsv"])
    with Path(str(path) + ".tsv").open(encoding="utf-8") as stream:
        return {(row["object"], row["property"]): (row["value"], row["unit"])
                for row in csv.DictReader(stream, delimiter="\t")}  # fmt: skip


def planes(image: ImageFile) -> np.ndarray:
    return np.stack([[image.read_plane(0, c, z) for z in range(image.size_z)] for c in range(image.size_c)])


def test_a_slide_of_aperio(tmp_path):
    pixels = write_svs(tmp_path / "a.svs")
    facts = facts_of(tmp_path / "a.svs")
    assert facts["image", "Format"] == ("Aperio SVS", "")
    assert facts["image", "ResolutionLevels"] == ("2", "")
    assert facts["image", "AcquisitionDate"] == ("2009-12-29T09:59:15", "")
    assert facts["pixels", "PhysicalSizeX"] == facts["pixels", "PhysicalSizeY"] == ("0.499", "µm")
    assert facts["objective", "NominalMagnification"] == ("20", "")
    assert facts["microscope", "Model"] == ("CS1", "")
    convert_image.main([f"--image={tmp_path / 'a.svs'}", "--format=ome-tiff", f"--output={tmp_path / 'b'}", "--check"])
    made = open_image(tmp_path / "b")
    np.testing.assert_array_equal(np.moveaxis(planes(made)[:, 0], 0, -1), pixels)
    assert made.micrometres("y") == 0.499
    assert made.channels == ("Red", "Green", "Blue")


@pytest.mark.parametrize("size", ["-0.5", "0"])
def test_a_slide_whose_pixels_have_no_size(tmp_path, size, capsys):
    write_svs(tmp_path / "a.svs", size)
    assert open_image(tmp_path / "a.svs").physical_size == {}
    assert "NOTE: Image a.svs: the physical size along x is" in capsys.readouterr().out


def test_a_plane_of_metaseries(tmp_path):
    pixels = write_metaseries(tmp_path / "a.tif")
    facts = facts_of(tmp_path / "a.tif")
    assert facts["image", "Format"] == ("MetaSeries TIFF", "")
    assert facts["pixels", "PhysicalSizeX"] == ("0.65", "µm")
    assert facts["channel 0", "Name"] == ("DAPI", "")
    assert facts["channel 0", "EmissionWavelength"] == ("461", "nm")
    assert facts["objective", "Model"] == ("10X Plan Apo", "")
    assert facts["objective", "LensNA"] == ("0.45", "")
    assert facts["image", "AcquisitionDate"][0].startswith("2020-01-31T10:11:12")
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read_plane(), pixels)


@pytest.mark.parametrize("planar", ["separate", "contig"])
@pytest.mark.parametrize("names", [("Ch1", "ChS1", "T-PMT"), ()])
def test_a_stack_of_zeiss(tmp_path, planar, names):
    pixels = write_lsm(tmp_path / "a.lsm", names, planar)
    image = open_image(tmp_path / "a.lsm")
    assert (image.size_t, image.size_c, image.size_z) == (1, 3, 3)
    assert image.channels == (names or (None,) * 3)
    np.testing.assert_array_equal(planes(image), pixels)
    facts = facts_of(tmp_path / "a.lsm")
    assert facts["image", "Format"] == ("Zeiss LSM", "")
    assert facts["pixels", "PhysicalSizeX"] == ("0.1", "µm")
    assert facts["pixels", "PhysicalSizeZ"] == ("0.5", "µm")
    assert facts["pixels", "TimeIncrement"] == ("2.5", "s")
    assert facts["objective", "Model"] == ("Plan-Apochromat 63x/1.4", "")
    assert facts["image", "AcquisitionDate"] == ("2017-09-22T12:00:00", "")


def test_an_lsm_keeps_its_channels_in_an_ome_tiff(tmp_path):
    pixels = write_lsm(tmp_path / "a.lsm", ("Ch1", "ChS1", "T-PMT"), "contig")
    convert_image.main([f"--image={tmp_path / 'a.lsm'}", "--format=ome-tiff", f"--output={tmp_path / 'b'}", "--check"])
    made = open_image(tmp_path / "b")
    assert made.channels == ("Ch1", "ChS1", "T-PMT")
    np.testing.assert_array_equal(planes(made), pixels)


@pytest.mark.parametrize(("waves", "times", "step"), [
    ([405] * 4, [0, 2500, 5000, 7500], 2.5), ([405, 561, 405, 561], [0, 10, 4000, 4010], 4), ([405] * 4, [0] * 4, None),
])  # fmt: skip
def test_wavelengths_and_times_of_metamorph(tmp_path, waves, times, step):
    """Bio-Formats 7.3.1 reads the same wavelengths, and no time step."""
    write_stk(tmp_path / "a.stk", np.zeros((4, 20, 30), np.uint16), waves, [0] * 4, times)
    image = open_image(tmp_path / "a.stk")
    found = [fact[2] for fact in image.details["facts"] if fact[1] == "EmissionWavelength"]
    assert found == [str(wave) for wave in dict.fromkeys(waves)]
    assert (image.time_increment and image.time_increment.value) == step


@pytest.mark.parametrize("unit", ["", "pixel", "Pixels", "px", "pix"])
def test_a_scale_of_imagej_in_pixels_is_none(tmp_path, unit):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 30), np.uint8), imagej=True, resolution=(2, 4),
                     metadata={"unit": unit})  # fmt: skip
    assert open_image(tmp_path / "a.tif").physical_size == {}


@pytest.mark.parametrize(("inches", "known"), [(1 / 72, False), (1 / 300, False), (2e-5, True)])
@pytest.mark.parametrize("unit", ["inch", "inches", "in"])
def test_inches_of_imagej(tmp_path, unit, inches, known, capsys):
    """ImageJ makes them of a resolution for printing. Bio-Formats 7.3.1 takes the number for micrometres."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 30), np.uint8), imagej=True, resolution=(1 / inches, 1 / inches),
                     metadata={"unit": unit})  # fmt: skip
    found = open_image(tmp_path / "a.tif").micrometres("x")
    assert found == (pytest.approx(inches * 25_400) if known else None)
    assert ("is one of printing" in capsys.readouterr().out) != known


@pytest.mark.parametrize(("unit", "known"), [("inch", False), ("um", True)])
def test_planes_whose_pixels_are_printed_have_no_distance(tmp_path, unit, known):
    """ImageJ writes one inch where nobody set the distance of planes: 25 mm are none."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 20, 30), np.uint8), imagej=True, resolution=(300, 300),
                     metadata={"axes": "ZYX", "unit": unit, "spacing": 1.0})  # fmt: skip
    assert open_image(tmp_path / "a.tif").physical_size.keys() == (set("xyz") if known else set())
