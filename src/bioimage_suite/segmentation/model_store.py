"""A Galaxy's store of models: packages that have passed their own test, one row each of the table `bioimage_models`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation.model_files import extract, needed_files, own_description, read_description
from bioimage_suite.segmentation.model_package import load_network

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_NAME = 80
OF_THE_SUM = 12
"""Digits of the SHA-256 that end a value: 48 bits, so that two packages of one store never share one by chance."""


@dataclass(frozen=True)
class StoredModel:
    """A row of the table `bioimage_models`; it follows from the package alone, from wherever that was fetched.

    Attributes:
        value: The model's name in letters, digits and hyphens, and the first digits of the package's SHA-256: a
            workflow that names it always runs the same network.
        name: What a user chooses by.
        version: Version in the description; empty if it has none.
        sha256: Of the package, hexadecimal.
    """

    value: str
    name: str
    version: str
    sha256: str


def check_package(package: Path, name: str, folder: Path) -> StoredModel:
    """Check that a package is complete, that its files have their checksums, and that it passes its own test.

    Call `quiet_library` before.

    Args:
        package: Zip file.
        name: Name of the package in messages.
        folder: Empty folder to unpack to.

    Raises:
        UserError: The package cannot run here, a file's SHA-256 is not that of the description, or the network does not
            reproduce the test outputs.
    """
    given = extract(package, name, folder)
    own = own_description(given, name)
    for file, expected in needed_files(given, name).items():
        found = _sha256(given.parent / file)
        if expected and found != expected:
            raise UserError(
                f"Package {name}: its file {file} has the SHA-256 {found}, its description says {expected}. Nothing "
                "was registered. Fetch it again; if that does not help, tell the zoo."
            )
    load_network(own, name, run_test=True)
    return _row(package, read_description(given, name))


def _row(package: Path, description: dict[str, Any]) -> StoredModel:
    """Return the row of a package; a name is in one line without tabs, which end columns of the table."""
    sha256 = _sha256(package)
    name = _one_line(description.get("name")) or "model"
    version = _one_line(description.get("version"))
    slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "model"
    shown = f"{name} {version}".strip()
    return StoredModel(f"{slug}-{sha256[:OF_THE_SUM]}", f"{shown} ({sha256[:OF_THE_SUM]})", version, sha256)


def _one_line(value: Any) -> str:
    text = "" if value is None else str(value)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_NAME].strip()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
