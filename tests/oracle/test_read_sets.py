"""Files that form one image are joined as Bio-Formats joins them, also where an upload renamed them."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import convert_image
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.file_sets import joined
from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, Series, checksum
from tests.unit.images.format_files import write_ics
from tests.unit.images.oib_files import write_oif

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

STACK = np.random.default_rng(0).integers(0, 999, (2, 3, 20, 30)).astype("u2")  # C, Z, Y, X
UUIDS = [f"urn:uuid:{digit * 8}-1111-1111-1111-111111111111" for digit in "129"]
OME = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{}">'
POINTER = f'{OME}<BinaryOnly MetadataFile="set.companion.ome" UUID="{UUIDS[2]}"/></OME>'


def whole(uuid: str) -> str:
    """The document of a set: each of two files has a channel."""
    data = "".join(
        f'<TiffData FirstC="{c}" PlaneCount="3"><UUID FileName="{c}.ome.tif">{UUIDS[c]}</UUID></TiffData>'
        for c in range(2)
    )
    return (
        f'{OME.format(uuid)}<Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" SizeX="30" '
        'SizeY="20" SizeZ="3" SizeC="2" SizeT="1"><Channel ID="Channel:0:0" Name="a" SamplesPerPixel="1"/>'
        f'<Channel ID="Channel:0:1" Name="b" SamplesPerPixel="1"/>{data}</Pixels></Image></OME>'
    )


def write_set(folder: Path, kind: str) -> list[Path]:
    """Write a set whose files repeat the document, point to a companion, or know nothing of it."""
    folder.mkdir()
    files = [folder / f"{c}.ome.tif" for c in range(2)]
    for c, path in enumerate(files):
        xml = {"repeated": whole(UUIDS[c]), "companion": POINTER.format(UUIDS[c]), "plain": None}[kind]
        tifffile.imwrite(path, STACK[c], photometric="minisblack", metadata=None, compression="zlib",
                         description=xml and xml.encode())  # fmt: skip
    if kind != "repeated":
        files.append(folder / "set.companion.ome")
        files[-1].write_text(whole(UUIDS[2]))
    return files


def assert_same(image: ImageFile, series: Series, *, channels: bool = True) -> None:
    assert {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert {place: checksum(image.read_plane(*place)) for place in places} == series.planes
    if channels:
        assert image.channels == tuple(channel.name for channel in series.channels)


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("kind", ["repeated", "companion", "plain"])
def test_a_set_is_joined(tmp_path: Path, oracle: BioFormats, kind: str, renamed: bool):
    files = write_set(tmp_path / "set", kind)
    expected = oracle.read(files[-1]).series[0]
    if kind == "plain" and renamed:
        pytest.skip("nothing tells which file is which")
    given = {path.name: path for path in files}
    if renamed:
        given = {f"upload {n}": tmp_path / f"dataset_{n}.dat" for n in range(len(files))}
        for path, moved in zip(files, given.values(), strict=True):
            shutil.move(path, moved)
    with joined(given) as path:
        assert_same(open_image(path), expected)
    (tmp_path / "list.json").write_text(json.dumps([[name, str(one)] for name, one in given.items()]))
    convert_image.main(
        [f"--files={tmp_path / 'list.json'}", "--format=ome-tiff", f"--output={tmp_path / 'b.ome.tiff'}"]
    )
    assert_same(open_image(tmp_path / "b.ome.tiff"), expected)
    assert_same(open_image(tmp_path / "b.ome.tiff"), oracle.read(tmp_path / "b.ome.tiff").series[0])


def packed(path: Path, files: dict[str, Path]) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("__MACOSX/._made.oif", b"of macOS")
        for name, one in files.items():
            out.write(one, name)
    return path


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", ["oif", "ics", "packed ics"])
def test_heads_with_files_of_pixels(tmp_path: Path, oracle: BioFormats, kind: str, zipped: bool):
    """Planes of an OIF lie in a folder; the pixels of an ICS of version 1 in one file."""
    if kind == "oif":
        files = write_oif(tmp_path / "set", np.stack([STACK, STACK + 1]))  # T, C, Z, Y, X
    else:
        (tmp_path / "set").mkdir()
        write_ics(tmp_path / "set" / "made.ics", STACK, "CZYX", version=1, packed=kind.startswith("packed"))
        files = {one.name: one for one in (tmp_path / "set").iterdir()}
    head = next(path for name, path in files.items() if name.endswith((".oif", ".ics")))
    expected = oracle.read(head).series[0]
    assert_same(open_image(head), expected, channels=kind == "oif")
    given = {name: shutil.copy(path, tmp_path / f"{n}.dat") for n, (name, path) in enumerate(files.items())}
    if zipped:
        inside = {str(path.relative_to(tmp_path)): path for path in files.values()}
        given = {"upload": packed(tmp_path / "set.zip", inside)}
    (tmp_path / "list.json").write_text(json.dumps([[name, str(one)] for name, one in given.items()]))
    convert_image.main(
        [f"--files={tmp_path / 'list.json'}", "--format=ome-tiff", f"--output={tmp_path / 'b.ome.tiff'}"]
    )
    assert_same(open_image(tmp_path / "b.ome.tiff"), expected, channels=kind == "oif")
    assert open_image(tmp_path / "b.ome.tiff").micrometres("x") == pytest.approx(expected.physical["x"][0])


@pytest.mark.parametrize("kind", ["repeated", "companion"])
def test_a_file_of_a_set_is_missing(tmp_path: Path, kind: str):
    files = write_set(tmp_path / "set", kind)
    files[0].unlink()
    with joined({path.name: path for path in files[1:]}) as path, pytest.raises(UserError, match="not in this file"):
        open_image(path)
    alone = files[1]
    with pytest.raises(UserError, match="convert_image"):
        open_image(shutil.copy(alone, tmp_path / "alone.tif"))


def test_what_is_no_set(tmp_path: Path):
    files = write_set(tmp_path / "set", "companion")
    (tmp_path / "a.txt").write_text("text")
    oif = write_oif(tmp_path / "olympus", STACK[None, :, :1])["made.oif"]
    write_ics(ics := tmp_path / "a.ics", STACK, "CZYX", version=1)
    for given, message in (
        ({"a.txt": tmp_path / "a.txt"}, "neither a TIFF nor the OME-XML"),
        ({"a.zip": packed(tmp_path / "e.zip", {})}, "there are no files in it"),
        ({"a.zip": packed(tmp_path / "b.zip", {"a/x": files[0], "b/x": files[1]})}, "two files in it are called x"),
        ({"a.zip": packed(tmp_path / "c.zip", {"../x": files[0]})}, "would leave its folder"),
        ({f"{n}.oif": one for n, one in enumerate([oif, oif])}, "each is the head of an image"),
        ({"a.ics": ics, "b.ids": files[0], "c.ids": files[0]}, "one file of pixels"),
        ({"x": files[2]}, "there are no TIFF files beside it"),
        ({"x": files[2], "y": files[2], "z": files[0]}, "each is the OME-XML of a set"),
    ):
        with pytest.raises(UserError, match=message), joined(given):
            pass
    with pytest.raises(UserError, match="it is the OME-XML of a set whose pixels are in other files"):
        open_image(shutil.copy(files[2], tmp_path / "alone.companion.ome"))
    outside = {"../../escape.tif": files[0], "set.companion.ome": files[2], "1.ome.tif": files[1]}
    with joined(outside) as path:
        assert {one.name for one in path.parent.iterdir()} == {*(one.name for one in files), "escape.tif"}
