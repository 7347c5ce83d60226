"""Which OME-XML tells of the pages of a file: its own, that of a companion, or none that this file can be read by."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.images.tiff.ome_planes import ElsewhereError, document_of_pages

UUIDS = ("urn:uuid:11111111-1111-1111-1111-111111111111", "urn:uuid:22222222-2222-2222-2222-222222222222")


def document(root: str | None, *files: tuple[str, str]) -> str:
    """OME-XML of two channels of three z-planes, one `TiffData` for each file (uuid, name)."""
    data = "".join(
        f'<TiffData FirstC="{number}" PlaneCount="{6 // len(files)}"><UUID FileName="{name}">{uuid}</UUID></TiffData>'
        for number, (uuid, name) in enumerate(files)
    )
    return (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{f" UUID={root!r}" if root else ""}>'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint8" DimensionOrder="XYZCT" SizeX="5" SizeY="4" SizeZ="3" '
        f'SizeC="2" SizeT="1"><Channel ID="Channel:0:0"/><Channel ID="Channel:0:1"/>{data}</Pixels></Image></OME>'
    )


def test_a_file_that_knows_itself(tmp_path):
    assert document_of_pages(document(UUIDS[0], (UUIDS[0], "old.ome.tif")), tmp_path / "new.dat") is None


def test_a_renamed_file_without_an_identity(tmp_path):
    """Bio-Formats 7.3.1 reads it: 2 channels, 3 z-planes."""
    path = tmp_path / "new.dat"
    tifffile.imwrite(path, np.zeros((6, 4, 5), "u1"), photometric="minisblack", metadata=None)
    xml = document_of_pages(document(None, (UUIDS[0], "old.ome.tif")), path)
    with tifffile.TiffFile(path, omexml=xml) as tiff:
        assert (tiff.series[0].kind, tiff.series[0].axes, tiff.series[0].shape) == ("ome", "CZYX", (2, 3, 4, 5))


def test_a_file_that_names_another_one(tmp_path):
    """Bio-Formats 7.3.1: Missing file old.ome.tif associated with UUID."""
    with pytest.raises(ElsewhereError, match=r"'old\.ome\.tif'"):
        document_of_pages(document(UUIDS[1], (UUIDS[0], "old.ome.tif")), tmp_path / "new.dat")


def test_a_set_of_files_is_for_the_library(tmp_path):
    xml = document(UUIDS[0], (UUIDS[0], "a.ome.tif"), (UUIDS[1], "b.ome.tif"))
    assert document_of_pages(xml, tmp_path / "a.ome.tif") is None


POINTER = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><BinaryOnly MetadataFile="set.companion.ome" '
    'UUID="urn:uuid:33333333-3333-3333-3333-333333333333"/></OME>'
)


def test_a_companion_beside_the_file(tmp_path):
    (tmp_path / "set.companion.ome").write_text(document(UUIDS[0], (UUIDS[1], "a.ome.tif")), encoding="utf-8")
    assert "SizeZ" in document_of_pages(POINTER, tmp_path / "a.ome.tif")


def test_a_companion_that_is_missing(tmp_path):
    with pytest.raises(ElsewhereError, match=r"'set\.companion\.ome'"):
        document_of_pages(POINTER, tmp_path / "a.ome.tif")


def test_broken_xml(tmp_path):
    with pytest.raises(ElsewhereError, match="broken"):
        document_of_pages("<OME><Image>", tmp_path / "a.ome.tif")
