"""Which repositories are the suite's, and what is said when one cannot be installed."""

from types import SimpleNamespace

import pytest
from bioblend import ConnectionError as GalaxyConnectionError

from scripts.galaxy_connection import ScriptError
from scripts.install_suite import TOOLS, install_repository, repository_names


def a_galaxy(installed=(), refuse=None):
    """A stand-in for bioblend's connection that remembers what it was asked to install."""
    asked = []

    def repositories():
        if refuse:
            raise refuse
        return [{"name": name, "owner": "we", "status": "Installed"} for name in installed]

    toolshed = SimpleNamespace(
        get_repositories=repositories,
        install_repository_revision=lambda _shed, name, owner, revision, **_: asked.append((name, owner, revision)),
    )
    return SimpleNamespace(toolshed=toolshed), asked


def a_shed(*revisions, refuse=None):
    def answer(_name, _owner):
        if refuse:
            raise refuse
        return list(revisions)

    return SimpleNamespace(
        base_url="https://shed.example.org",
        repositories=SimpleNamespace(get_ordered_installable_revisions=answer),
    )


def test_there_is_a_repository_for_each_tool_and_none_for_macros():
    names = repository_names()
    assert {"omero_find", "segment_objects", "metadata_report"} < set(names)
    assert not [name for name in names if "macros" in name]
    scripts = {path.stem for path in TOOLS.glob("*/*/*.py")}
    assert set(names) <= scripts, "a tool's script is named as the tool"


def test_the_newest_revision_is_installed():
    gi, asked = a_galaxy()
    assert install_repository(gi, a_shed("old", "new"), "omero_find", "we") == "installed"
    assert asked == [("omero_find", "we", "new")]


def test_what_is_there_stays_as_it_is():
    gi, asked = a_galaxy(installed=["omero_find"])
    assert install_repository(gi, a_shed("new"), "omero_find", "we") == "already there"
    assert asked == []


@pytest.mark.parametrize(
    ("galaxy_refuses", "shed_refuses", "message"),
    [
        (GalaxyConnectionError("403", body="only administrators"), None, "only administrators.*an administrator's"),
        (None, GalaxyConnectionError("404", body="no such owner"), "no such owner.*example.org a Tool Shed"),
        (None, ConnectionRefusedError("refused"), "says: refused"),
        (None, None, "has no revision to install"),
    ],
)
def test_what_cannot_be_installed_is_said_with_a_remedy(galaxy_refuses, shed_refuses, message):
    gi, asked = a_galaxy(refuse=galaxy_refuses)
    with pytest.raises(ScriptError, match=message):
        install_repository(gi, a_shed(refuse=shed_refuses), "omero_find", "we")
    assert asked == []
