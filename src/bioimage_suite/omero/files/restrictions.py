"""Original files that the server does not let users download, by its setting `omero.policy.binary_access`.

By default OMERO allows the download of the original files of images, but not of images in plates: the setting lacks
`+plate` (omero-server, src/main/resources/omero-server.properties). Pixels can be read in any case.
"""

from collections.abc import Collection
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session

RESTRICTION = "RESTRICT-BINARY-ACCESS"
"""OMERO's name of the restriction (omero.constants.permissions.BINARYACCESS)."""
SETTING = "omero.policy.binary_access"
NO_ORIGINALS = f"as OME-TIFF: the server does not allow the download of its original files ({SETTING})"
"""What a report says of an image that was exported instead of its original files."""


def find_restricted_filesets(session: Session, fileset_ids: Collection[int]) -> frozenset[int]:
    """Return the ids of the filesets whose original files the user may not download."""
    found = set()
    for page in batches(sorted(fileset_ids)):
        for image in session.objects("select i from Image i where i.fileset.id in (:ids)", ids=page):
            if image.details.permissions.isRestricted(RESTRICTION):
                found.add(image.fileset.id.val)
    return frozenset(found)


def refused_download(error: Any, shown: str) -> UserError:
    """Return the server's refusal of a download (`omero.SecurityViolation`) as the user sees it."""
    return UserError(
        f"{shown}: the server does not allow its download ({error.message or type(error).__name__}). Ask the server's "
        f"administrator to allow it with the setting {SETTING}, of the server or of the group."
    )
