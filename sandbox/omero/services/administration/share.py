"""IShare: images and other objects shown to certain users, with comments (omero-server, ShareBean.java).

A share is a list: it does not widen what its members may read, since `activate` is not supported. No mail is sent.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands.delete import delete_single
from sandbox.omero.database.event_log import java_name
from sandbox.omero.database.transactions import now
from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.administration import share_store
from sandbox.omero.services.administration.admin import id_of
from sandbox.omero.services.administration.share_store import ShareContent, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.omero.database.transactions import Transaction

COMMENT = "ome.share.comment/"


class Share(Service):
    """The share service."""

    interface = "omero.api.IShare"

    # --- reading ---------------------------------------------------------------------------------

    def _row(self, tx: Transaction, share_id: int, current: Any) -> dict[str, Any]:
        row = share_store.find(tx, self.context(current), share_id)
        if row is None:
            raise errors.validation(f"Share not found: {share_id}")
        return row

    def _content(self, share_id: int, current: Any) -> ShareContent:
        with self.server.database.read() as tx:
            return share_store.content_of(self._row(tx, share_id, current))

    def getShare(self, share_id: int, current: Any) -> Any:
        """Return a share with its owner, or None when there is none for the caller."""
        with self.server.database.read() as tx:
            context = self.context(current)
            if share_store.find(tx, context, share_id) is None:
                return None
            return hydrate.load(tx, context, "Share", [share_id], ["owner"])[0]

    def _shares(self, user_id: int, current: Any, *, own: bool, active: bool) -> list[Any]:
        with self.server.database.read() as tx:
            ids = share_store.ids_of(tx, user_id, own=own, active=active)
            return hydrate.load(tx, self.context(current), "Share", ids, ["owner"])

    def getOwnShares(self, active: bool, current: Any) -> list[Any]:
        """Return the caller's shares, or only those that are active."""
        return self._shares(self.context(current).user_id, current, own=True, active=active)

    def getMemberShares(self, active: bool, current: Any) -> list[Any]:
        """Return the shares that others have made for the caller."""
        return self._shares(self.context(current).user_id, current, own=False, active=active)

    def getSharesOwnedBy(self, user: Any, active: bool, current: Any) -> list[Any]:
        """Return the shares of a user."""
        return self._shares(id_of(user, "user"), current, own=True, active=active)

    def getMemberSharesFor(self, user: Any, active: bool, current: Any) -> list[Any]:
        """Return the shares that others have made for a user."""
        return self._shares(id_of(user, "user"), current, own=False, active=active)

    def getContents(self, share_id: int, current: Any) -> list[Any]:
        """Return the objects of a share, unloaded."""
        return _proxies(self._content(share_id, current).objects)

    def getContentSubList(self, share_id: int, start: int, finish: int, current: Any) -> list[Any]:
        """Return some of the objects of a share, unloaded."""
        objects = self._content(share_id, current).objects
        if not 0 <= start <= finish <= len(objects):
            raise errors.api_usage(f"Invalid range: {start} to {finish}")
        return _proxies(objects[start:finish])

    def getContentMap(self, share_id: int, current: Any) -> dict[str, list[int]]:
        """Return the ids of a share's objects by class."""
        by_class: dict[str, list[int]] = {}
        for entity, row_id in self._content(share_id, current).objects:
            by_class.setdefault(java_name(entity), []).append(row_id)
        return by_class

    def getContentSize(self, share_id: int, current: Any) -> int:
        """Return how many objects a share has."""
        return len(self._content(share_id, current).objects)

    def getMemberCount(self, share_ids: Any, current: Any) -> dict[int, int]:
        """Return how many users are in each share, the owner counted."""
        if not share_ids:
            raise errors.api_usage("Nothing to do")
        with self.server.database.read() as tx:
            context = self.context(current)
            if any(share_store.find(tx, context, i) is None for i in share_ids):
                raise errors.validation("Missing or protected shares specified")
            return {i: len(tx.find("ShareMember", parent=i)) for i in share_ids}

    # --- changing --------------------------------------------------------------------------------

    def createShare(
        self, description: str, expiration: Any, items: Any, users: Any, guests: Any, enabled: bool, current: Any
    ) -> int:
        """Make a share of some objects for some users; return its id."""
        context, started = self.context(current), now()
        live = share_store.time_to_live(started, expiration)
        members = tuple(id_of(user, "user") for user in users or [])
        content = ShareContent(members, tuple(guests or [])).with_objects(key_of(item) for item in items or [])
        values = {"live": live, "started": started, "description": description, "enabled": enabled}
        with self.server.database.write(context) as tx:
            return share_store.create(tx, context, self.server.node_id, values, content)

    def _change(self, share_id: int, current: Any, change: Callable[[ShareContent], ShareContent]) -> None:
        with self.server.database.write(self.context(current)) as tx:
            row = self._row(tx, share_id, current)
            share_store.write(tx, share_id, row["owner"], change(share_store.content_of(row)))

    def _update(self, share_id: int, current: Any, **values: Any) -> None:
        with self.server.database.write(self.context(current)) as tx:
            self._row(tx, share_id, current)
            tx.update("Share", share_id, **values)

    def setDescription(self, share_id: int, description: str, current: Any) -> None:
        """Change the message of a share."""
        self._update(share_id, current, message=description)

    def setExpiration(self, share_id: int, expiration: Any, current: Any) -> None:
        """Change until when a share lives; None stands for ever."""
        with self.server.database.write(self.context(current)) as tx:
            started = self._row(tx, share_id, current)["started"]
            tx.update("Share", share_id, timeToLive=share_store.time_to_live(started, expiration))

    def setActive(self, share_id: int, active: bool, current: Any) -> None:
        """Open a share for its members, or close it to them."""
        self._update(share_id, current, active=active)

    def closeShare(self, share_id: int, current: Any) -> None:
        """End a share."""
        self._update(share_id, current, closed=now())

    def addObject(self, share_id: int, thing: Any, current: Any) -> None:
        """Add an object to a share."""
        self.addObjects(share_id, [thing], current)

    def addObjects(self, share_id: int, things: Any, current: Any) -> None:
        """Add objects to a share."""
        keys = [key_of(thing) for thing in things or []]
        self._change(share_id, current, lambda content: content.with_objects(keys))

    def removeObject(self, share_id: int, thing: Any, current: Any) -> None:
        """Take an object out of a share."""
        self.removeObjects(share_id, [thing], current)

    def removeObjects(self, share_id: int, things: Any, current: Any) -> None:
        """Take objects out of a share."""
        keys = [key_of(thing) for thing in things or []]
        self._change(share_id, current, lambda content: content.without_objects(keys))

    # --- members and guests ----------------------------------------------------------------------

    def getAllMembers(self, share_id: int, current: Any) -> list[Any]:
        """Return the users that a share was made for."""
        members = self._content(share_id, current).members
        with self.server.database.read() as tx:
            return hydrate.load(tx, self.context(current), "Experimenter", dict.fromkeys(members))

    def getAllGuests(self, share_id: int, current: Any) -> list[str]:
        """Return the email addresses that a share was made for."""
        return sorted(set(self._content(share_id, current).guests))

    def getAllUsers(self, share_id: int, current: Any) -> list[str]:
        """Return the login names of members, and the addresses of guests."""
        content = self._content(share_id, current)
        names = {self.server.directory.users[user] for user in content.members}
        both = names & set(content.guests)
        if both:
            raise errors.validation(f"{sorted(both)[0]} is both a guest name and a member name")
        return sorted(names | set(content.guests))

    def addUser(self, share_id: int, user: Any, current: Any) -> None:
        """Add a member."""
        self.addUsers(share_id, [user], current)

    def addUsers(self, share_id: int, users: Any, current: Any) -> None:
        """Add members."""
        added = [id_of(user, "user") for user in users or []]
        self._change(share_id, current, lambda c: dataclasses.replace(c, members=_with(c.members, added)))

    def removeUser(self, share_id: int, user: Any, current: Any) -> None:
        """Take a member out."""
        self.removeUsers(share_id, [user], current)

    def removeUsers(self, share_id: int, users: Any, current: Any) -> None:
        """Take members out."""
        gone = {id_of(user, "user") for user in users or []}
        self._change(
            share_id, current, lambda c: dataclasses.replace(c, members=tuple(m for m in c.members if m not in gone))
        )

    def addGuest(self, share_id: int, address: str, current: Any) -> None:
        """Add a guest."""
        self.addGuests(share_id, [address], current)

    def addGuests(self, share_id: int, addresses: Any, current: Any) -> None:
        """Add guests."""
        self._change(share_id, current, lambda c: dataclasses.replace(c, guests=_with(c.guests, addresses or [])))

    def removeGuest(self, share_id: int, address: str, current: Any) -> None:
        """Take a guest out."""
        self.removeGuests(share_id, [address], current)

    def removeGuests(self, share_id: int, addresses: Any, current: Any) -> None:
        """Take guests out."""
        gone = set(addresses or [])
        self._change(
            share_id, current, lambda c: dataclasses.replace(c, guests=tuple(g for g in c.guests if g not in gone))
        )

    def notifyMembersOfShare(self, share_id: int, _subject: str, _message: str, _html: bool, current: Any) -> None:
        """Send nothing: this server has no mail, as an OMERO.server without `omero.mail.config`."""
        self._content(share_id, current)

    # --- comments --------------------------------------------------------------------------------

    def _comments(self, tx: Transaction, share_id: int) -> list[int]:
        children = [link["child"] for link in tx.find("SessionAnnotationLink", parent=share_id)]
        return [row["id"] for row in tx.find("Annotation", id=children) if (row["ns"] or "").startswith(COMMENT)]

    def getCommentCount(self, share_ids: Any, current: Any) -> dict[int, int]:
        """Return how many comments each share has; 0 for one that is not the caller's."""
        if not share_ids:
            raise errors.api_usage("Nothing to do")
        with self.server.database.read() as tx:
            context = self.context(current)
            mine = [i for i in share_ids if share_store.find(tx, context, i) is not None]
            return dict.fromkeys(share_ids, 0) | {i: len(self._comments(tx, i)) for i in mine}

    def getComments(self, share_id: int, current: Any) -> list[Any]:
        """Return the comments on a share, whatever their groups; none for a share that is not the caller's."""
        with self.server.database.read() as tx:
            context = self.context(current)
            row = share_store.find(tx, context, share_id)
            if row is None:
                return []
            loader = hydrate.Loader(tx, context)
            ids = self._comments(tx, share_id)
            loader.load(MODEL_ENTITIES["Annotation"], ids, hydrate.fetch_tree(["details.owner", "details.updateEvent"]))
            loader.connect()
            return [loader.objects["Annotation", i] for i in ids]

    def addComment(self, share_id: int, comment: str, current: Any) -> Any:
        """Comment on a share; return the comment, which belongs to the caller and the share's group."""
        context = self.context(current)
        with self.server.database.read() as tx:
            group = self._row(tx, share_id, current)["group"]
        inside = dataclasses.replace(context, group_id=group)
        with self.server.database.write(inside) as tx:
            made = tx.create("CommentAnnotation", ns=COMMENT, textValue=comment)
            tx.create("SessionAnnotationLink", parent=share_id, child=made)
        with self.server.database.read() as tx:
            return hydrate.load(tx, inside, "CommentAnnotation", [made])[0]

    def deleteComment(self, comment: Any, current: Any) -> None:
        """Delete a comment and its links to shares."""
        context, row_id = self.context(current), id_of(comment, "comment")
        with self.server.database.write(context) as tx:
            for link in tx.find("SessionAnnotationLink", child=row_id):
                delete_single(tx, context, MODEL_ENTITIES["SessionAnnotationLink"], link["id"])
            delete_single(tx, context, MODEL_ENTITIES["Annotation"], row_id)

    def deactivate(self, current: Any) -> None:
        """Do nothing: no share is ever active."""


def _proxies(objects: Sequence[tuple[str, int]]) -> list[Any]:
    return [hydrate.proxy(MODEL_ENTITIES[entity], row_id) for entity, row_id in objects]


def _with(values: tuple[Any, ...], added: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys([*values, *added]))
