"""Users, groups, memberships and passwords in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from typing import TYPE_CHECKING

from sandbox.omero.access.directory import Directory, Group
from sandbox.omero.model.schema import CREDENTIAL

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
    return Directory({g[0]: Group(*g) for g in groups}, dict(users), memberships)


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


def set_password(tx: Transaction, user_id: int, password: str) -> None:
    """Store the hash of a new password."""
    tx.execute(CREDENTIAL.delete().where(CREDENTIAL.c.experimenter_id == user_id))
    tx.execute(CREDENTIAL.insert().values(experimenter_id=user_id, hash=hash_password(password)))


def check_password(tx: Transaction, user_id: int, password: str) -> bool:
    """Return whether the password is the user's; a user without one cannot log in."""
    stored = tx.execute(CREDENTIAL.select().where(CREDENTIAL.c.experimenter_id == user_id)).first()
    return stored is not None and password_matches(password, stored.hash)
