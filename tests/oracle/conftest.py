"""Bio-Formats for the tests of this folder; without Java or its jar they are skipped, and say so."""

from collections.abc import Iterator

import pytest

from tests.oracle.bioformats import BioFormats, OracleMissing, bio_formats


@pytest.fixture(scope="session")
def oracle() -> Iterator[BioFormats]:
    """Bio-Formats, one Java machine for all files."""
    try:
        with bio_formats() as running:
            yield running
    except OracleMissing as missing:
        pytest.skip(str(missing))
