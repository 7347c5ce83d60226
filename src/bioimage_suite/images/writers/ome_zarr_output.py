"""Output of an OME-Zarr: a folder, or a folder that is packed into one file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.images.ome_zarr.archive import pack

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = {"ome-zarr-0.4": "0.4", "ome-zarr-0.5": "0.5", "ozx": "0.5"}


@contextmanager
def folder_of(output: Path, form: str) -> Iterator[tuple[Path, str]]:
    """Yield a folder to write to and the version of OME-Zarr.

    Args:
        output: An empty folder, or for `ozx` the file to write; its content is collected in a temporary folder.
        form: A key of `VERSIONS`.
    """
    version = VERSIONS[form]
    if form != "ozx":
        yield output, version
        return
    with scratch_folder(Path.cwd()) as folder:
        yield folder, version
        pack(folder, output, version)
