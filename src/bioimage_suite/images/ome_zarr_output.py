"""Output of an OME-Zarr: a folder, or a folder that is packed into one file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioimage_suite.images.label_maps import replaced_when_complete
from bioimage_suite.images.ome_zarr.folder import new_folder, pack

VERSIONS = {"ome-zarr-0.4": "0.4", "ome-zarr-0.5": "0.5", "ozx": "0.5"}


@contextmanager
def folder_for(output: Path, form: str) -> Iterator[tuple[Path, str]]:
    """Yield a folder to write to and the version of OME-Zarr; `output` appears only on success.

    Args:
        output: Folder, or for `ozx` the file to write.
        form: A key of `VERSIONS`.
    """
    version = VERSIONS[form]
    folder = output.with_name(output.name + ".folder") if form == "ozx" else output
    try:
        with new_folder(folder) as part:
            yield part, version
        if form == "ozx":
            with replaced_when_complete(output) as file:
                pack(folder, file, version)
    finally:
        if form == "ozx":
            shutil.rmtree(folder, ignore_errors=True)
