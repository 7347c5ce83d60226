"""The clients of a user, logged in once for a module."""

import dataclasses

import pytest

from tests.omero.client_processes import Clients, clients_of
from tests.omero.lab import Lab


@pytest.fixture(scope="module")
def client_lab(omero_server, root_gateway):
    """Users and groups for the tests of a module."""
    made = Lab(omero_server, root_gateway)
    with made.stack:
        yield made


@pytest.fixture(scope="module")
def logged_in(client_lab, tmp_path_factory) -> Clients:
    """The clients of a new user, alone in a new group; logged in once, because that takes seconds."""
    return clients_of(client_lab, client_lab.user(client_lab.group("rwra--")), tmp_path_factory.mktemp("clients"))


@pytest.fixture
def clients(logged_in, tmp_path) -> Clients:
    """The module's clients, in a folder of the test's own."""
    return dataclasses.replace(logged_in, folder=tmp_path)
