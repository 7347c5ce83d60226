"""Images that exist only in the name of a file (`.fake`) are what Bio-Formats makes of the name, bit by bit."""

import pytest

from sandbox.omero.image_files import open_image_file
from tests.oracle.bioformats import checksum

NAMES = (
    "a&sizeX=70&sizeY=30&sizeZ=2&sizeC=3&sizeT=4&pixelType=uint16&physicalSizeX=0.5",
    "s&series=2&sizeX=64&sizeY=64&pixelType=int8",
    "f&sizeX=300&sizeY=20&pixelType=float",
    "p&plates=1&plateRows=2&plateCols=3&fields=2&plateAcqs=1&sizeX=60&sizeY=20",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_gives_the_same_images(oracle, tmp_path, name):
    path = tmp_path / f"{name}.fake"
    path.touch()
    seen, ours = oracle.read(path).series, open_image_file(path).series
    assert len(seen) == len(ours)
    for expected, made in zip(seen, ours, strict=True):
        d = made.description
        assert (expected.name, expected.pixel_type) == (d.name, d.pixel_type)
        assert expected.sizes == {"X": d.size_x, "Y": d.size_y, "Z": d.size_z, "C": d.size_c, "T": d.size_t}
        planes = {
            (t, c, z): checksum(made.read_tile(0, z, c, t, 0, 0, d.size_x, d.size_y)) for t, c, z in expected.planes
        }
        assert planes == expected.planes
