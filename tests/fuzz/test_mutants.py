"""Every tool that takes files, on mutants of its inputs: a clear error or a valid output, within 60 s and 1 GB.

`make fuzz` runs 5,000 mutants of each. What fails is run again by its number:
`python -m tests.fuzz.run <tool> --first <number> --mutants 1 --verbose`.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile

import pytest

from scripts.suite_files import ROOT, tool_xml_files
from tests.fuzz.calls import all_calls
from tests.fuzz.inputs import make_inputs
from tests.fuzz.mutants import copy, mutate
from tests.fuzz.run import ENDED

TOOLS = sorted({call.tool for call in all_calls()})
# They take no files, only answers of servers: tests/unit/tools/data_managers has bad ones.
OTHERS = {"data_manager_bioimage_models"}


def test_no_tool_is_left_out():
    assert {*TOOLS, *OTHERS} == {file.stem for file in tool_xml_files()}


@pytest.fixture(scope="module")
def asked() -> Iterator[subprocess.Popen[str]]:
    """One process for all tools: it makes the inputs and loads the libraries once."""
    command = [sys.executable, "-m", "tests.fuzz.run", "-", "--mutants", "100"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", **streams) as process:
        yield process
        process.stdin.close()
        process.stdout.read()


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_mutants_end_in_a_clear_error_or_a_valid_output(asked: subprocess.Popen[str], tool: str):
    print(tool, file=asked.stdin, flush=True)
    said = [line.rstrip("\n") for line in takewhile(lambda line: line.rstrip("\n") != ENDED, asked.stdout)]
    assert [line for line in said if line.startswith("  ")] == []
    assert [line for line in said if line.startswith(f"{tool}: ")]


def test_a_seed_gives_the_same_mutants(tmp_path):
    (tmp_path / "made").mkdir()
    files = make_inputs(tmp_path / "made")
    for name in ("image.ozx", "tiled.tiff", "crate.json", "table.tsv", "old.zarr"):
        found = []
        for attempt in range(2):
            target = tmp_path / f"{attempt} {name}"
            copy(files[name], target)
            done = mutate(target, random.Random(3))
            parts = sorted(target.rglob("*")) if target.is_dir() else [target]
            found.append((done, [part.read_bytes() for part in parts if part.is_file()]))
        assert found[0][0] == found[1][0]
        assert name == "image.ozx" or found[0] == found[1]
