"""Tables of annotations: what their rows ask for each object, and the files they attach."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.changes import Attachment, Wanted
from bioimage_suite.omero.files.original_files import file_sha1
from bioimage_suite.omero.named_files import read_files
from bioimage_suite.tables.key_value_dialects import (
    CLIENT_NAMESPACE,
    TAG_NAMESPACE,
    KeyValue,
    KeyValueFile,
    TargetObject,
)

SHOWN = 10  # Most problems of a table that one message lists.


def read_wanted(
    reading: KeyValueFile, namespace: str, kind: str, files: Mapping[str, Attachment] | None = None
) -> dict[TargetObject, Wanted]:
    """Collect the annotations that the table asks for each object.

    Columns COMMENT, RATING, TAG and ATTACHMENT (any case) become comments, ratings, tags and attached files; all other
    columns become key-value pairs. A TAG cell that names a tag set only, as `[hits]`, asks for none of its tags.

    Args:
        reading: The table.
        namespace: Replaces OMERO.web's namespace, which readers give to pairs without a namespace.
        kind: Kind of the objects where the table does not say it.
        files: The files that ATTACHMENT cells may name.

    Raises:
        UserError: The table has a problem (a wrong encoding, a ragged row, a formula), named with line and column; a
            rating is not 1 to 5; a file was not given, or no cell names it; or there is no value at all.
    """
    _refuse_problems(reading)
    found: dict[TargetObject, Wanted] = {}
    for pair in reading.pairs:
        target = pair.target
        if reading.dialect == "omero-scripts-new" and target.kind == "image":
            target = replace(target, kind=kind)
        _add(found.setdefault(target, Wanted()), pair, reading, namespace, files or {})
    if not found:
        raise UserError(f"table {reading.file}: it holds no value. Check that its first line names the keys.")
    named = {one.name for wanted in found.values() for one in wanted.files}
    unnamed = [name for name in files or {} if name not in named]
    if unnamed:
        raise UserError(
            f"file {unnamed[0]!r}: no ATTACHMENT cell of table {reading.file} names it. Add it to a row, or leave it "
            "out."
        )
    return found


def _refuse_problems(reading: KeyValueFile) -> None:
    odd = [one for one in reading.findings if one.level != "note"]
    if odd:
        shown = "; ".join(
            f"line {one.line}, column {one.column or '?'}: found {one.found!r}, expected {one.expected}"
            for one in odd[:SHOWN]
        )
        raise UserError(f"table {reading.file}: {len(odd)} cells have a problem. {shown}. Correct the table.")


def _add(
    wanted: Wanted, pair: KeyValue, reading: KeyValueFile, namespace: str, files: Mapping[str, Attachment]
) -> None:
    """Add what a cell asks for to the annotations of its object."""
    key = pair.key.casefold()
    if pair.namespace == TAG_NAMESPACE or key == "tag":
        # omero-scripts separates tags by commas: its tags contain none.
        texts = pair.value.split(",") if reading.dialect == "omero-scripts-new" else [pair.value]
        tags = [parse_tag(text.strip()) for text in texts if text.strip()]
        # omero_get_annotations writes the tag set as the key.
        wanted.tags |= dict.fromkeys(tags if key == "tag" else [(pair.value, pair.key)])
    elif key == "comment":
        wanted.comments[pair.value] = None
    elif key == "attachment":
        wanted.files[_attachment(pair, reading.file, files)] = None
    elif key == "rating":
        if not re.fullmatch("[1-5]", pair.value):
            raise UserError(f"table {reading.file}, line {pair.line}: rating {pair.value!r} is not 1 to 5. Mend it.")
        wanted.rating = int(pair.value)
    else:
        space = namespace if pair.namespace == CLIENT_NAMESPACE else pair.namespace
        pairs = wanted.pairs.setdefault(space, [])
        if (pair.key, pair.value) not in pairs:
            pairs.append((pair.key, pair.value))


def left_out(reading: KeyValueFile) -> list[str]:
    """Return one line for each table entry that is not written: fetched files and single values."""
    notes = [one for one in reading.findings if one.level == "note" and one.column]
    lines = [f"line {one.line}: left out: {one.found}; expected {one.expected}" for one in notes[:SHOWN]]
    return [*lines, f"{len(notes) - SHOWN} more are left out"] if len(notes) > SHOWN else lines


def read_attachments(files: Any) -> dict[str, Attachment]:
    """Read Galaxy's description of the files to attach and return them by name; there may be none.

    Raises:
        UserError: Two files have the same name.
    """
    given: dict[str, Attachment] = {}
    entries = [files] if isinstance(files, Mapping) else files or []
    # Galaxy describes a file that was not given as an entry without a path.
    entries = [entry for entry in entries if entry["source_path"]]
    for file in read_files(entries) if entries else []:
        if file.identifier in given:
            raise UserError(f"file {file.identifier!r}: it is given twice. Rename one, or leave it out.")
        size = file.path.stat().st_size
        given[file.identifier] = Attachment(file.identifier, file.path, size, file_sha1(file.path))
    return given


def parse_tag(text: str) -> tuple[str, str]:
    """Split `name[tag set]` into name and tag set; the id in omero-scripts' `name[id][tag set]` is ignored.

    The name is empty where there is a tag set only: none of its tags is wanted. A number alone, `[12]`, is a tag's id.

    >>> parse_tag("mitosis[stages]"), parse_tag("mitosis"), parse_tag("mitosis[12][stages]"), parse_tag("mitosis[12]")
    (('mitosis', 'stages'), ('mitosis', ''), ('mitosis', 'stages'), ('mitosis', ''))
    >>> parse_tag("[stages]"), parse_tag("[12]")
    (('', 'stages'), ('[12]', ''))
    """
    if re.fullmatch(r"\[[^\[\]]*[^\d\[\]][^\[\]]*\]", text):
        return "", text[1:-1].strip()
    match = re.fullmatch(r"(.+?)\s*(?:\[\d+\])?(?:\[([^\[\]]*[^\d\[\]][^\[\]]*)\])?", text)
    return (match[1].strip(), (match[2] or "").strip()) if match else (text, "")


def _attachment(pair: KeyValue, table: str, files: Mapping[str, Attachment]) -> Attachment:
    if pair.value not in files:
        raise UserError(
            f"table {table}, line {pair.line}: no file {pair.value!r} was given. Given are: "
            f"{', '.join(files) or 'none'}. Choose it under the files to attach, or mend its name."
        )
    return files[pair.value]
