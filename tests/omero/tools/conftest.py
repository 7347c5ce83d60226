"""A user alone in a group, a way to the server that can be cut, a server that can be stopped."""

from collections.abc import Iterator
from typing import Any

import pytest

from bioimage_suite.omero import leases, undo
from tests.omero.tool_support import CuttingProxy, Lab, make_lab
from tests.omero.tools.own_server import OwnServer


@pytest.fixture
def lab(omero_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A new user in a new group whose members may change each other's objects, signed in."""
    with make_lab(omero_server, monkeypatch) as found:
        yield found


@pytest.fixture
def proxy(lab: Lab) -> Iterator[CuttingProxy]:
    """A way to the server that a test can cut."""
    found = CuttingProxy(lab.host, lab.port)
    yield found
    found.cut()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    made = OwnServer(tmp_path_factory.mktemp("own"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def dead_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose connection broke is taken for dead after a moment: its rerun waits no longer."""
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(leases, "DEAD_SECONDS", 2.0)
    monkeypatch.setattr(undo, "WAITS", (0.0,))
