"""Databases of the OMERO sandbox without a server."""

import pytest


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with nothing but what every server has."""
    from tests.unit.sandbox.hql_database import new_database

    database = new_database(tmp_path_factory.mktemp("empty"))
    yield database
    database.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two projects, three datasets, six images of which two are in two datasets, tags, pairs and ROIs."""
    from tests.unit.sandbox.hql_database import fill, new_database

    database = new_database(tmp_path_factory.mktemp("small"))
    fill(database)
    yield database
    database.close()
