"""Download one file: resume after an interruption, verify size and checksum, never write outside its folder.

A download is written to `<name>.part`, with the server's validator (ETag or Last-Modified) beside it in
`<name>.validator`, and renamed when it is complete and verified. A rerun in the same folder resumes it by `Range` with
`If-Range` (RFC 9110, 13.1.5 and 14.2), so that a file that changed meanwhile is downloaded again from the start.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.files import RemoteFile
from bioimage_suite.fair.archives.http import TRANSIENT, ServerError, Web, open_url, read_chunks

if TYPE_CHECKING:
    import requests

# Tries without progress after which a download is given up, and tries of a file in all: a server that sends a byte and
# breaks off makes progress for ever.
_TRIES, _MOST_TRIES = 5, 1000
CACHE = "BIOIMAGE_SUITE_CACHE"
"""Environment variable with a folder in which downloads wait for the next job when their job fails."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class Fetched:
    """A complete downloaded file. `verified` names what was compared: `size`, `md5`, ..."""

    file: RemoteFile
    path: Path
    size: int
    sha256: str
    verified: tuple[str, ...]


def fetch_file(
    web: Web, file: RemoteFile, target: Path, *, limit: int, wait: Callable[[float], None] = time.sleep
) -> Fetched:
    """Download a file, resume a partial download, or keep a complete one of an earlier run.

    Args:
        web: Limits of the requests.
        file: The file to download.
        target: Path to write to; its folder exists.
        limit: Largest size in bytes.
        wait: Called with the seconds between two tries.

    Raises:
        UserError: The request is refused, the file is too large, its size or checksum differs from the listed one, or
            five tries without progress failed.
    """
    part, _ = _parts(target)
    if target.exists() and _is_whole(file, target):
        return _verified(file, target, target)
    attempt = 0
    for number in range(1, _MOST_TRIES + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch_rest(web, file, target, limit)
            break
        except ServerError:
            progress = part.exists() and part.stat().st_size > before
            attempt = 0 if progress else attempt + 1
            if attempt == _TRIES or number == _MOST_TRIES:
                raise
            wait(2.0 ** max(attempt - 1, 0))
    return _verified(file, part, target)


def waiting_folder(file: RemoteFile) -> Path | None:
    """Return the folder in which a download waits for the next job, made if missing; None without a cache.

    It is one for each address, so that jobs which fetch the same file find what an earlier one has left.
    """
    cache = os.environ.get(CACHE)
    if not cache:
        return None
    folder = Path(cache) / hashlib.sha256(file.url.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def kept_for_next_job(file: RemoteFile, target: Path) -> Iterator[Path]:
    """Yield the path to download to: in the cache if there is one and no other job works there, else the target itself.

    When the block ends well the file is linked (or copied) to the target and stays in the cache until `forget`. A later
    job takes it as it is if its list states a size or a checksum, by which it can be verified.
    """
    folder = waiting_folder(file)
    if folder is None:
        yield target
        return
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield target
            return
        waiting = folder / "file"
        yield waiting
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(waiting)
        except OSError:
            shutil.copyfile(waiting, target)


def forget(files: Iterable[RemoteFile]) -> None:
    """Remove downloads from the cache: the job that fetched them has all it needs."""
    for file in files:
        folder = waiting_folder(file)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _parts(target: Path) -> tuple[Path, Path]:
    """Return the paths of the partial download and of its validator, beside the target."""
    part, validator = (target.with_name(target.name + suffix) for suffix in (".part", ".validator"))
    for file in (target, part, validator):
        # Writing through a symbolic link could overwrite any file.
        if file.is_symlink():
            raise UserError(f"file {file.name}: is a link. Remove it: files are only written within their folder.")
    return part, validator


def _discard(target: Path) -> None:
    for file in (target, *_parts(target)):
        file.unlink(missing_ok=True)


def _is_whole(file: RemoteFile, path: Path) -> bool:
    """Return whether an earlier run's file is complete; one without listed size and checksum never counts as such."""
    if not file.checksum and file.size is None:
        return False
    same_size = file.size is None or path.stat().st_size == file.size
    return same_size and (not file.checksum or digest(path, file.checksum.partition(":")[0]) == file.checksum)


def _fetch_rest(web: Web, file: RemoteFile, target: Path, limit: int) -> None:
    part, validator_file = _parts(target)
    have = part.stat().st_size if part.exists() else 0
    validator = validator_file.read_text() if have and validator_file.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    with open_url(web, file.url, headers=headers) as response:
        status = response.status_code
        if status == 416 or (status == 206 and _start(response) != have):
            # The part is either complete or longer than the file now is; only a download from the start can tell.
            _discard(target)
            raise ServerError(f"file {file.path}: the server cannot go on at byte {have:,}. Try again.")
        if status in TRANSIENT:
            raise ServerError(f"file {file.path}: the server answers status {status}. Try again later.")
        if status not in {200, 206}:
            raise UserError(f"file {file.path}: the server answers status {status} to {file.url}. Check the file list.")
        validator_file.write_text(_validator(response))
        _append(web, response, file, target, have=have if status == 206 else 0, limit=limit)
    validator_file.unlink(missing_ok=True)


def _start(response: "requests.Response") -> int:
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _validator(response: "requests.Response") -> str:
    """Return the validator of this version of the file; weak ETags do not guarantee identical bytes."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _append(web: Web, response: "requests.Response", file: RemoteFile, target: Path, *, have: int, limit: int) -> None:
    length = response.headers.get("Content-Length", "")
    announced = have + int(length) if length.isdecimal() else 0
    ceiling = limit if file.size is None else min(limit, file.size)
    with _parts(target)[0].open("ab" if have else "wb") as stream:
        if announced <= ceiling:
            for chunk in read_chunks(web, response, unpack=False):
                have += len(chunk)
                if have > ceiling:
                    break
                stream.write(chunk)
    if max(have, announced) > ceiling:
        _discard(target)
        wanted = "the limit" if ceiling == limit else "its file list"
        raise UserError(f"file {file.path}: has more than the {ceiling:,} bytes that {wanted} allows. It was not kept.")


def _verified(file: RemoteFile, here: Path, target: Path) -> Fetched:
    size = here.stat().st_size
    kind = file.checksum.partition(":")[0]
    if file.size is not None and size != file.size:
        _discard(target)
        raise UserError(f"file {file.path}: has {size:,} bytes, its file list says {file.size:,}. It was not kept.")
    if kind and (found := digest(here, kind)) != file.checksum:
        _discard(target)
        raise UserError(f"file {file.path}: {found}, its file list says {file.checksum}. It was not kept; try again.")
    sha256 = digest(here, "sha256").partition(":")[2]
    here.replace(target)
    return Fetched(
        file, target, size, sha256, (*(["size"] if file.size is not None else []), *([kind] if kind else []))
    )


def digest(path: Path, kind: str) -> str:
    """Return the checksum of a file as `kind:hexadecimal digits`; `kind` as hashlib names it."""
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"
