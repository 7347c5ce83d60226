"""Files of Galaxy with their names."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.named_files import NamedFile, read_files


def test_files_of_a_list_and_a_single_one():
    one = {"element_identifier": "a", "source_path": "/x"}
    assert read_files(one) == read_files([one]) == [NamedFile("a", Path("/x"))]
    with pytest.raises(UserError, match="it holds no file"):
        read_files(None)
