"""docs/add-a-tool.md is true: its files, put into a copy of the suite, work as it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scripts.suite_files import ROOT

PAGE = (ROOT / "docs/add-a-tool.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
SCRIPT = "tools/image/rescale_image/rescale_image.py"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the suite with the files of the page."""
    target = tmp_path_factory.mktemp("suite")
    for name in ("src", "tools", "scripts", "test-data"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copyfile(ROOT / name, target / name)
    for name, text in BLOCKS.items():
        assert not (target / name).exists(), f"{name}: the suite has it already"
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
    return target


def run(suite: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{suite / 'src'}:{suite}", "HOME": str(suite)}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_page_has_all_files_that_its_table_names():
    named = set(re.findall(r"^\| \d+ \| `([\w./-]+)`", PAGE, re.MULTILINE))
    assert named - set(BLOCKS) == {"tools/image/rescale_image/.shed.yml", "README.md"}
    assert len(BLOCKS) == 4


def test_the_test_of_the_page_passes(suite: Path):
    run(suite, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/images/test_rescale.py")


def test_the_script_halves_an_image(suite: Path):
    arguments = ("--image", "test-data/nuclei.ome.tiff", "--factor", "0.5", "--output", "half.ome.tiff")
    assert run(suite, sys.executable, SCRIPT, *arguments).stdout == "nuclei.ome.tiff: 256 x 256 px\n"
    original = tifffile.imread(suite / "test-data/nuclei.ome.tiff")
    assert np.array_equal(tifffile.imread(suite / "half.ome.tiff"), original[1::2, 1::2])


def test_the_tool_shed_gets_what_it_imports(suite: Path):
    said = run(suite, sys.executable, "-m", "scripts.shed_files").stdout.split()
    assert said == ["tools/image/rescale_image/.shed.yml", "tools/image/.shed.yml"]
    assert "src/bioimage_suite/images/rescale.py" in (suite / said[0]).read_text(encoding="utf-8")


def test_the_files_are_clean(suite: Path):
    python = [name for name in BLOCKS if name.endswith(".py")]
    run(suite, Path(sys.executable).with_name("ruff"), "check", "--no-cache", *python)
    run(suite, Path(sys.executable).with_name("ruff"), "format", "--no-cache", "--check", *python)
    run(suite, ROOT / ".venv/galaxy/bin/planemo", "lint", SCRIPT.replace(".py", ".xml"))
