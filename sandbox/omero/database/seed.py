"""The content of a new OMERO: enumerations, the system's users and groups, a node."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sandbox.omero.access.directory import (
    GUEST_GROUP,
    GUEST_USER,
    PRIVATE,
    ROOT_USER,
    SYSTEM_GROUP,
    USER_GROUP,
    permission_bits,
)
from sandbox.omero.database.transactions import now
from sandbox.omero.database.users import set_password
from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.model.schema import SCHEMA_VERSION, SETTING

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction

BIT_SIZES = {
    **{"bit": 1, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32},
    **{"float": 32, "double": 64, "complex": 64, "double-complex": 128},
}
EXTRA_VALUES = {
    "EventType": ("Test", "Internal", "User"),
    "ChecksumAlgorithm": (*("SHA1-160", "MD5-128", "Murmur3-128", "Murmur3-32", "CRC-32", "Adler-32", "File-Size-64"),),
    "DimensionOrder": ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"),
    "PixelsType": tuple(BIT_SIZES),
    "Format": ("OMETiff", "OMEZarr", "TIFF", "PNG", "JPEG", "Companion/OMETiff", "Fake"),
    "JobStatus": (
        *("Submitted", "Resubmitted", "Queued", "Requeued", "Running", "Error", "Waiting"),
        *("Finished", "Cancelled"),
    ),
}
"""Values that omero-py's constants lack."""


def enumeration_values() -> dict[str, list[str]]:
    """Return every enumeration's values: omero-py has them as constants named `<Entity><value>`."""
    import omero.model.enums as constants

    names = sorted((e.name for e in MODEL_ENTITIES.values() if e.is_enumeration), key=len, reverse=True)
    values: dict[str, list[str]] = {name: list(EXTRA_VALUES.get(name, ())) for name in names}
    for constant, value in vars(constants).items():
        owner = next((name for name in names if constant.startswith(name)), None)
        if owner is not None and isinstance(value, str) and value not in values[owner]:
            values[owner].append(value)
    return values


def is_seeded(tx: Transaction) -> bool:
    """Return whether the database has been set up before; refuse one of another version."""
    stored = tx.execute(SETTING.select().where(SETTING.c.name == "schema_version")).first()
    if stored is not None and int(stored.value) != SCHEMA_VERSION:
        raise SystemExit(
            f"database of schema version {stored.value}: this server needs {SCHEMA_VERSION}. "
            "Start with another --data folder, or export from the old version and import again."
        )
    return stored is not None


def seed(tx: Transaction, root_password: str) -> None:
    """Fill an empty database."""
    for entity, values in enumeration_values().items():
        for value in values:
            extra = {"bitSize": BIT_SIZES.get(value, 8)} if entity == "PixelsType" else {}
            tx.create(entity, value=value, **extra)
    bits = permission_bits(PRIVATE)
    groups = {SYSTEM_GROUP: "system", USER_GROUP: "user", GUEST_GROUP: "guest"}
    for group_id, name in groups.items():
        open_bits = permission_bits("rwr-r-") if group_id == USER_GROUP else bits
        tx.create("ExperimenterGroup", id=group_id, name=name, description="", ldap=False, permissions=open_bits)
    for user_id, name, first, last in (
        (ROOT_USER, "root", "root", "root"),
        (GUEST_USER, "guest", "Guest", "Account"),
    ):
        tx.create("Experimenter", id=user_id, omeName=name, firstName=first, lastName=last, ldap=False)
    for group_id, user_id, leads in (
        (SYSTEM_GROUP, ROOT_USER, True),
        (USER_GROUP, ROOT_USER, False),
        (GUEST_GROUP, GUEST_USER, False),
    ):
        tx.create("GroupExperimenterMap", parent=group_id, child=user_id, owner=leads)
    set_password(tx, ROOT_USER, root_password)
    set_password(tx, GUEST_USER, "guest")
    tx.create("Node", uuid=str(uuid.uuid4()), conn="sandbox", up=now(), scale=1)
    tx.execute(
        SETTING.insert(),
        [
            {"name": "schema_version", "value": str(SCHEMA_VERSION)},
            {"name": "uuid", "value": str(uuid.uuid4())},
        ],
    )
