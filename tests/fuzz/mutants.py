"""Mutants of valid files: cut, changed, of wrong type, with members missing. Made at run time from a seed, never kept.

A file is taken for what it is (JSON, table, zip, XML, TIFF, folder): so a mutant gets past the first look of a reader.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from pathlib import Path

WRONG_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 7, 10**9, -(10**12), 1e308, 0.5, "", "x", "0", "\ud800", "\x00\x07", "µ" * 3, [], {}, [[]],
    [None], {"a": None}, [1, "a"], "NaN", 10**30,
)  # fmt: skip
WRONG_TEXTS = (
    "", " ", "x", "-1", "0", "1e999", "inf", "nan", "1_000", "1,5", "٣", "=1+1", '"', '"a', "'", "\x00", "\x0b",
    "\ufeff", "9" * 40, "a" * 5000, "1e-400", "0x10", "µm", "<b>&amp;", "\U0001f52c", "../x", "true", "2026-13-45",
)  # fmt: skip
WRONG_INTEGERS = (0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
ZIP_FIELDS = (
    (6, 8, "H"), (8, 10, "H"), (14, 16, "I"), (18, 20, "I"), (22, 24, "I"), (26, 28, "H"), (28, 30, "H"),
)  # fmt: skip
"""Flags, method, checksum, both sizes, lengths of name and extra field: place before a member, place in the list."""
LISTED, BEFORE = b"PK\1\2", b"PK\3\4"
ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')


def mutate(path: Path, rng: random.Random) -> str:
    """Change a file or folder in place; return in words what was done. What begins with `cut` only took bytes away."""
    if path.is_dir():
        return _mutate_folder(path, rng)
    done, data = _mutant(path.read_bytes(), rng)
    path.write_bytes(data)
    return done


def _mutate_folder(path: Path, rng: random.Random) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    metadata = [file for file in files if file.name.startswith((".z", "zarr.json"))]
    file = rng.choice(metadata if metadata and rng.random() < 0.5 else files)
    if rng.random() < 0.15:
        file.unlink()
        return f"cut out: {file.relative_to(path)}"
    done, data = _mutant(file.read_bytes(), rng)
    file.write_bytes(data)
    return f"{done} in {file.relative_to(path)}"


def _mutant(data: bytes, rng: random.Random, *, depth: int = 0) -> tuple[str, bytes]:
    if rng.random() < 0.35 or not data:
        return _mutate_bytes(data, rng)
    if data.startswith(b"PK") and depth < 3:
        return _mutate_zip(data, rng, depth)
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _mutate_tiff(data, rng)
    if data.lstrip()[:1] in (b"{", b"[", b'"'):
        return _mutate_json(data, rng)
    if data.lstrip().startswith(b"<"):
        return _mutate_xml(data, rng)
    if b"\n" in data and b"\0" not in data:
        return _mutate_lines(data, rng)
    return _mutate_bytes(data, rng)


def _mutate_bytes(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64, 1000))
    kind = rng.randrange(6)
    if kind == 0:
        return f"cut at {at} of {len(data)}", data[:at]
    if kind == 1:
        return f"{length} bytes left out at {at}", data[:at] + data[at + length :]
    if kind == 2:
        return f"{length} bytes put in at {at}", data[:at] + rng.randbytes(length) + data[at:]
    if kind == 3:
        return f"{length} zeros at {at}", data[:at] + bytes(length) + data[at + length :]
    if kind == 4:
        return f"the bytes before {at} twice", data[:at] + data
    changed = bytearray(data)
    for _ in range(min(length, 8) if data else 0):
        changed[rng.randrange(len(data))] = rng.randrange(256)
    return "bytes changed", bytes(changed)


def _mutate_zip(data: bytes, rng: random.Random, depth: int) -> tuple[str, bytes]:
    if rng.random() < 0.25:
        return _mutate_directory(data, rng) if rng.random() < 0.6 else _add_member(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
        kinds = {one.filename: one.compress_type for one in archive.infolist()}
    metadata = [name for name in members if name.endswith((".json", ".xml", ".yaml", ".yml", ".zattrs", ".zarray"))]
    name = rng.choice(metadata if metadata and rng.random() < 0.5 else list(members))
    if rng.random() < 0.15:
        del members[name]
        done = f"cut out: {name}"
    else:
        done, members[name] = _mutant(members[name], rng, depth=depth + 1)
        done = f"{done} in {name}"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content, kinds[member])
    return done, out.getvalue()


def _mutate_directory(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Change what a zip says of a member: before it, in the list at the end, or at both places."""
    local, central, form = rng.choice(ZIP_FIELDS)
    value = rng.choice((*WRONG_INTEGERS, 9, 12, 14, 99)) & (0xFFFF if form == "H" else 0xFFFFFFFF)
    number, where = rng.randrange(data.count(LISTED)), rng.choice(((BEFORE,), (LISTED,), (BEFORE, LISTED)))
    changed = bytearray(data)
    for sign in where:
        starts = [found.start() for found in re.finditer(re.escape(sign), data)]
        at = starts[min(number, len(starts) - 1)] + (local if sign == BEFORE else central)
        struct.pack_into(f"<{form}", changed, min(at, len(data) - 4), value)
    return f"member {number}: {value} at {central}, {len(where)} places", bytes(changed)


def _add_member(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Add a member whose name is taken, leaves the folder, or is one that no disk takes; or a folder with bytes."""
    out = io.BytesIO(data)
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")  # that a name is there twice
        known = rng.choice(archive.namelist())
        names = (
            known,
            f"{known}/",
            f"{known}/x",
            known.upper(),
            "../x",
            "/x",
            "C:\\x",
            "x" * 300,
            "a/" * 200 + "x",
            ".",
        )
        name = rng.choice(names)
        archive.writestr(zipfile.ZipInfo(name), rng.choice((b"", b"1")))
    return f"one more member {name[:40]!r}", out.getvalue()


def _mutate_tiff(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Change the value, count or type of a tag, or an attribute of the OME-XML in place."""
    if rng.random() < 0.3 and b"<OME" in data:
        return _mutate_attribute(data, rng, same_length=True)
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] not in (b"*\0", b"\0*"):
        return _mutate_bytes(data, rng)
    at = struct.unpack(f"{order}I", data[4:8])[0]
    for _ in range(rng.randrange(3)):
        count = struct.unpack(f"{order}H", data[at : at + 2])[0]
        following = struct.unpack(f"{order}I", data[at + 2 + 12 * count : at + 6 + 12 * count])[0]
        at = following or at
    tag = at + 2 + 12 * rng.randrange(struct.unpack(f"{order}H", data[at : at + 2])[0])
    place, form = rng.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I"), (8, "H")))
    value = rng.choice((*WRONG_INTEGERS, rng.randrange(300))) & (0xFFFF if form == "H" else 0xFFFFFFFF)
    code = struct.unpack(f"{order}H", data[tag : tag + 2])[0]
    changed = struct.pack(f"{order}{form}", value)
    return f"tag {code}: {value} at {place}", data[: tag + place] + changed + data[tag + place + len(changed) :]


def _mutate_attribute(data: bytes, rng: random.Random, *, same_length: bool = False) -> tuple[str, bytes]:
    found = list(ATTRIBUTE.finditer(data))
    if not found:
        return _mutate_bytes(data, rng)
    one = rng.choice(found)
    value = rng.choice(WRONG_TEXTS).encode("utf-8", "replace").replace(b"<", b"&lt;")
    if same_length:
        value = value[: len(one[2])].ljust(len(one[2]), b"0")
    return f"{one[1].decode()}={value[:20]!r}", data[: one.start(2)] + value + data[one.end(2) :]


def _mutate_xml(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    if rng.random() < 0.7:
        return _mutate_attribute(data, rng)
    elements = list(re.finditer(rb"<(\w+)[^>]*/>", data))
    if not elements:
        return _mutate_attribute(data, rng)
    one = rng.choice(elements)
    return f"without {one[0][:30]!r}", data[: one.start()] + data[one.end() :]


def _mutate_json(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    try:
        value = json.loads(data)
    except ValueError:
        return _mutate_bytes(data, rng)
    if rng.random() < 0.05:
        return "nested too deep", b"[" * 100_000
    places = list(_places(value))
    if not places:
        return "another value", json.dumps(rng.choice(WRONG_VALUES)).encode()
    owner, key = rng.choice(places)
    done = f"{key}: "
    if rng.random() < 0.2:
        del owner[key]
        done += "left out"
    else:
        owner[key] = rng.choice(WRONG_VALUES)
        done += repr(owner[key])
    return done, json.dumps(value).encode()


def _places(value: Any) -> Any:
    """Yield each container within a value with each of its keys."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _mutate_lines(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    cells = re.split(rb"([\t,;: ])", lines[number])
    kind, at = rng.randrange(6), rng.randrange(len(cells) // 2 + 1) * 2
    text = rng.choice(WRONG_TEXTS).encode("utf-8", "surrogatepass")
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(number, lines[number])
    elif kind == 2:
        cells[at : at + 2] = []
    else:
        cells[at] = text
    if kind >= 2:
        lines[number] = b"".join(cells)
    words = ("left out", "twice", "a cell less")
    said = words[kind] if kind < 3 else repr(text[:20])
    return f"line {number}: {said}", b"\n".join(lines)


def mutate_text(text: str, rng: random.Random) -> str:
    """Return another text than the one that a user was asked to type."""
    kind, at = rng.randrange(4), rng.randrange(len(text) + 1)
    if kind == 0:
        return rng.choice(WRONG_TEXTS).replace("\x00", "")  # no command line holds a zero byte
    if kind == 1:
        return text[:at] + rng.choice(" ,;:()'\"*-+=<>.9a%\\\n") + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1 :]
    return text.replace(rng.choice(text.split() or ["x"]), rng.choice(WRONG_TEXTS).replace("\x00", ""), 1)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder."""
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
