"""Galaxy's own OMERO file source, stored for a user by a script."""

from types import SimpleNamespace
from typing import Any

import pytest
from bioblend import ConnectionError as GalaxyConnectionError

from scripts import omero_file_source
from scripts.galaxy_connection import ScriptError
from scripts.omero_file_source import store_omero_source
from scripts.set_credentials import OmeroLogin

LOGIN = OmeroLogin(user="jane", password="must-not-show")
URL = "https://galaxy.example.org/api"


class Galaxy:
    """What Galaxy answers, and what it was asked to keep."""

    url, base_url = URL, "https://galaxy.example.org"

    def __init__(self, templates: list[tuple[str, int]], sources: list[dict[str, str]] | None = None) -> None:
        self.templates = [{"id": name, "version": version} for name, version in templates]
        self.sources = sources or []
        self.asked: list[tuple[str, str, Any]] = []

    def make_get_request(self, url: str) -> SimpleNamespace:
        answer = self.templates if url.endswith("templates") else self.sources
        return SimpleNamespace(json=lambda: answer)

    def make_post_request(self, url: str, payload: Any) -> Any:
        self.asked.append(("POST", url, payload))
        return payload

    def make_put_request(self, url: str, payload: Any) -> Any:
        self.asked.append(("PUT", url, payload))
        return {"name": "OMERO", **payload}


def test_a_source_is_made_from_the_newest_template():
    gi = Galaxy([("omero-server", 0), ("omero-server", 1), ("webdav", 7)])
    made = store_omero_source(gi, LOGIN, "omero.example.org", 4064)
    assert (made["template_version"], made["secrets"]) == (1, {"password": "must-not-show"})
    assert made["variables"] == {"host": "omero.example.org", "port": 4064, "username": "jane"}
    assert [method for method, _, _ in gi.asked] == ["POST"]


def test_a_rerun_changes_the_source_of_the_same_name():
    known = [
        {"name": "OMERO", "template_id": "webdav", "uuid": "a"},
        {"name": "OMERO", "template_id": "omero-server", "uuid": "b"},
    ]
    gi = Galaxy([("omero-server", 0)], known)
    store_omero_source(gi, LOGIN, "other.example.org", 14064)
    assert {(method, url) for method, url, _ in gi.asked} == {("PUT", f"{URL}/file_source_instances/b")}
    assert gi.asked[-1][2]["variables"]["port"] == 14064


def test_a_galaxy_without_the_template_is_an_error():
    with pytest.raises(ScriptError, match="offers no template 'omero-server'"):
        store_omero_source(Galaxy([("webdav", 0)]), LOGIN, "omero.example.org", 4064)


@pytest.mark.parametrize("address", ["", ":4064", "omero.example.org:ssl"])
def test_what_is_no_address_is_refused(address: str, capsys, monkeypatch):
    monkeypatch.setenv("OMERO_USER", "jane")
    assert omero_file_source.main([address]) == 1
    assert "no address" in capsys.readouterr().err


def test_neither_a_refusal_nor_a_session_key_shows_a_secret(monkeypatch, capsys):
    monkeypatch.setenv("OMERO_USER", "jane")
    monkeypatch.setenv("OMERO_PASSWORD", "must-not-show")
    gi = Galaxy([("omero-server", 0)])
    monkeypatch.setattr(omero_file_source, "connect_from_environment", lambda: gi)

    def refuse(*_: object) -> None:
        raise GalaxyConnectionError("Unexpected HTTP status code: 500", body="no vault is configured")

    monkeypatch.setattr(gi, "make_post_request", refuse)
    assert omero_file_source.main(["omero.example.org"]) == 1
    said = capsys.readouterr().err
    assert "no vault is configured" in said
    assert "must-not-show" not in said
    monkeypatch.delenv("OMERO_PASSWORD")
    monkeypatch.setenv("OMERO_SESSION_KEY", "must-not-show")
    assert omero_file_source.main(["omero.example.org"]) == 1
    assert "takes no session key" in capsys.readouterr().err
