"""What may become a Galaxy credential, and how the suite's tools are recognised."""

from types import SimpleNamespace

import pytest
from bioblend import ConnectionError as GalaxyConnectionError

from scripts import set_credentials
from scripts.galaxy_connection import ScriptError
from scripts.set_credentials import OmeroLogin, login_from_environment, tools_that_want_omero


@pytest.mark.parametrize("password", ["pa$$word", "back`tick", "trailing\\", "two\nlines"])
def test_a_password_that_the_job_script_would_change_is_refused_without_showing_it(password):
    with pytest.raises(ScriptError, match="OMERO password") as refusal:
        OmeroLogin(user="jane", password=password)
    assert password not in str(refusal.value)


def test_secrets_and_variables_are_kept_apart():
    login = OmeroLogin(user="jane", password='quo"te', session_key="uuid")
    assert login.variables == [{"name": "username", "value": "jane"}]
    assert login.secrets == [{"name": "password", "value": 'quo"te'}, {"name": "session_key", "value": "uuid"}]


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
    ]
    gi = SimpleNamespace(tools=SimpleNamespace(get_tools=lambda: tools))
    assert [tool_id for tool_id, _ in tools_that_want_omero(gi)] == [
        "omero_find",
        "toolshed.example.org/repos/owner/omero_annotate/omero_annotate/0.2",
    ]


def test_a_galaxy_that_keeps_no_credentials_is_named_without_the_secret(monkeypatch, capsys):
    def refuse(*_):
        raise GalaxyConnectionError("Unexpected HTTP status code: 500", body="no vault is configured")

    monkeypatch.setenv("OMERO_USER", "jane")
    monkeypatch.setenv("OMERO_PASSWORD", "must-not-show")
    monkeypatch.delenv("OMERO_SESSION_KEY", raising=False)
    gi = SimpleNamespace(
        base_url="https://galaxy.example.org",
        tools=SimpleNamespace(get_tools=lambda: [{"id": "omero_find", "version": "0.1"}]),
        users=SimpleNamespace(get_current_user=lambda: {"id": "u1"}, get_credentials=refuse),
    )
    monkeypatch.setattr(set_credentials, "connect_from_environment", lambda: gi)
    assert set_credentials.main([]) == 1
    printed = capsys.readouterr()
    assert "https://galaxy.example.org: did not store the login. It says: no vault is configured." in printed.err
    assert "must-not-show" not in printed.err + printed.out
