"""Plates whose original files the server does not let users download: the tools take the pixels, and say so.

By default OMERO lets nobody download the original files of images in plates (omero-server,
src/main/java/ome/security/policy/BinaryAccessPolicy.java; omero-server.properties has no `+plate`).
"""

from pathlib import Path

import numpy as np
import omero
import omero_export_images
import omero_transfer
import pytest
import tifffile
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files.filesets import ImageFileset, SourceFile, single_file
from bioimage_suite.omero.files.imports import ImportRun, import_fileset
from bioimage_suite.omero.files.original_files import file_sha1
from bioimage_suite.omero.session import open_session
from tests.omero.tool_support import (
    Lab,
    all_counts,
    allow_downloads,
    picture,
    pixels_of,
    plate_members,
    read_rows,
    typed,
)

WELLS = {"A/1": [picture(1), picture(2)], "B/2": [picture(3)]}
SAID = "as OME-TIFF: the server does not allow the download of its original files (omero.policy.binary_access)"


@pytest.fixture
def plate(lab: Lab, tmp_path: Path) -> int:
    """A plate as OME-Zarr in screen s, imported as one fileset; its three images have their files together."""
    members = plate_members(WELLS, tmp_path)
    paths = [tmp_path / "p.zarr" / name.partition("/")[2] for name in members]
    order = sorted(zip(members, paths, strict=True), key=lambda one: one[0].count("/"))
    files = tuple(SourceFile(name, path, file_sha1(path)) for name, path in order)
    screen = lab.container("Screen", "s")
    with open_session(lab.address) as session:
        import_fileset(session, ImportRun(), ImageFileset("p", files), None, screen_id=screen)
    return lab.rows("select p.id from Plate p")[0][0]


def single(lab: Lab, folder: Path, dataset: int) -> int:
    """An image of one file, in no plate."""
    path = folder / "one.tif"
    tifffile.imwrite(path, picture(7))
    with open_session(lab.address) as session:
        [image] = import_fileset(session, ImportRun(), single_file("one", "one.tif", path), dataset)
    return image


def export(lab: Lab, folder: Path, target: dict) -> tuple[dict[str, Path], list[dict[str, str]]]:
    outputs = lab.run(
        omero_export_images,
        folder,
        {"folder": "images", "metadata": "meta.tsv"},
        target=target,
        format={"kind": "original"},
    )
    return {path.name: path for path in outputs["folder"].iterdir()}, read_rows(outputs["metadata"])


def test_export_of_originals_takes_pixels_where_files_are_restricted(lab: Lab, tmp_path: Path, plate: int, capsys):
    files, rows = export(lab, tmp_path, typed("plate", plate, by="id"))
    assert len(files) == 3
    assert all(name.endswith("__ome.tiff") for name in files)
    assert [row["status"] for row in rows] == [f"exported {SAID}"] * 3
    for row in rows:
        found = tifffile.imread(files[f"{row['image']}__ome.tiff"])
        np.testing.assert_array_equal(found.squeeze(), pixels_of(lab, row["image_id"]).squeeze())
    assert capsys.readouterr().out.count(SAID) == 3


@pytest.mark.usefixtures("plate")
def test_files_outside_of_plates_are_exported_as_they_are(lab: Lab, tmp_path: Path):
    image = single(lab, tmp_path, lab.container("Dataset", "d"))
    [[well_image]] = lab.rows("select min(s.image.id) from WellSample s")
    files, rows = export(lab, tmp_path, typed("image", f"{image},{well_image}", by="id"))
    status = {row["image_id"]: row["status"] for row in rows}
    assert status == {str(image): "exported", str(well_image): f"exported {SAID}"}
    assert files[f"Image_{image}_one.tif__tiff"].read_bytes() == (tmp_path / "one.tif").read_bytes()


def test_originals_of_plates_are_exported_where_the_setting_allows(lab: Lab, tmp_path: Path, plate: int):
    allow_downloads(lab, "+plate")
    files, rows = export(lab, tmp_path, typed("plate", plate, by="id"))
    assert [name.rpartition("__")[2] for name in files] == ["zip"]
    assert [row["status"] for row in rows] == ["exported"] * 3


@pytest.mark.parametrize("policy", ["", "+plate"])
@pytest.mark.usefixtures("plate")
def test_a_plate_is_transferred_with_its_files_or_with_its_pixels(lab: Lab, tmp_path: Path, monkeypatch, policy: str):
    if policy:
        allow_downloads(lab, policy)
    do = {"mode": "pack", "target": typed("screen", "s")}
    packed = lab.run(omero_transfer, tmp_path, {"crate": "crate.zip", "output": "packed.tsv"}, do=do)
    rows = read_rows(packed["output"])
    assert [row["status"] for row in rows] == ["packed" if policy else f"packed {SAID}"] * 3
    other = lab.stranger()
    other.sign_in()
    monkeypatch.chdir(tmp_path)
    do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(packed["crate"])}}

    def unpack() -> list[dict[str, str]]:
        outputs = {"output": "images.tsv", "containers": "containers.tsv"}
        return read_rows(other.run(omero_transfer, tmp_path, outputs, do=do)["output"])

    assert [row["status"] for row in unpack()] == ["made"] * 3
    places = "select w.row, w.column, count(s) from WellSample s join s.well w group by w.row, w.column order by w.row"
    assert other.rows(places) == lab.rows(places) == [[0, 0, 2], [1, 1, 1]]
    images = "select s.image.id from WellSample s order by s.well.row, s.id"
    for [copied], [source] in zip(other.rows(images), lab.rows(images), strict=True):
        np.testing.assert_array_equal(pixels_of(other, copied), pixels_of(lab, source))
    before = all_counts(other)
    assert [row["status"] for row in unpack()] == ["unchanged"] * 3
    assert all_counts(other) == before


def test_an_attachment_that_is_restricted_names_the_setting(lab: Lab, tmp_path: Path):
    image = lab.image("a", picture(1), lab.container("Dataset", "d"))
    file, annotation = omero.model.OriginalFileI(), omero.model.FileAnnotationI()
    file.name, file.path, file.size = rstring("notes.csv"), rstring(""), omero.rtypes.rlong(3)
    number = lab.save(file)
    store = lab.session.createRawFileStore()
    store.setFileId(number)
    store.write(b"abc", 0, 3)
    store.save()
    store.close()
    annotation.file = omero.model.OriginalFileI(number, False)
    lab.annotate(image, annotation)
    allow_downloads(lab, "-write")
    do = {"mode": "pack", "target": typed("dataset", "d")}
    message = (
        r"attachment \d+ 'notes.csv': the server does not allow its download .* setting omero.policy.binary_access"
    )
    with pytest.raises(UserError, match=message):
        lab.run(omero_transfer, tmp_path, {"crate": "crate.zip", "output": "packed.tsv"}, do=do)
