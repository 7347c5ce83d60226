"""The name that links a file to its OMERO image: `Image_<id>_<name>`."""

import re

LONGEST_NAME = 120  # Characters: with id and suffix far below the limit of 255 bytes for a file name.


def safe_name(name: str) -> str:
    """Make a name safe for files and Galaxy identifiers: ASCII letters, digits, `.`, `-` and single `_`.

    >>> safe_name("a/b: ä [Series 1].lif")
    'a_b_Series_1_.lif'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_")[:LONGEST_NAME]


def image_identifier(image_id: int, name: str) -> str:
    """Return the identifier of an image from OMERO.

    >>> image_identifier(12, "nuclei 01.tif")
    'Image_12_nuclei_01.tif'
    """
    return f"Image_{image_id}_{safe_name(name)}".rstrip("_")


def parse_image_identifier(identifier: str) -> int | None:
    """Return the id of the OMERO image that a file belongs to, or None if its name has none.

    >>> parse_image_identifier("Image_12_nuclei_01.tif"), parse_image_identifier("nuclei_01.tif")
    (12, None)
    """
    match = re.match(r"Image_(\d+)(?![0-9A-Za-z])", identifier)
    return int(match[1]) if match else None
