"""Download and upload of OMERO's OriginalFiles, block by block, checked by SHA-1."""

import hashlib
from contextlib import suppress
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files.restrictions import refused_download
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.undo import MadeObjects

BLOCK = 4 << 20  # Bytes per message, far below Ice's limit of 256 MB.
SHA1 = "SHA1-160"  # OMERO's name of the algorithm.
TABLE_MIMETYPE = "OMERO.tables"


def download_file(session: Session, file_id: int, path: Path, *, size: int, sha1: str | None, shown: str) -> None:
    """Download an OriginalFile to disk, byte for byte.

    Args:
        session: An open session.
        file_id: Id of the OriginalFile.
        path: File to write; the caller removes it if the download fails.
        size: Size in bytes according to OMERO.
        sha1: SHA-1 in hex, if OMERO has it.
        shown: Name of the file in messages.

    Raises:
        UserError: OMERO cannot deliver the file or does not allow its download, or it is damaged.
    """
    import omero

    digest, position = hashlib.sha1(usedforsecurity=False), 0
    store = session.client.getSession().createRawFileStore()
    try:
        with path.open("wb") as file:
            if size:  # An empty file may have no stored content in OMERO.
                store.setFileId(file_id)
            while position < size:
                block = store.read(position, min(BLOCK, size - position))
                if not block:
                    break
                file.write(block)
                digest.update(block)
                position += len(block)
    except omero.SecurityViolation as error:
        raise refused_download(error, shown) from error
    except (omero.ResourceError, omero.ApiUsageException, omero.InternalException, omero.ValidationException) as error:
        reason = error.message or type(error).__name__
        raise UserError(f"{shown}: OMERO cannot deliver its file ({reason}). Import it again.") from error
    finally:
        with suppress(Exception):  # The server itself closes the stores of a lost connection.
            store.close()
    if position != size or sha1 not in (None, digest.hexdigest()):
        raise UserError(f"{shown}: OMERO's file is damaged (checksum or size). Import it again.")


def upload_file(
    session: Session, path: Path, *, name: str, mimetype: str, sha1: str, mark: str, made: MadeObjects
) -> int:
    """Upload a file from disk as an OriginalFile; return its id.

    Args:
        session: An open session.
        path: The file.
        name: Name in OMERO.
        mimetype: MIME type; "" leaves it out.
        sha1: SHA-1 in hex, from `file_sha1`.
        mark: Name of the uploader, which OMERO stores as the file's path: by it `find_free_files` finds what is left.
        made: Learns the id.
    """
    from omero.model import ChecksumAlgorithmI, OriginalFileI
    from omero.rtypes import rlong, rstring

    file = OriginalFileI()
    file.name, file.path = rstring(name), rstring(mark)
    if mimetype:
        file.mimetype = rstring(mimetype)
    file.size, file.hash = rlong(path.stat().st_size), rstring(sha1)
    file.hasher = ChecksumAlgorithmI()
    file.hasher.value = rstring(SHA1)
    [file_id] = made.save("OriginalFile", [file])
    store, position = session.client.getSession().createRawFileStore(), 0
    try:
        store.setFileId(file_id)
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                store.write(block, position, len(block))
                position += len(block)
        store.truncate(position)
        store.save()
    finally:
        with suppress(Exception):
            store.close()
    return file_id


def find_free_files(session: Session, mark: str) -> list[int]:
    """Find this user's uploads of a mark that nothing is attached to, left by a run that stopped too early.

    Only for who has the lease of what the mark is for: another run may be about to attach its own.
    """
    rows = session.rows(
        "select f.id from OriginalFile f where f.path = :mark and f.details.owner.id = :me "
        "and not exists (select a.id from FileAnnotation a where a.file.id = f.id)",
        mark=mark,
        me=session.user_id,
    )
    return [row[0] for row in rows]


def file_sha1(path: Path) -> str:
    """Return the SHA-1 of a file in hex, as OMERO writes it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
