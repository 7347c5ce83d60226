"""An OME-Zarr written straight into one file is the same as one that is packed from a folder."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from bioimage_suite.images.ome_zarr.archive import ArchiveWriter, pack
from bioimage_suite.images.ome_zarr.folder import write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter

PLATE = Plate("p", ("A", "B"), ("1", "2"), {("A", "1"): 1, ("B", "2"): 2})
FIELDS = ("A/1/0", "B/2/0", "B/2/1")


def pixels(field: str) -> np.ndarray:
    return np.random.default_rng(FIELDS.index(field)).integers(0, 1000, (2, 700, 1100), np.uint16)


def write_field(root, field: str, version: str) -> None:
    image = ZarrImage(field, "cyx", (2, 700, 1100), np.dtype("uint16"))
    with PyramidWriter(root / field, image, version) as writer:
        for c, plane in enumerate(pixels(field)):
            for y in range(0, 700, 256):
                writer.write(plane[y : y + 256], y, 0, c=c)


def write_archive(path: Path, version: str) -> None:
    with ArchiveWriter(path, version) as archive:
        write_plate(archive.root, PLATE, version)
        for field in FIELDS:
            write_field(archive.root, field, version)
        archive.add("OME/METADATA.ome.xml", b"<OME/>")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_it_holds_the_same_files_as_a_packed_folder(tmp_path: Path, version: str):
    write_archive(tmp_path / "direct.ozx", version)
    folder = tmp_path / "folder"
    write_plate(folder, PLATE, version)
    for field in FIELDS:
        write_field(folder, field, version)
    (folder / "OME").mkdir()
    (folder / "OME/METADATA.ome.xml").write_bytes(b"<OME/>")
    pack(folder, tmp_path / "packed.ozx", version)
    with zipfile.ZipFile(tmp_path / "direct.ozx") as direct, zipfile.ZipFile(tmp_path / "packed.ozx") as packed:
        assert direct.namelist() == packed.namelist()
        assert all(direct.read(name) == packed.read(name) for name in direct.namelist())
        assert direct.comment == packed.comment
        first = min(direct.infolist(), key=lambda entry: entry.header_offset)
        assert first.filename in ("zarr.json", ".zattrs")


def test_zarr_reads_every_pixel(tmp_path: Path):
    write_archive(tmp_path / "a.zip", "0.5")
    store = zarr.storage.ZipStore(tmp_path / "a.zip", mode="r")
    for field in FIELDS:
        np.testing.assert_array_equal(zarr.open_array(store, path=f"{field}/0", mode="r")[...], pixels(field))


def test_the_same_image_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_archive(tmp_path / name, "0.5")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_that_is_written_twice_is_an_error_and_leaves_no_archive(tmp_path: Path):
    def change() -> None:
        with ArchiveWriter(tmp_path / "a.ozx") as archive:
            write_plate(archive.root, PLATE)
            write_plate(archive.root, Plate("other", ("A",), ("1",), {("A", "1"): 1}))

    with pytest.raises(ValueError, match=r"a\.ozx: zarr\.json was written before"):
        change()
    assert list(tmp_path.iterdir()) == []
