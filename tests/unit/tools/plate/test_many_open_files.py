"""More images than the usual number of open files: the tool asks for more, or says what to do where there are none."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile

from scripts.suite_files import tool_script

IMAGES, FEW = 80, 64  # open files; Python and its libraries need a dozen


def correct(folder: Path, most: int) -> subprocess.CompletedProcess[str]:
    listed = []
    for number in range(IMAGES):
        pixels = np.full((8, 8), 100 + number, np.uint16)
        tifffile.imwrite(folder / f"{number}.tiff", pixels, compression="zlib")
        listed.append({"path": str(folder / f"{number}.tiff"), "name": f"image {number}"})
    (folder / "list.json").write_text(json.dumps(listed))
    out = folder / "out"
    return subprocess.run(
        [sys.executable, str(tool_script("correct_illumination")), "--images", str(folder / "list.json"),
         "--folder", str(out), "--flat-fields", str(folder / "flat.tiff"), "--table", str(folder / "table.tsv")],
        check=False, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, most)),
    )  # fmt: skip


def test_a_list_of_more_images_than_files_are_usually_open(tmp_path: Path):
    done = correct(tmp_path, 1024)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == IMAGES


def test_where_no_more_files_may_be_open_the_error_says_so_and_blames_no_image(tmp_path: Path):
    done = correct(tmp_path, FEW)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: too many files are open at once: [Errno 24] ")
    assert "`ulimit -n`" in done.stderr
    assert not (tmp_path / "out").exists()
