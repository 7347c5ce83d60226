"""Datasets in the form of a tool, as Galaxy describes them (`data_style="staging_path_and_source_path"`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError


def listed_files(value: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None) -> list[tuple[Path, str]]:
    """Return path and name of each dataset of one parameter; a dataset that was not given has no path.

    >>> listed_files({"source_path": "/a.dat", "element_identifier": "a"}), listed_files({"source_path": None})
    ([(PosixPath('/a.dat'), 'a')], [])
    """
    entries = [value] if isinstance(value, Mapping) else list(value or [])
    return [(Path(entry["source_path"]), str(entry["element_identifier"])) for entry in entries if entry["source_path"]]


def check_image_names(names: Sequence[str]) -> None:
    """Check that files can be named after the images of a list.

    Raises:
        UserError: A name occurs twice or has a slash.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen or "/" in name:
            why = "has a slash, and files are named after images" if "/" in name else "occurs twice"
            raise UserError(f"name of an image {name!r}: it {why}. Rename the element of the list.")
        seen.add(name)
