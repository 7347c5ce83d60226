"""Safe reading of JSON and zip files from unknown sources.

Limits (chosen here, far above regular use: the metadata of 10,000 images is about 10 MB):
    JSON: 32 MB of text and 1,000,000 objects and lists, because a parsed list costs about 60 bytes for each bracket;
        100 levels of them, because whoever walks or copies a value level by level has a stack of about 500.
    Zip: 100,000 members; a member may unpack to 512 MB and all together to 2 GB unless the caller sets another limit.
"""

import json
import math
import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated

MAX_JSON_BYTES = 32 * 1024 * 1024
MAX_JSON_CONTAINERS = 1_000_000
MAX_JSON_DEPTH = 100
MAX_ZIP_MEMBERS = 100_000
MAX_MEMBER_BYTES = 512 * 1024 * 1024
MAX_UNPACKED_BYTES = 2 * 1024 * 1024 * 1024
MAX_PATH_STEPS, MAX_NAME_BYTES = 100, 255
ANY_SIZE = 1 << 60  # where only some members are unpacked, each within limits of its own

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_json(
    data: bytes,
    name: str,
    *,
    max_bytes: int = MAX_JSON_BYTES,
    max_containers: int = MAX_JSON_CONTAINERS,
    constants: bool = False,
) -> Any:
    """Parse JSON strictly and within limits.

    Args:
        data: The file's bytes, UTF-8 with or without a byte order mark.
        name: What the user calls the file; used in messages.
        max_bytes: Largest size of the file.
        max_containers: Most objects and lists in it.
        constants: Take NaN and Infinity as numbers, which some programs write.

    Returns:
        The value as dict, list, str, int, float, bool or None.

    Raises:
        UserError: The data are too large, nested too deep, not UTF-8 or not JSON, hold NaN or Infinity (unless
            `constants`) or half of a character (a lone surrogate), or an object has a key twice (one of the two values
            would be lost silently).
    """
    if len(data) > max_bytes:
        raise UserError(
            f"file {name}: {len(data):,} bytes of JSON, at most {max_bytes:,} are read. Give a smaller file."
        )
    if data.count(b"[") + data.count(b"{") > max_containers:
        raise UserError(
            f"file {name}: more than {max_containers:,} JSON objects and lists. Give a smaller file; "
            "this one would not fit in memory."
        )
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=lambda pairs: _unique_keys(pairs, name),
            parse_constant=float if constants else lambda constant: _refuse_constant(constant, name),
            parse_float=None if constants else lambda text: _finite(text, name),
        )
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"file {name}: a text in it holds half of a character ({error.object[error.start]!a}), which no file can "
            "store. Write the whole character."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"file {name}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    except RecursionError as error:
        raise UserError(f"file {name}: JSON nested too deep to read. Give a flat file.") from error
    except json.JSONDecodeError as error:
        raise UserError(
            f"file {name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}). Correct the file there."
        ) from error
    except ValueError as error:
        raise UserError(f"file {name}: a number in it is too long to read. Write it as text.") from error
    if _deeper_than(value, MAX_JSON_DEPTH):
        raise UserError(f"file {name}: JSON nested in more than {MAX_JSON_DEPTH} levels. Give a flat file.")
    return value


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner
            for part in level
            if isinstance(part, (dict, list))
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return False
    return True


def _unique_keys(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = repeated(key for key, _ in pairs)[0]
        raise UserError(f"file {name}: the key {twice!r} stands twice in one object. Keep one of the two.")
    return result


def _finite(text: str, name: str) -> float:
    number = float(text)
    # Such as 1e999: written again it would be `Infinity`.
    return number if math.isfinite(number) else _refuse_constant(text, name)


def _refuse_constant(constant: str, name: str) -> NoReturn:
    raise UserError(f"file {name}: {constant} is not JSON, or no finite number. Write null or a number.")


def safe_relative_path(path: str) -> PurePosixPath | None:
    """Return the path of a file list if it stays inside its folder, else None.

    Args:
        path: As written, with `/` as separator.

    Returns:
        The path; None when it is absolute, empty, climbs out (`..`), names a drive or scheme, or holds a
        backslash, a control character, a `.` step or a doubled slash.
    """
    steps = path.split("/")
    climbs = any(step in {"", ".", ".."} for step in steps)
    if climbs or "\\" in path or ":" in steps[0] or any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        return None
    return PurePosixPath(path)


def fits_on_disk(path: str, longest_suffix: str = "") -> bool:
    """Return whether a disk takes the names in a path, and a reader its depth.

    Args:
        path: With `/` as separator.
        longest_suffix: What is added to the last name while the file is written.
    """
    steps = path.split("/")
    steps[-1] += longest_suffix
    return len(steps) <= MAX_PATH_STEPS and max(len(one.encode("utf-8", "replace")) for one in steps) <= MAX_NAME_BYTES


def open_zip(path: Path, name: str, max_unpacked: int = MAX_UNPACKED_BYTES) -> zipfile.ZipFile:
    """Open a zip file after checking what it would unpack to.

    Args:
        path: The file.
        name: What the user calls the file.
        max_unpacked: Bytes that all members together may unpack to.

    Returns:
        The open archive; the caller closes it.

    Raises:
        UserError: The file is not a zip, damaged or encrypted, has too many members or bytes (a zip bomb), or the path
            of a member leaves the folder.
    """
    with damage.reading(f"file {name}: not a readable zip file", "Pack or upload it again."):
        archive = zipfile.ZipFile(path)
    try:
        _check_members(archive.infolist(), name, max_unpacked)
    except UserError:
        archive.close()
        raise
    return archive


def _check_members(members: list[zipfile.ZipInfo], name: str, max_unpacked: int) -> None:
    if len(members) > MAX_ZIP_MEMBERS:
        raise UserError(f"file {name}: {len(members):,} members, at most {MAX_ZIP_MEMBERS:,} are read. Split it.")
    unpacked = sum(member.file_size for member in members)
    if unpacked > max_unpacked:
        raise UserError(
            f"file {name}: unpacks to {unpacked:,} bytes, at most {max_unpacked:,} are allowed "
            "(a zip bomb?). Give a smaller file."
        )
    for member in members:
        if safe_relative_path(member.filename.rstrip("/")) is None:
            raise UserError(
                f"file {name}: member {member.filename!r} would leave its folder. Pack it again without '..'."
            )
        if member.flag_bits & 1:
            raise UserError(f"file {name}: member {member.filename!r} is encrypted. Pack it again without a password.")
        if not fits_on_disk(member.filename.rstrip("/")):
            raise UserError(
                f"file {name}: member {member.filename[:60]!r}... is {member.filename.count('/')} folders deep, or has "
                "a name that no disk takes. Pack it again with shorter paths."
            )
    _refuse_files_as_folders(members, name)


def _refuse_files_as_folders(members: list[zipfile.ZipInfo], name: str) -> None:
    files = {member.filename for member in members if not member.is_dir()}
    folders: set[str] = set()
    for member in members:
        above = member.filename.rstrip("/") if member.is_dir() else member.filename.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    both = min(files & folders, default=None)
    if both is not None:
        raise UserError(f"file {name}: member {both!r} is a file and also a folder. Pack it again.")


def read_member(archive: zipfile.ZipFile, member: str, name: str, max_bytes: int = MAX_MEMBER_BYTES) -> bytes:
    """Read one member, never more than `max_bytes`, whatever size the directory of the zip declares.

    Raises:
        UserError: The member is missing, damaged, or longer than `max_bytes`.
    """
    if member not in archive.NameToInfo:
        raise UserError(f"file {name}: holds no {member}. Give the whole crate.")
    size = archive.NameToInfo[member].file_size
    if size <= max_bytes:
        # Asked for more, it unpacks all that is there, though it returns no more than the directory declares.
        with damage.reading(f"file {name}, member {member!r}", "Pack it again."), archive.open(member) as stream:
            data = stream.read(size + 1)
    if size > max_bytes or len(data) > max_bytes:
        raise UserError(f"file {name}: member {member!r} is larger than {max_bytes:,} bytes. Give a smaller file.")
    return data


def unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str, target: Path, name: str) -> None:
    """Write one member to a file; it is never longer than the directory of the zip declares (see `open_zip`).

    Raises:
        UserError: The member is missing or damaged.
    """
    said = member if isinstance(member, str) else member.filename
    with (
        damage.reading(f"file {name}, member {said!r}", "Pack it again."),
        archive.open(member) as source,
        target.open("wb") as unpacked,
    ):
        shutil.copyfileobj(source, unpacked, 1 << 20)
