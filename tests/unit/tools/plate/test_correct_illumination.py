"""correct_illumination: names, metadata and pixel types stay; what cannot be corrected leaves nothing behind."""

import json
from pathlib import Path

import correct_illumination
import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image

DATA = Path(__file__).parents[4] / "test-data" / "plate"
WELLS = ("A1", "A2", "B1", "C3")


def run(folder: Path, names: dict[str, str], *more: str) -> Path:
    listed = [{"path": str(DATA / f"made_{well}.ome.tiff"), "name": name} for name, well in names.items()]
    (folder / "in.json").write_text(json.dumps(listed))
    outputs = [f"--folder={folder / 'out'}", f"--flat-fields={folder / 'flat'}", f"--table={folder / 'table'}"]
    correct_illumination.main([f"--images={folder / 'in.json'}", *outputs, *more])
    return folder


def test_images_keep_what_they_say_of_themselves(tmp_path: Path):
    run(tmp_path, {f"field {well}": well for well in WELLS}, "--channels=DAPI", "--offset=90")
    before, after = (open_image(path) for path in (DATA / "made_B1.ome.tiff", tmp_path / "out/field B1.ome.tiff"))
    assert after.channels == before.channels == ("DAPI", "GFP")
    assert after.physical_size == before.physical_size
    assert after.dtype == before.dtype
    np.testing.assert_array_equal(after.read_plane(c=1), before.read_plane(c=1))
    assert not np.array_equal(after.read_plane(), before.read_plane())
    flat = open_image(tmp_path / "flat")
    corrected = (before.read_plane() - 90.0) / flat.read_plane().astype(float) + 90
    np.testing.assert_allclose(after.read_plane(), np.clip(np.rint(corrected), 0, 65535), atol=1)
    assert (flat.read_plane(c=1) == 1).all()


@pytest.mark.parametrize("name", ["../out", "a/b"])
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str):
    with pytest.raises(UserError, match="has a slash"):
        run(tmp_path, {name: "A1", "b": "A2", "c": "B1"})


def test_a_failed_run_leaves_no_image(tmp_path: Path):
    with pytest.raises(UserError, match="Channel 'Cy5'"):
        run(tmp_path, dict(zip("abc", WELLS, strict=False)), "--channels=Cy5")
    assert not (tmp_path / "out").exists()
