"""What a share holds and who is in it: the row of a Share, its members, and its content (OMERO's BlobShareStore)."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.database.transactions import now
from sandbox.omero.model.entities import find_entity
from sandbox.omero.server.sessions import TIME_TO_IDLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

NEVER = 2**63 - 1  # Long.MAX_VALUE, in ms since 1970: a share without expiration


@dataclass(frozen=True)
class ShareContent:
    """The content of a share; OMERO keeps the same in `share.data`, in a form of its own.

    Attributes:
        members: Ids of the users that it was made for; the owner is not among them unless named.
        guests: Email addresses.
        objects: Entity and id of each object, in the order in which they were added.
    """

    members: tuple[int, ...] = ()
    guests: tuple[str, ...] = ()
    objects: tuple[tuple[str, int], ...] = ()

    def with_objects(self, added: Iterable[tuple[str, int]]) -> ShareContent:
        """Return the content with more objects; what is there already stays where it is."""
        return replace(self, objects=tuple(dict.fromkeys([*self.objects, *added])))

    def without_objects(self, removed: Iterable[tuple[str, int]]) -> ShareContent:
        """Return the content without some objects."""
        gone = set(removed)
        return replace(self, objects=tuple(o for o in self.objects if o not in gone))


def key_of(thing: Any) -> tuple[str, int]:
    """Return entity and id of a client's object.

    Raises:
        omero.ValidationException: It has no id.
    """
    entity = find_entity(thing.ice_id()) if thing is not None else None
    if entity is None or thing.id is None:
        raise errors.validation("Cannot add object with null id!")
    return entity.name, thing.id.val


def time_to_live(started: int, expiration: Any) -> int:
    """Return the milliseconds from `started` until a share expires.

    Raises:
        omero.ApiUsageException: It would have expired already.
    """
    if expiration is None:
        return NEVER - started
    if expiration.val < now():
        raise errors.api_usage("Expiration time must be in the future.")
    return int(expiration.val) - started


def create(
    tx: Transaction,
    context: Context,
    node: int,
    values: dict[str, Any],
    content: ShareContent,
) -> int:
    """Store a new share of the caller; return its id. `values` are description, started, expiration and enabled."""
    share_id = tx.create(
        "Share",
        uuid=str(uuid.uuid4()),
        owner=context.user_id,
        node=node,
        timeToIdle=TIME_TO_IDLE,
        timeToLive=values["live"],
        started=values["started"],
        defaultEventType="SHARE",
        userAgent="Share",
        message=values["description"],
        group=context.group_id,
        active=values["enabled"],
        itemCount=0,
        data=b"",
    )
    write(tx, share_id, context.user_id, content)
    return share_id


def find(tx: Transaction, context: Context, share_id: int) -> dict[str, Any] | None:
    """Return the row of a share that the caller owns, is a member of, or administers; None for any other."""
    row = tx.get("Share", share_id)
    if row is None:
        return None
    accessible = context.is_admin or row["owner"] == context.user_id
    return row if accessible or context.user_id in content_of(row).members else None


def content_of(row: dict[str, Any]) -> ShareContent:
    """Return the content that a share's row has."""
    kept = json.loads(row["data"] or b"{}")
    objects = tuple((entity, number) for entity, number in kept.get("objects", ()))
    return ShareContent(tuple(kept.get("members", ())), tuple(kept.get("guests", ())), objects)


def write(tx: Transaction, share_id: int, owner: int, content: ShareContent) -> None:
    """Store the content of a share, the number of its objects, and who is in it: the members and the owner."""
    tx.update("Share", share_id, data=json.dumps(asdict(content)).encode(), itemCount=len(content.objects))
    wanted = {owner, *content.members}
    known = {row["child"]: row["id"] for row in tx.find("ShareMember", parent=share_id)}
    for user in sorted(wanted - set(known)):
        tx.create("ShareMember", parent=share_id, child=user)
    tx.delete("ShareMember", [known[user] for user in known.keys() - wanted])


def ids_of(tx: Transaction, user_id: int, *, own: bool, active: bool) -> list[int]:
    """Return the ids of the shares of a user: the own ones, or those that others have made for the user."""
    parents = [row["parent"] for row in tx.find("ShareMember", child=user_id)]
    shares = tx.find("Share", id=parents)
    return [s["id"] for s in shares if (s["owner"] == user_id) == own and (s["active"] or not active)]
