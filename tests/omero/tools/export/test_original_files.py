"""omero_export_images: the files that images were imported from."""

import zipfile
from pathlib import Path

import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from sandbox.omero.client_import import ImportOptions, import_with_options
from tests.omero.tool_support import Lab, typed
from tests.omero.tools.export.pictures import by_id, five_d, import_series, noise


def test_files_of_a_fileset_stay_together_in_their_folders(lab: Lab, export, tmp_path: Path):
    images, files = import_series(lab, tmp_path)
    [path], rows = export(typed("image", ",".join(map(str, images)), by="id"), kind="original")
    assert path.name.startswith("Fileset_")
    assert path.name.endswith("_im.ome.tiff__zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert [row["image_id"] for row in rows] == [str(image) for image in images]
    assert {row["checked"] for row in rows} == {"SHA1-160 of 2 files"}


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [("MD5-128", "MD5-128"), ("CRC-32", "CRC-32"), ("Adler-32", "Adler-32"), ("File-Size-64", "size")],
)
def test_a_single_file_comes_as_it_is_and_is_checked_as_omero_can(lab: Lab, export, tmp_path: Path, algorithm, said):
    source = tmp_path / "cell.tif"
    tifffile.imwrite(source, noise((20, 30)), metadata=None)
    [image] = import_with_options(lab.client, [source], ImportOptions(algorithm=algorithm)).image_ids
    [path], [row] = export(by_id(image), kind="original")
    assert path.name == f"Image_{image}_cell.tif__tiff"
    assert path.read_bytes() == source.read_bytes()
    assert (row["image"], row["checked"]) == (f"Image_{image}_cell.tif", f"{said} of 1 file")


def test_an_image_that_was_not_imported_has_no_original(lab: Lab, export):
    image = five_d(lab, noise((1, 1, 1, 4, 4)), "made")
    with pytest.raises(UserError, match=f"image {image} 'made': it was not imported from files"):
        export(by_id(image), kind="original")


def test_a_file_that_is_not_what_was_imported_is_refused(lab: Lab, export, tmp_path: Path, monkeypatch):
    from bioimage_suite.omero.images import fileset_files

    images, _ = import_series(lab, tmp_path)
    original = fileset_files._read
    monkeypatch.setattr(fileset_files, "_read", lambda *args: original(*args)[:-1] + b"!")
    with pytest.raises(UserError, match=r"its SHA1-160 is [0-9a-f]{40}, but [0-9a-f]{40} in OMERO"):
        export(by_id(images[0]), kind="original")
    assert not list((tmp_path / "images").glob("*"))


def test_a_download_goes_on_where_the_connection_broke(lab: Lab, export, tmp_path: Path, monkeypatch, proxy):
    from bioimage_suite.omero import reconnect
    from bioimage_suite.omero.images import fileset_files

    images, files = import_series(lab, tmp_path)
    monkeypatch.setattr(reconnect, "LARGEST", 1000)
    blocks = []
    original = fileset_files._read

    def counted(store, file, position, most):
        blocks.append(position)
        if len(blocks) in (1, 3):
            proxy.interrupt()
        return original(store, file, position, most)

    monkeypatch.setattr(fileset_files, "_read", counted)
    [path], _ = export(by_id(images[0]), kind="original", omero_host=proxy.address)
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert blocks[:2] == [0, 0]  # the first block is asked for again, not the file from its beginning
    assert len(blocks) == 2 + sum(-(-len(data) // 1000) for data in files.values())
