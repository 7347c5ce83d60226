"""What may become a Galaxy credential, and how the suite's tools are recognised."""

from types import SimpleNamespace

import pytest
from bioblend import ConnectionError as GalaxyConnectionError

from scripts import set_credentials
from scripts.galaxy_connection import ScriptError
from scripts.set_credentials import (
    KEY_NAMES,
    OmeroLogin,
    login_from_environment,
    store_omero_login,
    tools_that_want_omero,
    tools_without_login,
)


@pytest.mark.parametrize("password", ["pa$$word", "back`tick", "trailing\\", "two\nlines"])
def test_a_password_that_the_job_script_would_change_is_refused_without_showing_it(password):
    with pytest.raises(ScriptError, match="OMERO password") as refusal:
        OmeroLogin(user="jane", password=password)
    assert password not in str(refusal.value)


def test_secrets_and_variables_are_kept_apart():
    login = OmeroLogin(user="jane", password='quo"te', session_key="uuid")
    password = {"name": "password", "value": 'quo"te'}
    for key_name in KEY_NAMES:  # of this suite, and of the Helmholtz suite
        variables, secrets = login.values(key_name)
        assert variables == [{"name": "username", "value": "jane"}]
        assert secrets == [password, {"name": key_name, "value": "uuid"}]
    assert OmeroLogin(session_key="uuid").values("session_key") == ([], [{"name": "session_key", "value": "uuid"}])


class Galaxy:
    """A Galaxy that keeps credentials: one tool calls the key of a session otherwise, one asks for none."""

    url = "https://galaxy.example.org/api"

    def __init__(self):
        self.names = {"omero_find": "session_key", "omero_import": "uuid-key"}
        self.entries, self.calls, self.users = {}, [], self

    def get_current_user(self):
        return {"id": "u"}

    def make_get_request(self, *_, **__):
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: list(self.entries.values()))

    def make_put_request(self, address, payload):
        self.calls.append(f"put {address.rsplit('/', 1)[-1]} {len(payload['secrets'])}")

    def make_delete_request(self, address):
        self.calls.append(f"delete {address.rsplit('/', 1)[-1]}")
        return SimpleNamespace(raise_for_status=lambda: None)

    def select_credential_group(self, _user, _type, tool, _version, _entry, group):
        self.entries[tool]["current_group_id"] = group

    def create_credentials(self, _user, _type, tool, version, service, _service_version, name, variables, secrets):
        if tool not in self.names:
            raise GalaxyConnectionError("no such", status_code=404)
        if {one["name"] for one in secrets} - {"password", self.names[tool]}:
            raise GalaxyConnectionError("not defined", status_code=400)
        self.calls.append(f"create {tool}")
        group = {"id": f"g-{tool}", "name": name, "variables": variables,
                 "secrets": [{"name": one["name"], "is_set": True} for one in secrets]}  # fmt: skip
        definition = {"secrets": [{"name": "password"}, {"name": self.names[tool]}]}
        self.entries[tool] = {"id": tool, "source_id": tool, "source_version": version, "name": service,
                              "current_group_id": None, "groups": [group], "definition": definition}  # fmt: skip
        return group


def test_one_login_is_stored_for_tools_of_both_suites_and_replaced_in_place():
    gi, tools = Galaxy(), [("omero_find", "1"), ("omero_import", "2"), ("omero_old", "3")]
    login = OmeroLogin(user="jane", session_key="uuid")
    assert tools_without_login(gi, tools[:2]) == ["omero_find", "omero_import"]
    assert store_omero_login(gi, login, tools) == ["omero_find", "omero_import"]
    assert tools_without_login(gi, tools[:2]) == []
    assert gi.calls == ["create omero_find", "create omero_import"]
    store_omero_login(gi, login, tools[:2])
    assert gi.calls[2:] == ["put g-omero_find 1", "put g-omero_import 1"]
    store_omero_login(gi, OmeroLogin(user="jane", password="p"), tools[:1])  # a key becomes a password: made anew
    assert gi.calls[4:] == ["delete g-omero_find", "create omero_find"]
    assert store_omero_login(gi, login, [("omero_find", "1.1")]) == ["omero_find"]  # an upgraded tool


def test_half_a_login_is_refused(monkeypatch):
    monkeypatch.setenv("OMERO_USER", "jane")
    monkeypatch.delenv("OMERO_PASSWORD", raising=False)
    monkeypatch.delenv("OMERO_SESSION_KEY", raising=False)
    with pytest.raises(ScriptError, match="OMERO_PASSWORD"):
        login_from_environment()


def test_only_the_omero_tools_get_the_login_installed_locally_or_from_a_tool_shed():
    tools = [
        {"id": "omero_find", "version": "0.1.0"},
        {"id": "toolshed.example.org/repos/owner/omero_annotate/omero_annotate/0.2", "version": "0.2"},
        {"id": "toolshed.example.org/repos/omero_owner/segment/segment/0.2", "version": "0.2"},
        {"id": "upload1", "version": "1"},
        {"id": "somero", "version": "1"},
    ]
    gi = SimpleNamespace(tools=SimpleNamespace(get_tools=lambda: tools))
    assert [tool_id for tool_id, _ in tools_that_want_omero(gi)] == [
        "omero_find",
        "toolshed.example.org/repos/owner/omero_annotate/omero_annotate/0.2",
    ]


def test_a_galaxy_that_keeps_no_credentials_is_named_without_the_secret(monkeypatch, capsys):
    def refuse(*_, **__):
        raise GalaxyConnectionError("Unexpected HTTP status code: 500", body="no vault is configured")

    monkeypatch.setenv("OMERO_USER", "jane")
    monkeypatch.setenv("OMERO_PASSWORD", "must-not-show")
    monkeypatch.delenv("OMERO_SESSION_KEY", raising=False)
    gi = SimpleNamespace(
        base_url="https://galaxy.example.org",
        tools=SimpleNamespace(get_tools=lambda: [{"id": "omero_find", "version": "0.1"}]),
        url="https://galaxy.example.org/api",
        make_get_request=refuse,
        users=SimpleNamespace(get_current_user=lambda: {"id": "u1"}),
    )
    monkeypatch.setattr(set_credentials, "connect_from_environment", lambda: gi)
    assert set_credentials.main([]) == 1
    printed = capsys.readouterr()
    assert "https://galaxy.example.org: did not store the login. It says: no vault is configured." in printed.err
    assert "must-not-show" not in printed.err + printed.out
