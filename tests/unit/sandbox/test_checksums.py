"""Checksums as OMERO.server writes them."""

import pytest

from bioimage_suite.omero.images.fileset_files import _ALGORITHMS
from sandbox.omero.repository.checksums import CHECKSUMS

ABC = {
    "SHA1-160": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "MD5-128": "900150983cd24fb0d6963f7d28e17f72",
    "Murmur3-32": "fa93ddb3",
    "CRC-32": "c2412435",
    "Adler-32": "27014d02",
    "File-Size-64": "0300000000000000",
}
"""Checksums of the bytes `abc` in omero-common's tests (src/test/java/ome/util/checksum)."""


@pytest.mark.parametrize("algorithm", ABC)
def test_checksums_of_the_sandbox_are_those_of_omero(algorithm: str):
    digest = CHECKSUMS[algorithm]()
    digest.update(b"a")
    digest.update(b"bc")
    assert digest.hexdigest() == ABC[algorithm]


@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_downloads_are_compared_with_what_omero_writes(algorithm: str):
    digest = _ALGORITHMS[algorithm]()
    digest.update(b"abc")
    assert digest.hexdigest() == ABC[algorithm]
