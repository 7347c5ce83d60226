"""Folders for temporary files go with their run, or with the next one if their run was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bioimage_suite.core import scratch_folders
from bioimage_suite.core.scratch_folders import scratch_folder

HOLD = """
import sys, time
from pathlib import Path
from bioimage_suite.core.scratch_folders import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "a").write_text("a")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_folder_goes_with_its_block(tmp_path: Path):
    with scratch_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "a").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_run_goes_with_the_next_one_and_that_of_a_living_run_stays(tmp_path: Path):
    runs = [
        subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    dead, living = (Path(run.stdout.readline().strip()) for run in runs)
    runs[0].send_signal(signal.SIGKILL)
    runs[0].wait()
    assert (dead / "a").exists()
    with scratch_folder(tmp_path):
        assert not dead.exists()
        assert (living / "a").read_text() == "a"
    runs[1].kill()
    runs[1].wait()


def test_what_is_no_folder_of_a_run_or_may_just_be_made_stays(tmp_path: Path):
    other, young, file = tmp_path / "other", tmp_path / "bioimage-suite-new", tmp_path / "bioimage-suite-file"
    other.mkdir()
    young.mkdir()
    file.write_text("mine")
    (tmp_path / "bioimage-suite-link").symlink_to(other)
    with scratch_folder(tmp_path):
        assert young.exists()
    os.utime(young, (0, time.time() - 2 * scratch_folders.UNLOCKED_SECONDS))
    with scratch_folder(tmp_path):
        assert not young.exists()
    assert other.exists()
    assert file.read_text() == "mine"
