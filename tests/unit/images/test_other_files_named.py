"""A file of a stranger that names other files of the server: nothing of them comes into an output."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.metadata import ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter
from bioimage_suite.images.readers.opening import open_image
from tests.unit.images.format_files import write_imaris

OWN, OTHER = (f"urn:uuid:{letter * 8}-1111-1111-1111-{letter * 12}" for letter in "12")
STORED = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder with files of another user; the first begins as a TIFF."""
    (tmp_path / "theirs").mkdir()
    tifffile.imwrite(tmp_path / "theirs" / "a.tif", np.full((8, 8), 7777, np.uint16), metadata=None)
    with h5py.File(tmp_path / "theirs" / "a.h5", "w") as file:
        file["d"] = np.full((1, 8, 8), 7777, np.uint16)
    return tmp_path / "theirs"


def document(name: str) -> str:
    """An OME-XML whose second channel is in the file `name`."""
    planes = "".join(
        f'<TiffData IFD="0" FirstC="{c}" PlaneCount="1"><UUID FileName="{file}">{uuid}</UUID></TiffData>'
        for c, (file, uuid) in enumerate([("mine.tif", OWN), (name, OTHER)])
    )
    return (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{OWN}"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="8" SizeY="8" SizeC="2" SizeZ="1" SizeT="1">'
        f"{planes}</Pixels></Image></OME>"
    )


@pytest.mark.parametrize("alone", [False, True], ids=["in the TIFF", "alone"])
@pytest.mark.parametrize("name", ["{}/a.tif", "../theirs/a.tif"])
def test_an_ome_tiff_reads_no_file_of_another_folder(tmp_path, secret, name, alone):
    (tmp_path / "mine").mkdir()
    xml = document(name.format(secret))
    tifffile.imwrite(tmp_path / "mine" / "mine.tif", np.ones((8, 8), np.uint16), description=xml, metadata=None)
    (tmp_path / "mine" / "companion.ome").write_text(xml)
    with pytest.raises(UserError, match="plane 1 of 2 is not in this file"):
        open_image(tmp_path / "mine" / ("companion.ome" if alone else "mine.tif"))


def test_an_ome_tiff_reads_a_file_of_its_set_in_its_folder(tmp_path, secret):
    mine = np.ones((8, 8), np.uint16)
    tifffile.imwrite(tmp_path / "mine.tif", mine, description=document("set/a.tif"), metadata=None)
    (tmp_path / "a.tif").write_bytes((secret / "a.tif").read_bytes())
    assert open_image(tmp_path / "mine.tif").read_plane(0, 1, 0).max() == 7777


def test_a_dataset_of_galaxy_is_no_file_of_a_set(tmp_path, secret):
    mine = np.ones((8, 8), np.uint16)
    tifffile.imwrite(tmp_path / "dataset_1.dat", mine, description=document("dataset_2.dat"), metadata=None)
    (tmp_path / "dataset_2.dat").write_bytes((secret / "a.tif").read_bytes())
    with pytest.raises(UserError, match=r"it names the dataset 'dataset_2\.dat' of Galaxy as one of its files"):
        open_image(tmp_path / "dataset_1.dat")


def as_link(group: h5py.Group, secret: Path) -> None:
    group["Data"] = h5py.ExternalLink(secret / "a.h5", "d")


def as_bytes(group: h5py.Group, secret: Path) -> None:
    group.create_dataset("Data", (1, 8, 8), np.uint16, external=[(str(secret / "a.tif"), 0, h5py.h5f.UNLIMITED)])


def as_virtual_array(group: h5py.Group, secret: Path) -> None:
    layout = h5py.VirtualLayout((1, 8, 8), np.uint16)
    layout[:] = h5py.VirtualSource(secret / "a.h5", "d", (1, 8, 8))
    group.create_virtual_dataset("Data", layout)


@pytest.mark.parametrize("stored", [as_link, as_bytes, as_virtual_array])
def test_an_imaris_file_reads_no_other_file(tmp_path, secret, stored):
    write_imaris(tmp_path / "a.ims", np.ones((1, 1, 1, 8, 8), np.uint16))
    assert open_image(tmp_path / "a.ims").read_plane().max() == 1
    with h5py.File(tmp_path / "a.ims", "a") as file:
        del file[STORED]
        stored(file[STORED.rpartition("/")[0]], secret)
    with pytest.raises(UserError, match=rf"Image a\.ims: .*{STORED}.* other files are not read"):
        open_image(tmp_path / "a.ims")


@pytest.mark.parametrize("part", ["0/c/0/0", "0/c/0", "0", "zarr.json", "0/zarr.json", "OME/METADATA.ome.xml", "OME"])
def test_an_ome_zarr_reads_no_file_outside_its_folder(tmp_path, part):
    def write(name: str, value: int) -> Path:
        with PyramidWriter(tmp_path / name, ZarrImage(name, "yx", (8, 8), np.dtype(np.uint16)), "0.5") as writer:
            writer.write(np.full((8, 8), value, np.uint16))
        (tmp_path / name / "OME").mkdir()
        (tmp_path / name / "OME" / "METADATA.ome.xml").write_text(document("mine.tif"))
        return tmp_path / name

    mine, theirs = write("mine", 1), write("theirs", 7777)
    assert open_image(mine).read_plane().max() == 1
    (mine / part).rename(tmp_path / "moved")
    (mine / part).symlink_to(theirs / part)
    with pytest.raises(UserError, match=r"leads .* to a place outside of it"):
        open_image(mine)


def test_links_within_an_ome_zarr_are_followed_and_so_is_one_to_it(tmp_path):
    with PyramidWriter(tmp_path / "a", ZarrImage("a", "yx", (8, 8), np.dtype(np.uint16)), "0.5") as writer:
        writer.write(np.full((8, 8), 5, np.uint16))
    (tmp_path / "a" / "0").rename(tmp_path / "a" / "real")
    (tmp_path / "a" / "0").symlink_to("real")
    (tmp_path / "link").symlink_to("a")
    assert open_image(tmp_path / "link").read_plane().max() == 5
