"""Every image of a file at once."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.images.model.series import Reading, SeriesDocuments
from bioimage_suite.images.ome_zarr.archive import ArchiveWriter
from bioimage_suite.images.ome_zarr.folder import write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter
from bioimage_suite.images.readers import zarr as reader
from bioimage_suite.images.readers.opening import open_image, open_images


def plate(path: Path) -> list[np.ndarray]:
    fields = [np.full((4 + number, 5), number, np.uint16) for number in range(3)]
    with ArchiveWriter(path) as archive:
        write_plate(archive.root, Plate("p", ("A", "B"), ("1", "2"), {("A", "2"): 1, ("B", "1"): 2}))
        for place, pixels in zip(("A/2/0", "B/1/0", "B/1/1"), fields, strict=True):
            with PyramidWriter(archive.root / place, ZarrImage(place, "yx", pixels.shape, pixels.dtype)) as writer:
                writer.write(pixels)
    return fields


def test_the_fields_of_a_plate_come_in_their_order_and_the_plate_is_described_once(tmp_path: Path, monkeypatch):
    fields = plate(tmp_path / "p.ozx")
    sought, described = [], reader._places
    monkeypatch.setattr(reader, "_places", lambda *given: sought.append(given) or described(*given))
    images = open_images(tmp_path / "p.ozx", "a plate")
    assert len(sought) == 1
    for number, (image, pixels) in enumerate(zip(images, fields, strict=True)):
        assert (image.name, image.details["series"][number]) == ("a plate", ("A/2/0", "B/1/0", "B/1/1")[number])
        whole = image.read_region(0, 0, 0, slice(0, image.size_y), slice(0, image.size_x))
        np.testing.assert_array_equal(whole, pixels)


@pytest.mark.parametrize("count", [1, 3])
def test_the_images_of_a_tiff_are_those_that_are_opened_one_by_one(tmp_path: Path, count: int):
    path = tmp_path / "a.ome.tiff"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for number in range(count):
            writer.write(np.full((4, 5 + number), number, np.uint8), metadata={"axes": "YX", "Name": f"n{number}"})
    images = open_images(path)
    assert [image.size_x for image in images] == [5 + number for number in range(count)]
    if count == 1:
        assert open_image(path).size_x == images[0].size_x


def test_a_tiff_of_many_images_is_opened_and_its_document_parsed_once(tmp_path: Path, monkeypatch):
    path, count = tmp_path / "a.ome.tiff", 40
    with tifffile.TiffWriter(path, ome=True) as writer:
        for number in range(count):
            writer.write(np.full((4, 5), number, np.uint8), metadata={"axes": "YX", "Name": f"n{number}"})
    one_by_one = [open_image(path, reading=Reading(series=number)) for number in range(count)]
    opened, opens = [], tifffile.TiffFile
    monkeypatch.setattr(tifffile, "TiffFile", lambda *given, **how: opened.append(given) or opens(*given, **how))
    images = open_images(path)
    assert len(opened) == 1
    assert [image.details["ome_xml"] for image in images] == [image.details["ome_xml"] for image in one_by_one]
    assert [image.details["series"] for image in images] == [[f"n{number}" for number in range(count)]] * count
    assert len({id(image.details["series"]) for image in images}) == 1
    assert [image.read_plane().max() for image in images] == list(range(count))


@given(st.lists(st.sampled_from(["Image", "Plate", "Instrument"]), max_size=8))
def test_a_document_of_one_image_is_the_whole_without_the_others(names: list[str]):
    def document(kept: int | None = None) -> str:
        root = ET.Element("{o}OME")
        number = -1
        for place, name in enumerate(names):
            number += name == "Image"
            if name != "Image" or kept in {None, number}:
                ET.SubElement(root, f"{{o}}{name}", ID=str(place))
        return ET.tostring(root, encoding="unicode")

    documents = SeriesDocuments(document())
    for number in [*range(names.count("Image")), 0]:
        assert documents.of(number) == (document(number) if names.count("Image") > 1 else document())
    assert documents.of(len(names)) == document()
    assert SeriesDocuments(None).of(0) is None
