"""IAdmin: users, groups, memberships, passwords, and who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.access.directory import (
    GUEST_GROUP,
    GUEST_USER,
    PRIVATE,
    ROOT_USER,
    SYSTEM_GROUP,
    USER_GROUP,
    permission_bits,
    permission_text,
)
from sandbox.omero.commands.move import set_permissions
from sandbox.omero.database.users import check_password, set_password
from sandbox.omero.model.entities import find_entity
from sandbox.omero.objects import hydrate
from sandbox.omero.server.event_context import event_context
from sandbox.omero.server.servant import Service
from sandbox.omero.services.administration.photos import photo_ids, upload_photo

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

GROUP_TREE = ("groupExperimenterMap.child",)
PROFILE = ("omeName", "firstName", "middleName", "lastName", "institution", "email")


def text_of(value: Any) -> str | None:
    """Return the text of an RString that may be missing."""
    return value.val if value is not None else None


def id_of(thing: Any, what: str) -> int:
    """Return the id of a client's object; raise omero.ApiUsageException where there is none."""
    if thing is None or thing.id is None:
        raise errors.api_usage(f"{what} without an id")
    known: int = thing.id.val
    return known


def loaded(thing: Any, what: str) -> Any:
    """Return a client's object; raise omero.ApiUsageException if it is missing or not loaded."""
    if thing is None or not thing.isLoaded():
        raise errors.api_usage(f"{what} is missing or not loaded")
    return thing


def privilege_names(privileges: Any) -> set[str]:
    """Return the names of a client's AdminPrivileges."""
    names = {text_of(loaded(p, "AdminPrivilege").value) for p in privileges or []}
    return {_privilege_name(name) for name in names}


def _privilege_name(name: str | None) -> str:
    if not name:
        raise errors.api_usage("AdminPrivilege without a value")
    return name


class Admin(Service):
    """The administration service."""

    interface = "omero.api.IAdmin"

    # --- looking up ------------------------------------------------------------------------------

    def _users(self, ids: Any, current: Any) -> list[Any]:
        with self.server.database.read() as tx:
            return hydrate.load(tx, self.context(current), "Experimenter", ids, ["groupExperimenterMap.parent"])

    def _groups(self, ids: Any, current: Any) -> list[Any]:
        with self.server.database.read() as tx:
            return hydrate.load(tx, self.context(current), "ExperimenterGroup", ids, GROUP_TREE)

    def getExperimenter(self, user_id: int, current: Any) -> Any:
        """Return a user with its groups."""
        found = self._users([user_id], current)
        if not found:
            raise errors.api_usage(f"No such experimenter: {user_id}")
        return found[0]

    def lookupExperimenter(self, name: str, current: Any) -> Any:
        """Return a user by login name."""
        user_id = self.server.user_id(name)
        if user_id is None:
            raise errors.api_usage(f"No such experimenter: {name}")
        return self.getExperimenter(user_id, current)

    def lookupExperimenters(self, current: Any) -> list[Any]:
        """Return all users."""
        return self._users(sorted(self.server.directory.users), current)

    def getGroup(self, group_id: int, current: Any) -> Any:
        """Return a group with its members."""
        found = self._groups([group_id], current)
        if not found:
            raise errors.api_usage(f"No such group: {group_id}")
        return found[0]

    def lookupGroup(self, name: str, current: Any) -> Any:
        """Return a group by name."""
        found = [g.id for g in self.server.directory.groups.values() if g.name == name]
        if not found:
            raise errors.api_usage(f"No such group: {name}")
        return self.getGroup(found[0], current)

    def lookupGroups(self, current: Any) -> list[Any]:
        """Return all groups."""
        return self._groups(sorted(self.server.directory.groups), current)

    def containedExperimenters(self, group_id: int, current: Any) -> list[Any]:
        """Return the members of a group."""
        members = [u for u, groups in self.server.directory.memberships.items() if group_id in groups]
        return self._users(sorted(members), current)

    def containedGroups(self, user_id: int, current: Any) -> list[Any]:
        """Return the groups of a user, the default group first."""
        return self._groups(list(self.server.directory.memberships.get(user_id, {})), current)

    def getDefaultGroup(self, user_id: int, current: Any) -> Any:
        """Return the group in which a user's sessions begin."""
        group_id = self.server.directory.default_group(user_id)
        if group_id is None:
            raise errors.api_usage(f"The user {user_id} has no default group")
        return self.getGroup(group_id, current)

    def getMemberOfGroupIds(self, user: Any, _current: Any) -> list[int]:
        """Return the ids of a user's groups."""
        return list(self.server.directory.memberships.get(id_of(user, "experimenter"), {}))

    def getLeaderOfGroupIds(self, user: Any, _current: Any) -> list[int]:
        """Return the ids of the groups that a user leads."""
        return sorted(self.server.directory.leader_of(id_of(user, "experimenter")))

    def lookupLdapAuthExperimenters(self, _current: Any) -> Any:
        """Return nobody: there is no LDAP."""
        from omero.rtypes import rlist

        return rlist([])

    def lookupLdapAuthExperimenter(self, _user_id: int, _current: Any) -> str:
        """Return an empty name: there is no LDAP."""
        return ""

    def getSecurityRoles(self, _current: Any) -> Any:
        """Return ids and names of the system's users and groups."""
        import omero

        return omero.sys.Roles(
            ROOT_USER, "root", SYSTEM_GROUP, "system", USER_GROUP, "user", GUEST_USER, "guest", GUEST_GROUP, "guest"
        )

    def getEventContext(self, current: Any) -> Any:
        """Return who calls."""
        return event_context(self.session, self.context(current))

    def canUpdate(self, target: Any, current: Any) -> bool:
        """Return whether the caller may change an object."""
        entity = find_entity(target.ice_id()) if target is not None else None
        if entity is None or target.id is None:
            raise errors.api_usage("canUpdate needs an object with an id")
        context = self.context(current)
        if entity.is_global:
            return context.is_admin
        with self.server.database.read() as tx:
            row = tx.get(entity.name, target.id.val)
        if row is None:
            raise errors.api_usage(f"No such object: {entity.name}:{target.id.val}")
        return permissions.rights(context, row["owner_id"], row["group_id"]).edit

    # --- privileges ------------------------------------------------------------------------------

    def _privilege_objects(self, names: Any) -> list[Any]:
        with self.server.database.read() as tx:
            return [e for e in hydrate.enumeration(tx, "AdminPrivilege").values() if e.value.val in names]

    def getCurrentAdminPrivileges(self, current: Any) -> list[Any]:
        """Return the caller's privileges."""
        return self._privilege_objects(self.context(current).privileges)

    def getAdminPrivileges(self, user: Any, _current: Any) -> list[Any]:
        """Return a user's privileges."""
        return self._privilege_objects(self.server.privileges(id_of(user, "experimenter")))

    def getAdminsWithPrivileges(self, privileges: Any, current: Any) -> list[Any]:
        """Return the administrators who have all of these privileges."""
        wanted = privilege_names(privileges)
        users = [u for u in self.server.directory.users if self.server.is_admin(u)]
        return self._users([u for u in users if wanted <= self.server.privileges(u)], current)

    def setAdminPrivileges(self, user: Any, privileges: Any, current: Any) -> None:
        """Give an administrator exactly these privileges."""
        context = self._require("ModifyUser", current)
        user_id, wanted = self._known_user(user), privilege_names(privileges)
        self._require_no_more(context, user_id)
        if user_id == ROOT_USER:
            raise errors.security("The privileges of root cannot be changed")
        if not wanted <= context.privileges:
            raise errors.security("Nobody may give privileges that they do not have")
        with self.server.database.write(context) as tx:
            self._store_privileges(tx, user_id, wanted)
        self.server.forget_caches()

    def _store_privileges(self, tx: Transaction, user_id: int, wanted: set[str]) -> None:
        every = [row["value"] for row in tx.find("AdminPrivilege")]
        kept = [p for p in tx.named_values("Experimenter", user_id, "config") if not p[0].startswith("AdminPrivilege:")]
        denied = [(f"AdminPrivilege:{name}", "false") for name in every if name not in wanted]
        tx.update("Experimenter", user_id, config=[*kept, *denied])

    def _require(self, privilege: str, current: Any) -> Context:
        context = self.context(current)
        if not context.may(privilege):
            raise errors.security(f"User {context.user_id} needs to be an administrator with {privilege}")
        return context

    def _require_no_more(self, context: Context, user_id: int) -> None:
        """Refuse to change an administrator who has privileges that the caller lacks."""
        more = self.server.privileges(user_id) - context.privileges
        if more:
            raise errors.security(f"User {user_id} has privileges that you lack: {', '.join(sorted(more))}")

    def _limit_new_administrator(self, tx: Transaction, context: Context, user_id: int) -> None:
        """Limit a new administrator, who would have all privileges, to those of the caller."""
        self._store_privileges(tx, user_id, set(context.privileges))

    # --- users -----------------------------------------------------------------------------------

    def _known_user(self, user: Any) -> int:
        """Return the id of a user; raise omero.ApiUsageException for one who does not exist."""
        user_id = id_of(user, "experimenter")
        if user_id not in self.server.directory.users:
            raise errors.api_usage(f"No such experimenter: {user_id}")
        return user_id

    def createExperimenterWithPassword(
        self, user: Any, password: Any, default_group: Any, groups: Any, current: Any
    ) -> int:
        """Create a user with a password, in a default group and others; return the id."""
        context = self._require("ModifyUser", current)
        profile = _profile(user)
        listed = [id_of(g, "group") for g in ([default_group] if default_group is not None else [])]
        listed += [id_of(g, "group") for g in groups or []]
        if not listed:
            raise errors.api_usage("A user needs a default group")
        ordered = list(dict.fromkeys(listed))
        missing = [g for g in ordered if g not in self.server.directory.groups]
        if missing:
            raise errors.api_usage(f"No such group: {missing[0]}")
        if SYSTEM_GROUP in ordered and not context.may("ModifyGroupMembership"):
            raise errors.security("Only administrators with ModifyGroupMembership make administrators")
        if self.server.user_id(profile["omeName"]) is not None:
            raise errors.validation(f"A user {profile['omeName']} exists already")
        with self.server.database.write(context) as tx:
            user_id = tx.create("Experimenter", **profile, ldap=False)
            for group in [*ordered, *([] if USER_GROUP in ordered else [USER_GROUP])]:
                tx.create("GroupExperimenterMap", parent=group, child=user_id, owner=False)
            if SYSTEM_GROUP in ordered:
                self._limit_new_administrator(tx, context, user_id)
            if text_of(password):
                set_password(tx, user_id, password.val)
        self.server.forget_caches()
        return user_id

    def createExperimenter(self, user: Any, default_group: Any, groups: Any, current: Any) -> int:
        """Create a user who cannot log in until there is a password."""
        return self.createExperimenterWithPassword(user, None, default_group, groups, current)

    def createUser(self, user: Any, group: str, current: Any) -> int:
        """Create a user in the named group."""
        return self.createExperimenter(user, self.lookupGroup(group, current), [], current)

    def createSystemUser(self, user: Any, current: Any) -> int:
        """Create an administrator."""
        return self.createExperimenter(user, self.getGroup(SYSTEM_GROUP, current), [], current)

    def createRestrictedSystemUser(self, user: Any, privileges: Any, current: Any) -> int:
        """Create an administrator who has only some privileges."""
        return self.createRestrictedSystemUserWithPassword(user, privileges, None, current)

    def createRestrictedSystemUserWithPassword(self, user: Any, privileges: Any, password: Any, current: Any) -> int:
        """Create an administrator with a password who has only some privileges."""
        group = self.getGroup(SYSTEM_GROUP, current)
        user_id = self.createExperimenterWithPassword(user, password, group, [], current)
        context = self.context(current)
        wanted = privilege_names(privileges) & context.privileges
        with self.server.database.write(context) as tx:
            self._store_privileges(tx, user_id, wanted)
        self.server.forget_caches()
        return user_id

    def updateSelf(self, user: Any, current: Any) -> None:
        """Change one's own name, institution and address."""
        context = self.context(current)
        values = {k: v for k, v in _profile(user).items() if k != "omeName"}
        with self.server.database.write(context) as tx:
            tx.update("Experimenter", context.user_id, **values)
        self.server.forget_caches()

    def updateExperimenter(self, user: Any, current: Any) -> None:
        """Change a user."""
        self._update_user(user, current)

    def updateExperimenterWithPassword(self, user: Any, password: Any, current: Any) -> None:
        """Change a user and the password."""
        self._set_password(self._update_user(user, current), password, current)

    def _update_user(self, user: Any, current: Any) -> int:
        context = self._require("ModifyUser", current)
        user_id, profile = self._known_user(user), _profile(user)
        self._require_no_more(context, user_id)
        with self.server.database.write(context) as tx:
            tx.update("Experimenter", user_id, **profile)
        self.server.forget_caches()
        return user_id

    def deleteExperimenter(self, user: Any, current: Any) -> None:
        """Delete a user who owns nothing."""
        context = self._require("ModifyUser", current)
        user_id = self._known_user(user)
        self._require_no_more(context, user_id)
        if user_id in (ROOT_USER, GUEST_USER):
            raise errors.security("The system's own users cannot be deleted")
        for session in self.server.sessions.of_user(user_id):
            self.server.sessions.close(session.uuid)
        with self.server.database.write(context) as tx:
            _forget_events(tx, user_id)
            tx.delete("GroupExperimenterMap", [m["id"] for m in tx.find("GroupExperimenterMap", child=user_id)])
            tx.delete("Experimenter", [user_id])
        self.server.forget_caches()

    # --- groups and memberships ------------------------------------------------------------------

    def createGroup(self, group: Any, current: Any) -> int:
        """Create a group; it is private unless its permissions say otherwise."""
        context = self._require("ModifyGroup", current)
        name = text_of(loaded(group, "ExperimenterGroup").name)
        if not name:
            raise errors.validation("ExperimenterGroup.name may not be null")
        if any(g.name == name for g in self.server.directory.groups.values()):
            raise errors.validation(f"A group {name} exists already")
        wanted = group.details.permissions if group.details is not None else None
        bits = wanted._perm1 if wanted is not None else permission_bits(PRIVATE)
        with self.server.database.write(context) as tx:
            group_id = tx.create(
                "ExperimenterGroup",
                name=name,
                description=text_of(group.description),
                ldap=False,
                permissions=permission_bits(permission_text(bits)),
            )
        self.server.forget_caches()
        return group_id

    def updateGroup(self, group: Any, current: Any) -> None:
        """Change a group's name, description and permissions; the group's leaders may do so too."""
        group_id = id_of(loaded(group, "ExperimenterGroup"), "group")
        context = self._require_group(group_id, "ModifyGroup", current)
        values: dict[str, Any] = {"description": text_of(group.description)}
        if text_of(group.name):
            values["name"] = group.name.val
        wanted = group.details.permissions if group.details is not None else None
        with self.server.database.write(context) as tx:
            tx.update("ExperimenterGroup", group_id, **values)
            if wanted is not None:
                _set_uncut(tx, group_id, permission_bits(permission_text(wanted._perm1)))
        self.server.forget_caches()

    def changePermissions(self, target: Any, wanted: Any, current: Any) -> None:
        """Change a group's permissions.

        Raises:
            omero.SecurityViolation: Links between objects of several users would have to be cut; Chmod2 cuts them.
        """
        import omero

        if not isinstance(target, omero.model.ExperimenterGroup) or wanted is None:
            raise errors.api_usage("Permissions belong to groups: changePermissions needs a group and permissions")
        group_id = id_of(target, "group")
        context = self._require_group(group_id, "ModifyGroup", current)
        bits = permission_bits(permission_text(wanted._perm1))
        with self.server.database.write(context) as tx:
            _set_uncut(tx, group_id, bits)
        self.server.forget_caches()

    def _require_group(self, group_id: int, privilege: str, current: Any) -> Context:
        """Return the caller if allowed to change the group: an administrator or one of its leaders."""
        context = self.context(current)
        if group_id not in context.directory.groups:
            raise errors.api_usage(f"No such group: {group_id}")
        if not context.may(privilege) and group_id not in context.leader_of:
            raise errors.security(f"User {context.user_id} does not lead group {group_id}")
        return context

    def deleteGroup(self, group: Any, current: Any) -> None:
        """Delete a group that owns nothing."""
        context = self._require("ModifyGroup", current)
        group_id = id_of(group, "group")
        if group_id in (SYSTEM_GROUP, USER_GROUP, GUEST_GROUP):
            raise errors.security("The system's own groups cannot be deleted")
        with self.server.database.write(context) as tx:
            _forget_group_events(tx, group_id)
            tx.delete("GroupExperimenterMap", [m["id"] for m in tx.find("GroupExperimenterMap", parent=group_id)])
            tx.delete("ExperimenterGroup", [group_id])
        self.server.forget_caches()

    def addGroups(self, user: Any, groups: Any, current: Any) -> None:
        """Make a user a member of groups."""
        user_id = self._known_user(user)
        wanted = [id_of(g, "group") for g in groups or []]
        for group_id in wanted:
            self._require_group(group_id, "ModifyGroupMembership", current)
        known, context = self.server.directory.member_of(user_id), self.context(current)
        with self.server.database.write(context) as tx:
            for group_id in wanted:
                if group_id not in known:
                    tx.create("GroupExperimenterMap", parent=group_id, child=user_id, owner=False)
                    if group_id == SYSTEM_GROUP:
                        self._limit_new_administrator(tx, context, user_id)
        self.server.forget_caches()

    def removeGroups(self, user: Any, groups: Any, current: Any) -> None:
        """Take a user out of groups; at least one group has to remain."""
        user_id = id_of(user, "experimenter")
        leaving = {id_of(g, "group") for g in groups or []}
        for group_id in leaving:
            self._require_group(group_id, "ModifyGroupMembership", current)
        if user_id == ROOT_USER and SYSTEM_GROUP in leaving:
            raise errors.validation("root cannot leave the system group")
        if not self.server.directory.member_of(user_id) - leaving - {USER_GROUP}:
            raise errors.validation(f"User {user_id} would be left without a group")
        with self.server.database.write(self.context(current)) as tx:
            maps = tx.find("GroupExperimenterMap", child=user_id, parent=sorted(leaving))
            tx.delete("GroupExperimenterMap", [m["id"] for m in maps])
        self.server.forget_caches()

    def setDefaultGroup(self, user: Any, group: Any, current: Any) -> None:
        """Choose the group that a user's sessions begin in."""
        user_id, group_id = id_of(user, "experimenter"), id_of(group, "group")
        context = self.context(current)
        if user_id != context.user_id:
            self._require("ModifyUser", current)
        if group_id == USER_GROUP or group_id not in self.server.directory.member_of(user_id):
            raise errors.api_usage(f"Group {group_id} cannot be the default group of user {user_id}")
        with self.server.database.write(context) as tx:
            maps = tx.find("GroupExperimenterMap", child=user_id)
            for index, row in enumerate(sorted(maps, key=lambda m: m["parent"] != group_id)):
                tx.update("GroupExperimenterMap", row["id"], child_index=index)
        self.server.forget_caches()

    def addGroupOwners(self, group: Any, owners: Any, current: Any) -> None:
        """Make users leaders of a group, and members where they are not yet."""
        group_id = id_of(group, "group")
        context = self._require_group(group_id, "ModifyGroupMembership", current)
        users = [self._known_user(user) for user in owners or []]
        with self.server.database.write(context) as tx:
            for user_id in users:
                maps = tx.find("GroupExperimenterMap", parent=group_id, child=user_id)
                if maps:
                    tx.update("GroupExperimenterMap", maps[0]["id"], owner=True)
                else:
                    tx.create("GroupExperimenterMap", parent=group_id, child=user_id, owner=True)
        self.server.forget_caches()

    def removeGroupOwners(self, group: Any, owners: Any, current: Any) -> None:
        """Make leaders plain members again."""
        group_id = id_of(group, "group")
        context = self._require_group(group_id, "ModifyGroupMembership", current)
        with self.server.database.write(context) as tx:
            users = [id_of(u, "experimenter") for u in owners or []]
            for row in tx.find("GroupExperimenterMap", parent=group_id, child=users):
                tx.update("GroupExperimenterMap", row["id"], owner=False)
        self.server.forget_caches()

    def setGroupOwner(self, group: Any, owner: Any, current: Any) -> None:
        """Make one user a leader."""
        self.addGroupOwners(group, [owner], current)

    def unsetGroupOwner(self, group: Any, owner: Any, current: Any) -> None:
        """Make one leader a plain member again."""
        self.removeGroupOwners(group, [owner], current)

    # --- passwords -------------------------------------------------------------------------------

    def changePassword(self, password: Any, current: Any) -> None:
        """Change one's own password."""
        self._require_password(current)
        self._set_password(self.session.user_id, password, current)

    def changePasswordWithOldPassword(self, old: Any, password: Any, current: Any) -> None:
        """Change one's own password, knowing the old one."""
        if old is None:
            raise errors.api_usage("The old password is needed")
        with self.server.database.read() as tx:
            if not check_password(tx, self.session.user_id, text_of(old) or ""):
                raise errors.security("Old password is invalid")
        self._set_password(self.session.user_id, password, current)

    def changeUserPassword(self, name: str, password: Any, current: Any) -> None:
        """Change somebody's password."""
        self._require_password(current)
        context = self._require("ModifyUser", current)
        user_id = self.server.user_id(name)
        if user_id is None:
            raise errors.api_usage(f"No such experimenter: {name}")
        self._require_no_more(context, user_id)
        self._set_password(user_id, password, current)

    def _require_password(self, current: Any) -> None:
        """Raise omero.SecurityViolation for a client that has joined a session without giving the password."""
        if current.ctx.get("omero.client.uuid", "") in self.session.without_password:
            raise errors.security("A password is needed for this: log in by name, or call setSecurityPassword first")

    def _set_password(self, user_id: int, password: Any, current: Any) -> None:
        with self.server.database.write(self.context(current)) as tx:
            set_password(tx, user_id, text_of(password))

    def synchronizeLoginCache(self, current: Any) -> None:
        """Do nothing: nothing is cached."""

    def getMyUserPhotos(self, current: Any) -> list[Any]:
        """Return the files of the caller's photos."""
        context = self.context(current)
        with self.server.database.read() as tx:
            return hydrate.load(tx, context, "OriginalFile", photo_ids(tx, context.user_id))

    def uploadMyUserPhoto(self, name: str, mimetype: str, data: bytes, current: Any) -> int:
        """Store a photo of the caller, in place of the one before; return the id of its file."""
        return upload_photo(self.server, self.context(current), name, mimetype, bytes(data or b""))


def _profile(user: Any) -> dict[str, Any]:
    profile = {name: text_of(getattr(loaded(user, "Experimenter"), name)) for name in PROFILE}
    for name in ("omeName", "firstName", "lastName"):
        # Names may be empty (omero-model, meta.ome.xml: "empty strings may need to be used"), the login may not.
        if profile[name] is None or not profile["omeName"]:
            raise errors.validation(f"Experimenter.{name} may not be null")
    return profile


def _forget_events(tx: Transaction, user_id: int) -> None:
    """Delete a user's sessions and events, which would keep the user's row from being deleted (as objects still do)."""
    sessions = [s["id"] for s in tx.find("Session", owner=user_id)]
    tx.delete("Event", [e["id"] for e in tx.find("Event", experimenter=user_id)])
    tx.delete("Session", sessions)


def _forget_group_events(tx: Transaction, group_id: int) -> None:
    tx.delete("Event", [e["id"] for e in tx.find("Event", experimenterGroup=group_id)])


def _set_uncut(tx: Transaction, group_id: int, bits: int) -> None:
    """Change a group's permissions, but cut no links: AdminImpl.changePermissions checks, and undoes it."""
    cut = set_permissions(tx, group_id, bits)
    if cut:
        raise errors.security(f"Group {group_id} has links between users: {', '.join(sorted(cut))}")
