"""The static files of OMERO.web: collected anew where the environment changed."""

import subprocess
from pathlib import Path

import pytest

from sandbox.setup import omero_web


def test_files_of_other_versions_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    static = tmp_path / "static"
    static.mkdir()
    (static / "old.js").touch()

    def collect(_command: list[str], cwd: str, **_more: object) -> subprocess.CompletedProcess:
        (Path(cwd) / "static").mkdir()
        (Path(cwd) / "static" / "new.js").touch()
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(omero_web, "STATIC", static)
    monkeypatch.setattr(omero_web.venvs, "is_installed", lambda _name: False)
    monkeypatch.setattr(omero_web.venvs, "install", lambda _name, **_more: None)
    monkeypatch.setattr(omero_web.subprocess, "run", collect)
    omero_web.install_web()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.js")] == ["static/new.js"]
