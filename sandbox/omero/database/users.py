"""Users, groups, memberships and passwords in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from typing import TYPE_CHECKING

from sandbox.omero.access import binary_access
from sandbox.omero.access.directory import Directory, Group
from sandbox.omero.model.schema import CREDENTIAL, SETTING

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1  # about 40 ms and 16 MB a check
_hashing = threading.Semaphore(2)  # fifty logins at once would take 800 MB


def load_directory(tx: Transaction) -> Directory:
    """Read groups, users and memberships."""
    memberships: dict[int, dict[int, bool]] = {}
    maps = tx.rows('SELECT child, parent, owner FROM "GroupExperimenterMap" ORDER BY child, child_index, id', {})
    for child, parent, owner in maps:
        memberships.setdefault(child, {})[parent] = bool(owner)
    groups = tx.rows('SELECT id, name, permissions FROM "ExperimenterGroup"', {})
    users = tx.rows('SELECT id, "omeName" FROM "Experimenter"', {})
    downloads = _binary_access(tx, [group[0] for group in groups])
    known = {row_id: Group(row_id, name, bits, downloads[row_id]) for row_id, name, bits in groups}
    return Directory(known, dict(users), memberships)


def _binary_access(tx: Transaction, groups: list[int]) -> dict[int, binary_access.BinaryAccess]:
    """Return what may be downloaded of each group, by its id, from the settings of the server and the group."""
    key = binary_access.KEY
    stored = tx.execute(SETTING.select().where(SETTING.c.name == f"config.{key}")).first()
    found: dict[int, list[str]] = {group: [stored.value if stored else binary_access.DEFAULT] for group in groups}
    for group, value in tx.rows('SELECT id, value FROM "ExperimenterGroup_config" WHERE name = :key', {"key": key}):
        found[group].append(value or "")
    return {group: binary_access.binary_access(*values) for group, values in found.items()}


def _scrypt(password: str, salt: bytes) -> bytes:
    with _hashing:
        return hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)


def hash_password(password: str) -> str:
    """Return a password's hash as `scrypt$<salt>$<hash>`, both in base64."""
    salt = os.urandom(16)
    digest = _scrypt(password, salt)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def password_matches(password: str, stored: str) -> bool:
    """Return whether a stored hash belongs to the password."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(digest))


def set_password(tx: Transaction, user_id: int, password: str | None) -> None:
    """Store the hash of a new password; none or a blank one locks the account (PasswordUtil.java, preparePassword)."""
    tx.execute(CREDENTIAL.delete().where(CREDENTIAL.c.experimenter_id == user_id))
    if password and password.strip():
        tx.execute(CREDENTIAL.insert().values(experimenter_id=user_id, hash=hash_password(password)))


def check_password(tx: Transaction, user_id: int, password: str) -> bool:
    """Return whether the password is the user's; a user without one cannot log in."""
    stored = tx.execute(CREDENTIAL.select().where(CREDENTIAL.c.experimenter_id == user_id)).first()
    return stored is not None and password_matches(password, stored.hash)
