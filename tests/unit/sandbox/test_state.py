"""What the sandbox remembers of itself between two commands."""

import json
import stat
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from sandbox import servers, state
from sandbox.galaxy.config import Secrets, load_secrets, write_config
from sandbox.galaxy.server import GalaxyServer
from sandbox.omero_web.server import OmeroWeb
from sandbox.process import ROOT, Process
from sandbox.state import OmeroServer, Sandbox

GONE = Process(2**22 + 1, "no boot:0")  # above the largest process id of Linux
SANDBOX = Sandbox(
    OmeroServer("127.0.0.1", 1, 2, "omero", (GONE,)),
    GalaxyServer("http://127.0.0.1:3", "admin key", "user key", "admin@example.org", "word", (GONE, GONE)),
    OmeroWeb("http://127.0.0.1:4", (GONE,)),
)


def test_what_was_saved_is_loaded(tmp_path: Path):
    assert state.load(tmp_path) is None
    state.save(tmp_path, SANDBOX)
    assert state.load(tmp_path) == SANDBOX
    state.forget(tmp_path)
    assert state.load(tmp_path) is None


def test_only_its_owner_may_read_it(tmp_path: Path):
    state.save(tmp_path, SANDBOX)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_what_ended_by_itself_is_not_up_and_is_forgotten(tmp_path: Path):
    state.save(tmp_path, SANDBOX)
    assert not servers.is_up(SANDBOX)
    assert servers.down(tmp_path) is False
    assert state.load(tmp_path) is None


def test_nothing_to_stop_in_a_folder_that_is_not_there(tmp_path: Path):
    assert servers.down(tmp_path / "none") is False
    assert not (tmp_path / "none").exists()


def test_secrets_are_made_once_and_private(tmp_path: Path):
    first = load_secrets(tmp_path)
    assert load_secrets(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert replace(first, password=Secrets.random().password) != first


def test_configuration_stays_in_its_folder_and_keeps_keys_private(tmp_path: Path):
    tools = tmp_path / "tools"
    (tools / "omero" / "find").mkdir(parents=True)
    (tools / "omero" / "find" / "find.xml").write_text("<tool id='find'/>")
    folder = tmp_path / "galaxy"
    folder.mkdir()
    for _ in range(2):  # a warm start writes the same again
        config = write_config(folder, tools_dir=tools, known=Secrets.random())
    settings = json.loads(config.read_text())["galaxy"]
    assert str(folder) in settings["database_connection"]
    assert settings["cleanup_job"] == "always"
    for name in ("galaxy.yml", "vault_conf.yml"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert str(tools / "omero") in (folder / "tool_conf.xml").read_text()


def test_data_managers_fill_tables_in_the_folder_of_galaxy(tmp_path: Path):
    folder, known = tmp_path / "galaxy", Secrets.random()
    folder.mkdir()
    write_config(folder, tools_dir=ROOT / "tools", known=known)
    (table,) = ET.parse(folder / "tool_data_table_conf.xml").getroot()
    file = table.find("file")
    assert file is not None
    assert (table.get("name"), file.get("path")) == ("bioimage_models", f"{folder}/tool-data/bioimage_models.loc")
    loc = folder / "tool-data" / "bioimage_models.loc"
    assert loc.read_text() == ""
    (manager,) = ET.parse(folder / "data_manager_conf.xml").getroot()
    assert Path(manager.get("tool_file", "")).is_file()
    assert "data_managers" not in (folder / "tool_conf.xml").read_text(), "it is no tool of users"
    loc.write_text("value\tname\tversion\tsum\tpath\n")
    config = write_config(folder, tools_dir=ROOT / "tools", known=known)
    assert loc.read_text().startswith("value"), "what is registered stays"
    settings = json.loads(config.read_text())["galaxy"]
    assert settings["galaxy_data_manager_data_path"] == str(folder / "tool-data")
