"""Photos of users: a file in the users' common group, attached to the user (AdminImpl.uploadMyUserPhoto)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sandbox.omero import errors
from sandbox.omero.access.directory import USER_GROUP
from sandbox.omero.database.transactions import now
from sandbox.omero.repository.checksums import checksum
from sandbox.omero.repository.stored_files import original_file_path

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.server.state import Server

NAMESPACE = "openmicroscopy.org/omero/experimenter/photo"  # omero.constants.namespaces.NSEXPERIMENTERPHOTO
LARGEST = 10_000_000


def photo_ids(tx: Transaction, user_id: int) -> list[int]:
    """Return the ids of the OriginalFiles that are photos of a user, the oldest first."""
    links = tx.find("ExperimenterAnnotationLink", parent=user_id)
    annotations = tx.find("FileAnnotation", id=[link["child"] for link in links], ns=NAMESPACE)
    return [row["file"] for row in annotations if row["file"] is not None]


def upload_photo(server: Server, context: Context, name: str, mimetype: str, data: bytes) -> int:
    """Store a photo of the caller, in place of the one before; return the id of its file.

    Raises:
        omero.ApiUsageException: There is no name or no content, or the content is too large for a photo.
    """
    if not name or not data:
        raise errors.api_usage("A photo needs a name and a content")
    if len(data) > LARGEST:
        raise errors.api_usage(f"The photo has {len(data)} bytes; at most {LARGEST} are allowed")
    common = dataclasses.replace(context, group_id=USER_GROUP)
    with server.database.write(common) as tx:
        values = {"name": name, "path": name, "mimetype": mimetype, "size": len(data), "mtime": now()}
        known = photo_ids(tx, context.user_id)
        file_id = known[0] if known else tx.create("OriginalFile", **values)
        path = original_file_path(server.files, {"repo": None, "id": file_id})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        hasher = tx.enum("ChecksumAlgorithm", "SHA1-160")
        tx.update("OriginalFile", file_id, **values, hasher=hasher, hash=checksum(path))
        if not known:
            annotation = tx.create("FileAnnotation", ns=NAMESPACE, file=file_id)
            tx.create("ExperimenterAnnotationLink", parent=context.user_id, child=annotation)
    return file_id
