"""An OMERO.web on the sandbox, and a user who is logged in."""

from collections.abc import Iterator

import pytest

from tests.omero.web.content import Content, Visitor, content


@pytest.fixture(scope="module")
def shown(omero_server, tmp_path_factory) -> Iterator[Content]:
    """A user's content, with OMERO.web; for all tests of a module."""
    with content(omero_server, tmp_path_factory.mktemp("web")) as made:
        yield made


@pytest.fixture(scope="module")
def visitor(shown: Content) -> Visitor:
    """The user, logged in."""
    return Visitor(shown)
