"""Images that exist only in the name of a file."""

from pathlib import Path

import numpy as np
import pytest

from sandbox.omero.image_files import ImageFileError, open_image_file


def opened(folder: Path, name: str):
    path = folder / name
    path.touch()
    return open_image_file(path)


def test_sizes_type_and_pixels(tmp_path):
    image = opened(tmp_path, "a&sizeX=70&sizeY=30&sizeZ=2&sizeC=3&sizeT=4&pixelType=uint16&physicalSizeX=0.5.fake")
    (series,) = image.series
    size = series.description
    assert (size.size_x, size.size_y, size.size_z, size.size_c, size.size_t) == (70, 30, 2, 3, 4)
    assert (image.kind, size.pixel_type, size.name, size.physical_size_x.value) == ("Fake", "uint16", "a", 0.5)
    plane = series.read_tile(0, 1, 2, 3, 0, 0, 70, 30)
    assert plane.dtype == np.uint16
    assert (plane[10:] == np.arange(70)).all()
    boxes = [plane[0, 10 * n] for n in range(5)]
    assert boxes == [0, 1 + 2 * (2 + 3 * 3), 1, 2, 3]
    assert (series.read_tile(0, 1, 2, 3, 15, 5, 40, 20) == plane[5:25, 15:55]).all()


def test_signed_pixels_begin_at_their_lowest_value(tmp_path):
    (series,) = opened(tmp_path, "a&sizeX=300&sizeY=12&pixelType=int8.fake").series
    assert list(series.read_tile(0, 0, 0, 0, 0, 11, 300, 1)[0, [0, 1, 255, 256]]) == [-128, -127, 127, -128]


def test_series_and_plates(tmp_path):
    assert [one.description.name for one in opened(tmp_path, "b&series=2.fake").series] == ["b", "b 2"]
    image = opened(tmp_path, "c&sizeX=20&sizeY=20&plates=1&plateRows=2&plateCols=3&fields=2&plateAcqs=1.fake")
    assert len(image.series) == 12
    (plate,) = image.plates
    assert (plate.rows, plate.columns, plate.screen) == (("A", "B"), ("1", "2", "3"), None)
    assert [(f.row, f.column) for f in plate.fields[:4]] == [(0, 0), (0, 0), (0, 1), (0, 1)]


def test_plates_and_screens_are_numbered_as_by_bio_formats(tmp_path):
    # Bio-Formats 7.3.1, loci.formats.tools.ImageInfo on a file of this name
    image = opened(tmp_path, "b&screens=2&plates=2&plateRows=1&plateCols=1&fields=1.fake")
    assert [one.description.name for one in image.series] == ["b", "b 2", "b 3", "b 4"]
    assert [(plate.name, plate.screen, plate.acquisitions[0].name) for plate in image.plates] == [
        (f"Plate Name {n}", f"Screen Name {n // 2}", f"PlateAcquisition Name {n}") for n in range(4)
    ]
    image = opened(tmp_path, "d&&screens=3.fake")
    assert [(len(plate.fields), plate.screen) for plate in image.plates] == [(1, f"Screen Name {n}") for n in range(3)]


def test_a_companion_brings_metadata_of_the_file(tmp_path):
    (tmp_path / "a.fake.ini").write_text("[GlobalMetadata]\nUpper Case=a = b\n")
    image = opened(tmp_path, "a.fake")
    assert image.series[0].description.global_metadata == (("Upper Case", "a = b"),)
    assert [file.name for file in image.files] == ["a.fake", "a.fake.ini"]
    for text in ("[series_0]\nExposureTime_0=1\n", "no section"):
        (tmp_path / "a.fake.ini").write_text(text)
        with pytest.raises(ImageFileError, match=r"a\.fake\.ini"):
            opened(tmp_path, "a.fake")


@pytest.mark.parametrize(
    "name",
    [
        "d&sizeX=0",
        "d&sizeX=-1",
        "d&sizeX=a",
        "d&pixelType=uint64",
        "d&unheard=1",
        "d&plates=200&fields=60",
        "d&series=0",
    ],
)
def test_a_name_that_asks_for_what_cannot_be(tmp_path, name):
    with pytest.raises(ImageFileError, match="d&"):
        opened(tmp_path, f"{name}.fake")
