"""A header that tells of fewer pixels than a file has: what is not read is said, and rows are never cut elsewhere."""

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import planes_left
from bioimage_suite.images.readers.opening import open_image
from tests.unit.images.dicom_files import write_dicom
from tests.unit.images.format_files import write_ics, write_imaris, write_mrc
from tests.unit.images.vendor_files import write_dv, write_lif

STACK = np.random.default_rng(1).integers(1, 4000, (3, 32, 40)).astype(np.uint16)
WRITERS = {
    "a.ics": lambda path: write_ics(path, STACK, "ZYX"),
    "packed.ics": lambda path: write_ics(path, STACK, "ZYX", packed=True),
    "a.mrc": lambda path: write_mrc(path, STACK),
    "a.dv": lambda path: write_dv(path, STACK[None, None]),
    "a.dcm": lambda path: write_dicom(path, STACK),
    "a.lif": lambda path: write_lif(path, STACK[None, None]),
}


def with_two_planes(path: Path) -> None:
    """Let the header tell of two of the three planes."""
    data = path.read_bytes()
    if path.suffix == ".ics":
        data = data.replace(b"16\t40\t32\t3", b"16\t40\t32\t2")
    elif path.suffix == ".dcm":
        data = data.replace(b"IS\x02\x003 ", b"IS\x02\x002 ")
    elif path.suffix == ".lif":
        data = data.replace(*(f'NumberOfElements="{count}"'.encode("utf-16-le") for count in (3, 2)))
    else:
        data = data[:8] + struct.pack("<i", 2) + data[12:]
    path.write_bytes(data)


@pytest.mark.parametrize("name", WRITERS)
def test_planes_that_a_header_leaves_out_are_said(tmp_path, capsys, name):
    WRITERS[name](tmp_path / name)
    whole = open_image(tmp_path / name)
    expected = whole.read_plane(0, 0, 1).copy()
    assert "NOTE" not in capsys.readouterr().out
    with_two_planes(tmp_path / name)
    cut = open_image(tmp_path / name)
    assert (whole.size_z, cut.size_z) == (3, 2)
    np.testing.assert_array_equal(cut.read_plane(0, 0, 1), expected)
    more = "2,560 bytes behind the pixels" if name == "a.lif" else "bytes of 1 more of its planes"
    assert more in capsys.readouterr().out


def test_bytes_left_that_are_no_planes_show_a_wrong_size():
    assert planes_left(3840 * 2 + 79, STACK.shape, 2) == ()
    with pytest.raises(ValueError, match=r"it has 8,000 bytes of pixels, its sizes \(3, 32, 40\) ask for 7,680"):
        planes_left(8000, STACK.shape, 2)
    # As in MR_small_padded.dcm of pydicom.
    assert planes_left(8320, (1, 64, 64), 2, padded=True) == (
        "128 bytes behind the pixels that the header tells of are not read",
    )


def test_a_size_of_an_imaris_file_that_is_smaller_than_its_blocks_is_said(tmp_path, capsys):
    write_imaris(tmp_path / "a.ims", STACK[None, None])
    with h5py.File(tmp_path / "a.ims", "a") as file:
        file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"].attrs["ImageSizeX"] = np.array([*"20"], "S1")
    assert open_image(tmp_path / "a.ims").size_x == 20
    assert "its arrays are larger along X than the size that it states" in capsys.readouterr().out


def test_an_extended_header_longer_than_its_file_is_refused_before_it_takes_memory(tmp_path):
    write_mrc(tmp_path / "a.mrc", STACK)
    data = (tmp_path / "a.mrc").read_bytes()
    (tmp_path / "a.mrc").write_bytes(data[:92] + struct.pack("<i", 1 << 30) + data[96:])
    with pytest.raises(UserError, match="it states an extended header of"):
        open_image(tmp_path / "a.mrc")
