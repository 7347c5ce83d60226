"""How to run omero_export_images, and images for it."""

import re
import shutil
from pathlib import Path

import omero_export_images
import pytest

from bioimage_suite.omero import reconnect as omero_reconnect
from tests.omero.tool_support import Lab, read_rows, typed
from tests.omero.tools.export.pictures import five_d, noise


@pytest.fixture
def export(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.05,) * 20)

    def run(target: dict, kind: str = "ome_tiff", selection: dict | None = None, **form):
        host = form.pop("omero_host", lab.address)
        form = {"kind": kind, "selection": selection or {}, "version": "0.5", **form}
        outputs = {"folder": "images", "metadata": "meta.tsv"}
        shutil.rmtree(tmp_path / "images", ignore_errors=True)
        paths = lab.run(omero_export_images, tmp_path, outputs, target=target, format=form, omero_host=host)
        # By ids as numbers: 9 goes before 10.
        files = sorted(paths["folder"].iterdir(), key=lambda path: [*map(int, re.findall(r"\d+", path.name))])
        return files, read_rows(paths["metadata"])

    return run


@pytest.fixture
def three(lab: Lab) -> dict:
    dataset = lab.container("Dataset", "three")
    for number in range(3):
        five_d(lab, noise((1, 2, 2, 70, 90)), f"im {number}", dataset)
    return typed("dataset", "three")
