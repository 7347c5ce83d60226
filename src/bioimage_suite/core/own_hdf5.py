"""HDF5 files of strangers: what they hold is theirs, never a part of another file.

A group of HDF5 may link to a part of another file, and an array may have its bytes in another file, of HDF5 or not,
which it names by any path. The library follows without a word: a stranger's file would carry what the server holds into
an output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    import h5py

THIS_FILE = "."  # of a virtual array


def refuse_other_files(file: h5py.File, what: str) -> None:
    """Look at each link and array of a file.

    Args:
        file: Open.
        what: What is read, as messages begin: `Image cells.ims`.

    Raises:
        UserError: One leads out of the file.
    """
    import h5py

    def link_to_another(name: str, link: Any) -> str | None:
        return f"its part {name!r} is a link to {link.filename!r}" if isinstance(link, h5py.ExternalLink) else None

    def values_in_another(name: str, part: Any) -> str | None:
        names = _files_of(part) if isinstance(part, h5py.Dataset) else []
        return f"the values of its array {name!r} are in {names[0]!r}" if names else None

    # h5py goes on until one of these returns something; an exception would be lost.
    found = file.visititems_links(link_to_another) or file.visititems(values_in_another)
    if found:
        raise UserError(f"{what}: {found}, and other files are not read. Save it as one file that holds all.")


def _files_of(array: h5py.Dataset) -> list[str]:
    """Return the names of other files that hold the values of an array."""
    named = [one[0] for one in array.external or []]
    if array.is_virtual:
        named += [one.file_name for one in array.virtual_sources() if one.file_name != THIS_FILE]
    return [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in named]
