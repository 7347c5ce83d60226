"""Damaged crates of omero_transfer, unpacked on a server: a clear error that leaves nothing, or a valid result."""

import os
import random
import shutil
from pathlib import Path

import omero_transfer
import pytest

from bioimage_suite.core.errors import UserError
from tests.fuzz.mutants import mutate
from tests.omero.tool_support import Lab, all_counts, picture, typed
from tests.omero.tools.transfer_content import fill, make_plate

MUTANTS = int(os.environ.get("OMERO_TEST_MUTANTS", "15"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["project", "screen"])
def test_a_damaged_crate_ends_in_a_clear_error_that_leaves_nothing(lab: Lab, tmp_path: Path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    if kind == "project":
        fill(lab, tmp_path)
    else:
        images = [lab.image(name, picture(number)) for number, name in enumerate("ab")]
        make_plate(lab, "plate", {(0, 0): images[:1], (1, 2): images[1:]}, lab.container("Screen", "s"))
    name = {"project": "p", "screen": "s"}[kind]
    do = {"mode": "pack", "target": typed(kind, name)}
    crate = lab.run(omero_transfer, tmp_path, {"crate": "crate.zip", "output": "packed.tsv"}, do=do)["crate"]
    ended = {"error": 0, "valid": 0}
    for number in range(MUTANTS):
        damaged = tmp_path / f"{number}.zip"
        shutil.copyfile(crate, damaged)
        other = lab.stranger()
        other.sign_in()
        before = all_counts(other)
        done = mutate(damaged, random.Random(f"{kind} {number}"))
        do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(damaged)}}
        outputs = {"output": "images.tsv", "containers": "containers.tsv"}
        try:
            other.run(omero_transfer, tmp_path, outputs, do=do)
            ended["valid"] += 1
        except UserError:
            ended["error"] += 1
            assert all_counts(other) == before, f"{number}: {done}"
        except BaseException as error:
            raise AssertionError(f"{number}: {done}: {error!r}") from error
        damaged.unlink()
    assert ended["error"] > MUTANTS / 4
