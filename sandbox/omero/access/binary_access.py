"""Download of original files: the setting `omero.policy.binary_access` of the server and of a group.

As OMERO's BinaryAccessPolicy (omero-server, src/main/java/ome/security/policy/BinaryAccessPolicy.java). Four words,
each with `+` or `-`: `write` (by users who may edit), `read` (by users who may read), `image` and `plate` (images in
general, images in a plate). A `-` of the server or the group forbids; otherwise a `+` of either allows; a word that
neither has is forbidden. The default has no `plate`, so original files of images in plates cannot be downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass

KEY = "omero.policy.binary_access"
DEFAULT = "+read,+write,+image"
RESTRICTION = "RESTRICT-BINARY-ACCESS"  # omero.constants.permissions.BINARYACCESS


@dataclass(frozen=True)
class BinaryAccess:
    """What may be downloaded from a group.

    Attributes:
        write: Anything at all.
        read: Files of objects that the caller may read; otherwise only of those that the caller may edit.
        image: Original files of images.
        plate: Original files of images in plates.
    """

    write: bool
    read: bool
    image: bool
    plate: bool


def binary_access(*settings: str) -> BinaryAccess:
    """Return what several values of the setting allow together: the server's and those of a group."""
    words = {word.strip() for setting in settings for word in setting.split(",")}
    names = BinaryAccess.__dataclass_fields__
    return BinaryAccess(**{name: f"+{name}" in words and f"-{name}" not in words for name in names})
