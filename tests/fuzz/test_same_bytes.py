"""The same input gives the same bytes in every output of every tool, so that Galaxy's job cache can take a result."""

import json
import os
import subprocess
import sys

import pytest

from scripts.suite_files import ROOT
from tests.fuzz.calls import local_calls
from tests.fuzz.inputs import make_inputs


@pytest.mark.slow
def test_every_output_is_the_same_in_another_process_folder_hour_and_order_of_sets(tmp_path):
    (tmp_path / "inputs").mkdir()
    make_inputs(tmp_path / "inputs")
    found = []
    for place, seed, zone in (("a", "1", "UTC"), ("elsewhere", "2", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        command = [sys.executable, "-m", "tests.fuzz.outputs", str(tmp_path / place), str(tmp_path / "inputs")]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(json.loads(done.stdout))
    first, second = found
    assert {name.split()[1] for name in first} == {call.tool for call in local_calls()}
    assert [name for name in first if first[name] != second.get(name)] == []
