"""Pixels that OMERO still prepares: tools wait as the server says, print why, and give up at a bound."""

from pathlib import Path

import numpy as np
import omero_export_images
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import waiting
from bioimage_suite.omero.files.filesets import single_file
from bioimage_suite.omero.files.imports import ImportRun, import_fileset
from bioimage_suite.omero.session import open_session
from bioimage_suite.omero.waiting import PixelsWait
from sandbox.omero.server.trials import ANSWER_KEY, LOCK_TIMEOUT_KEY, MISSING_PYRAMID_KEY
from tests.omero.tool_support import Lab, read_rows, setting, typed

BIG = (3200, 3200)  # Pixels of a plane: above 3192 x 3192, OMERO needs a pyramid.


def import_image(lab: Lab, folder: Path, pixels: np.ndarray) -> int:
    path = folder / "source.tif"
    tifffile.imwrite(path, pixels)
    with open_session(lab.address) as session:
        [image] = import_fileset(session, ImportRun(), single_file("a", "a.tif", path), None)
    return image


def export(lab: Lab, folder: Path, image: int, **form) -> tuple[np.ndarray, list[dict[str, str]]]:
    outputs = lab.run(
        omero_export_images,
        folder,
        {"folder": "images", "metadata": "meta.tsv"},
        target=typed("image", image, by="id"),
        format={"kind": "ome_tiff", "selection": form},
    )
    [path] = outputs["folder"].iterdir()
    return tifffile.imread(path), read_rows(outputs["metadata"])


def test_a_large_image_is_exported_when_its_pyramid_is_there(lab: Lab, tmp_path: Path, capsys):
    pixels = np.random.default_rng(0).integers(0, 9, BIG, np.uint8)
    image = import_image(lab, tmp_path, pixels)
    with setting(lab, MISSING_PYRAMID_KEY, 700):
        found, [row] = export(lab, tmp_path, image)
    np.testing.assert_array_equal(found, pixels)
    assert row["status"] == "exported"
    lines = [line for line in capsys.readouterr().out.splitlines() if "pyramid" in line]
    assert len(lines) >= 2
    assert lines[0] == (
        f"image {image} 'a.tif': OMERO makes its pyramid (resolution levels); asking again in 0.1 s "
        "(waited 0 of at most 900 s)"
    )


def test_resolution_levels_are_waited_for(lab: Lab, tmp_path: Path, capsys):
    image = import_image(lab, tmp_path, np.zeros(BIG, np.uint8))
    with setting(lab, MISSING_PYRAMID_KEY, 300), pytest.raises(UserError, match="resolution level 9 is not there"):
        export(lab, tmp_path, image, level="9")
    assert "OMERO makes its pyramid" in capsys.readouterr().out


def test_locked_pixels_are_waited_for(lab: Lab, tmp_path: Path, capsys):
    pixels = np.arange(600, dtype=np.uint8).reshape(20, 30)
    image = import_image(lab, tmp_path, pixels)
    with setting(lab, LOCK_TIMEOUT_KEY, 300), setting(lab, ANSWER_KEY, 5):
        found, _ = export(lab, tmp_path, image)
    np.testing.assert_array_equal(found, pixels)
    assert "OMERO is not ready with its pixels (Import in progress.)" in capsys.readouterr().out


def test_the_tool_gives_up_at_the_bound_and_leaves_nothing(lab: Lab, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(waiting, "LONGEST_WAIT", 0.3)
    image = import_image(lab, tmp_path, np.zeros(BIG, np.float32))  # OMERO makes no pyramid of these.
    with (
        setting(lab, MISSING_PYRAMID_KEY, 1),
        pytest.raises(
            UserError, match=rf"image {image} 'a.tif': .* was not ready after 0 s. Run the tool again later; "
        ),
    ):
        export(lab, tmp_path, image)
    assert not list((tmp_path / "images").glob("*"))
    [row] = read_rows(tmp_path / "meta.tsv")
    assert row["status"].startswith(f"failed: image {image} 'a.tif': OMERO makes its pyramid")


@pytest.mark.parametrize(("back_off", "seconds"), [(250, 0.25), (1, 0.1), (10**9, 60.0), (0, 5.0)])
def test_the_time_between_attempts_is_the_servers_within_bounds(back_off: int, seconds: float):
    import omero

    slept: list[float] = []
    answers = iter([omero.LockTimeout("", "", "locked", back_off, 0), omero.TryAgain("", "", "", back_off)] * 2)

    def request() -> str:
        if len(slept) == 3:
            return "pixels"
        raise next(answers)

    assert PixelsWait(slept.append).until_ready(request, "image 1") == "pixels"
    assert slept == [seconds] * 3


def test_a_run_that_ends_stops_waiting():
    import omero

    def request() -> None:
        raise omero.LockTimeout("", "", "locked", 100, 0)

    with pytest.raises(UserError, match=r"image 1: OMERO is not ready with its pixels \(locked\)"):
        PixelsWait(lambda _: True).until_ready(request, "image 1")


def test_what_is_no_waiting_passes():
    import omero

    def request() -> None:
        raise omero.OptimisticLockException("", "", "changed", 100)

    with pytest.raises(omero.OptimisticLockException):
        PixelsWait(lambda _: False).until_ready(request, "image 1")
