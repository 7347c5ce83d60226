"""Files of formats that a package of their own reads: damaged, incomplete, or for a tool without the package."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pydicom
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from tests.unit.images.dicom_files import write_dicom, write_slide
from tests.unit.images.format_files import write_bmp, write_gif, write_ics, write_imaris, write_mrc, write_nrrd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
from tests.unit.images.oib_files import write_oib, write_oif, write_ole

STACK = np.arange(4 * 20 * 30, dtype=np.uint16).reshape(4, 20, 30)
MAKERS: dict[str, Callable[[Path], None]] = {
    "mrc": lambda path: write_mrc(path, STACK),
    "nrrd": lambda path: write_nrrd(path, STACK),
    "gz.nrrd": lambda path: write_nrrd(path, STACK, "gzip"),
    "ics": lambda path: write_ics(path, STACK, "ZYX"),
    "gz.ics": lambda path: write_ics(path, STACK, "ZYX", packed=True),
    "ims": lambda path: write_imaris(path, STACK[None, None]),
    "oib": lambda path: write_oib(path, STACK[None, None]),
    "dcm": lambda path: write_dicom(path, STACK),
    "slide.dcm": lambda path: write_slide(path, STACK[:3].transpose(1, 2, 0).astype("u1")),
    "gif": lambda path: write_gif(path, STACK[:1] % 256),
    "bmp": lambda path: write_bmp(path, STACK[0] % 16, 4),
}  # fmt: skip


def read_last(path: Path) -> None:
    image = open_image(path)
    image.read_plane(image.size_t - 1, 0, image.size_z - 1)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_that_was_cut_short(tmp_path: Path, kind: str):
    path = tmp_path / f"a.{kind}"
    MAKERS[kind](path)
    open_image(path)
    data = path.read_bytes()
    for size in (len(data) // 2, len(data) - 40):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match="damaged or cut short"):
            read_last(path)


@pytest.mark.parametrize("kind", ["mrc", "nrrd", "gif", "ims", "oib", "dcm"])
def test_a_tool_without_the_package(tmp_path: Path, kind: str, monkeypatch):
    MAKERS[kind](tmp_path / f"a.{kind}")
    package = {"mrc": "mrcfile", "nrrd": "nrrd", "gif": "PIL", "ims": "h5py", "oib": "oiffile", "dcm": "pydicom"}[kind]
    real = importlib.import_module

    def missing(name: str, *more: object) -> object:
        if name == package:
            raise ModuleNotFoundError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"which this tool does not read\. Convert it with convert_image first"):
        open_image(tmp_path / f"a.{kind}")


def test_pixels_in_another_file(tmp_path: Path):
    write_ics(tmp_path / "a.ics", STACK, "ZYX", version=1)
    (tmp_path / "a.ids").unlink()
    with pytest.raises(UserError, match=r"version 1, whose pixels are in another file \(\.ids\). Give both to"):
        open_image(tmp_path / "a.ics")
    (tmp_path / "a.nhdr").write_text(
        "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 3 4\nencoding: raw\ndata file: a.raw\n\n"
    )
    with pytest.raises(UserError, match="its pixels are in another file"):
        open_image(tmp_path / "a.nhdr")


def test_an_oif_without_its_planes(tmp_path: Path):
    (tmp_path / "a.oif").write_bytes("[FileInformation]\r\n".encode("utf-16"))
    with pytest.raises(UserError, match="an OIF, whose planes are in other files"):
        open_image(tmp_path / "a.oif")
    files = write_oif(tmp_path / "set", STACK[None, None])
    for name, path in files.items():
        if name.endswith(".tif"):
            path.unlink()
    with pytest.raises(UserError, match="no file given with it is one of its planes"):
        open_image(files["made.oif"])


def test_an_oif_of_a_scan_that_was_stopped(tmp_path: Path, capsys):
    files = write_oif(tmp_path / "set", STACK[None, None])
    files["s_C001Z004T001.tif"].unlink()
    assert open_image(files["made.oif"]).size_z == 3
    assert "its settings promise 4 places along Z, and it has planes of 3" in capsys.readouterr().out


def test_axes_without_a_meaning(tmp_path: Path):
    write_nrrd(tmp_path / "a.nrrd", np.zeros((2, 3, 4, 20, 30), np.uint8))
    with pytest.raises(UserError, match="of which only T, C, Z, Y, X are understood"):
        open_image(tmp_path / "a.nrrd")


def test_hdf5_of_another_program(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["image"] = np.zeros((3, 4))
    with pytest.raises(UserError, match="it is an HDF5 file, but not of Imaris"):
        open_image(tmp_path / "a.h5")


@pytest.mark.parametrize(("unit", "said", "size"), [
    ("mm", {}, 500), ("", {}, 0.5), ("furlong", {}, None), ("um", {"ExtMax0": "0"}, None),
    ("um", {"ExtMax0": "nan"}, None), ("nm", {"ExtMin0": "1000"}, 985 / 30 / 1000),
])  # fmt: skip
def test_sizes_of_imaris(tmp_path: Path, unit: str, said: dict[str, object], size: float | None):
    write_imaris(tmp_path / "a.ims", STACK[None, None], unit, **said)
    assert open_image(tmp_path / "a.ims").micrometres("x") == (size and pytest.approx(size))


def test_an_ole_file_of_another_program(tmp_path: Path):
    write_ole(tmp_path / "a.doc")
    with pytest.raises(UserError, match="it is an OLE file, but no OIB of Olympus"):
        open_image(tmp_path / "a.doc")


def test_dicom_without_an_image(tmp_path: Path):
    write_dicom(tmp_path / "a.dcm", STACK)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    del data.PixelData, data.Rows, data.Columns
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(UserError, match="the DICOM file holds no image"):
        open_image(tmp_path / "a.dcm")
