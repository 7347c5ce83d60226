import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.galaxy.secret_watch import LAUNCHER, SecretWatch, command_lines_with, files_with


def test_a_secret_on_a_command_line_is_seen(tmp_path: Path):
    secret = b"canary-8f1c"
    script = "print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, secret.decode()], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        assert command_lines_with(secret, tmp_path.parent) == {f"command line of {sys.executable}"}
        assert command_lines_with(secret, tmp_path / "elsewhere") == set()
        process.communicate(b"\n")
    assert command_lines_with(secret, tmp_path) == set()


def test_a_secret_in_a_file_is_seen_but_for_galaxys_launcher(tmp_path: Path):
    job = tmp_path / "data" / "jobs" / "1"
    job.mkdir(parents=True)
    for name in ("galaxy_12.sh", "tool_script.sh", "galaxy_12.sh.old"):
        (job / name).write_bytes(b"x canary-8f1c y")
    (job / "clean").write_bytes(b"canary")
    (job / "link").symlink_to(job / "tool_script.sh")
    found = files_with(b"canary-8f1c", [tmp_path], LAUNCHER)
    assert found == {"file data/jobs/1/tool_script.sh", "file data/jobs/1/galaxy_12.sh.old"}
    assert len(files_with(b"canary-8f1c", [tmp_path])) == 3
    assert files_with(b"canary-8f1c", [tmp_path], re.compile(".*")) == set()


def test_a_tool_of_which_no_job_was_seen_is_complained_of(tmp_path: Path):
    galaxy = SimpleNamespace(jobs=SimpleNamespace(get_jobs=lambda **_: []))
    watch = SecretWatch(tmp_path, galaxy, ["canary-8f1c"], tools={"omero_find"})
    watch.expect(["omero_find", "omero_annotate"])
    assert watch.found == {"nobody looked at omero_annotate"}
