"""Galaxy serves the checkout's tools with this sandbox's OMERO in their forms, and pages that know it; ports stay."""

import json
import socket
from pathlib import Path

import pytest

from sandbox import process
from sandbox.galaxy.pages import write_pages
from sandbox.galaxy.tools_served import serve_tools
from sandbox.process import ROOT, SandboxError


def test_the_forms_know_the_server_and_all_other_files_are_the_checkouts(tmp_path: Path):
    for _ in range(2):  # a second start takes the place of the first
        tools = serve_tools(ROOT / "tools", tmp_path / "suite", "127.0.0.1:4064")
    macros = (tools / "macros/omero.xml").read_text()
    assert '<token name="@OMERO_HOST@">127.0.0.1:4064</token>' in macros
    assert 'name="omero_host" type="text" value="@OMERO_HOST@"' in macros
    mine = {one.relative_to(tools): one.resolve() for one in tools.rglob("*") if one.is_symlink()}
    assert mine[Path("omero/omero_find/omero_find.py")] == ROOT / "tools/omero/omero_find/omero_find.py"
    assert {one.suffix for one in tools.rglob("*") if one.is_file() and not one.is_symlink()} == {".xml"}
    assert (tools / "../src/bioimage_suite").resolve() == ROOT / "src/bioimage_suite"
    assert '<token name="@OMERO_HOST@"></token>' in (ROOT / "tools/macros/omero.xml").read_text()


def test_macros_without_a_place_for_the_address_are_named(tmp_path: Path):
    (tmp_path / "tools/macros").mkdir(parents=True)
    (tmp_path / "tools/macros/omero.xml").write_text("<macros/>")
    with pytest.raises(SandboxError, match=r"macros/omero.xml: has no line"):
        serve_tools(tmp_path / "tools", tmp_path / "suite", "127.0.0.1:4064")


def test_pages_stand_beside_the_web_client(tmp_path: Path):
    client = tmp_path / "client"
    (client / "dist").mkdir(parents=True)
    (client / "welcome.html").write_text("an older one")
    (tmp_path / "static").symlink_to(client)  # as earlier versions made it
    for omero in ("127.0.0.1:1", "127.0.0.1:2"):
        write_pages(tmp_path / "static", client, {"omero": omero})
    assert (tmp_path / "static/dist").resolve() == client / "dist"
    assert "Three things to try" in (tmp_path / "static/welcome.html").read_text()
    assert json.loads((tmp_path / "static/sandbox.json").read_text()) == {"omero": "127.0.0.1:2"}
    assert (client / "welcome.html").read_text() == "an older one"


def test_a_port_is_free_again_as_soon_as_its_server_has_ended():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        listener.accept()[0].close()  # the server's side ends first, and lingers
        assert process.free_port(port) != port  # still listened on
    client.close()
    assert process.free_port(port) == port
