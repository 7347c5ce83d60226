"""Sessions with an OMERO server: the only module of the suite that opens and closes them.

The address is given as text (`parse_address`), the credentials only in the environment (`read_credentials`).
A session that this module opened is always closed; a session given by its key stays open.
"""

import gc
import logging
import math
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.stopping import leave_if_signalled, stop_on_sigterm
from bioimage_suite.omero.watchdog import SILENT_SECONDS, Reach, Watchdog

# omero-py's own defaults (omero.clients.BaseClient._check_for_hosturl).
DEFAULT_PORTS = {"ssl": 4064, "tcp": 4063, "ws": 80, "wss": 443}
CONNECT_SECONDS = 10
LONGEST_PAUSE = 1.0  # Seconds between two requests whether OMERO has done what it was told to do.
IDS_A_QUERY = 1000
_NO_SPACE = re.compile(r"no space left|disk quota|disk (is )?full|not enough space|file too large", re.IGNORECASE)
"""What a server without room says: the texts of ENOSPC, EDQUOT and EFBIG, and Java's."""
AGAIN = "Run the tool again when the server is back"
SUITE_NAMESPACE = "github.com/bioimage-suite-galaxy"
"""The start of the namespace of everything that the suite makes in OMERO."""


@dataclass(frozen=True)
class Address:
    """The address of an OMERO server."""

    protocol: str
    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.protocol}://{self.host}:{self.port}{self.path}"

    @property
    def router(self) -> str:
        """Return the Ice proxy of the server's Glacier2 router."""
        resource = f" -r {self.path}" if self.path else ""
        return f"OMERO.Glacier2/router:{self.protocol} -p {self.port} -h {self.host}{resource}"


@dataclass(frozen=True)
class Credentials:
    """A session key, or a user name and a password. `repr` shows neither."""

    user: str
    secret: str
    is_key: bool

    def __repr__(self) -> str:
        return f"Credentials(is_key={self.is_key})"


@dataclass(frozen=True)
class Session:
    """An open session; every call works in the chosen group."""

    client: Any
    watchdog: Watchdog
    address: Address
    user_id: int
    user_name: str
    group_id: int
    group_name: str
    session_id: int

    @cached_property
    def query(self) -> Any:
        """Return the service that runs HQL."""
        return self.client.getSession().getQueryService()

    @cached_property
    def update(self) -> Any:
        """Return the service that saves objects."""
        return self.client.getSession().getUpdateService()

    def in_all_groups(self) -> "Session":
        """Return the same session with queries over all groups whose objects the user may read."""
        return replace(self, group_id=-1)

    def rows(self, hql: str, *, limit: int | None = None, context: Mapping[str, str] | None = None,
             **parameters: Any) -> list[list[Any]]:  # fmt: skip
        """Run an HQL projection and return plain Python values, one list per row."""
        import omero
        from omero.rtypes import unwrap

        # `unwrap` takes longer than the rest of a large query, and does more than plain values need.
        plain = (omero.RLong, omero.RInt, omero.RString, omero.RDouble, omero.RBool)
        found = self.query.projection(hql, _parameters(parameters, limit), self._context(context))
        return [
            [None if value is None else value._val if isinstance(value, plain) else unwrap(value) for value in row]
            for row in found
        ]

    def objects(self, hql: str, **parameters: Any) -> list[Any]:
        """Run an HQL query and return whole objects (`omero.model`)."""
        return list(self.query.findAllByQuery(hql, _parameters(parameters, None), self._context(None)))

    def delete(self, targets: Mapping[str, Sequence[int]], keep: Sequence[str] = ()) -> None:
        """Delete objects by class name and id, with everything that only they own, in one transaction.

        What is gone already is fine: another job was quicker.

        Args:
            targets: Ids by class.
            keep: Classes of which nothing else goes, such as the images of a dataset.

        Raises:
            UserError: The server refused. Then nothing was deleted.
        """
        wanted = {kind: list(dict.fromkeys(ids)) for kind, ids in targets.items() if ids}
        while wanted:
            try:
                self._delete_all(wanted, keep)
                return
            except UserError:
                # OMERO refuses as a whole where one object is missing: another job may have been quicker.
                there = self.among(wanted)
                if there == wanted:
                    raise
                wanted = there

    def delete_unused(self, kind: str, number: int) -> bool:
        """Delete one object unless something refers to it, which OMERO itself finds out; return whether it is gone."""
        import omero

        with suppress(omero.ServerError):
            self.update.deleteObject(getattr(omero.model, f"{kind}I")(number, False))
        return not self.among({kind: [number]})

    def server_time(self) -> int:
        """Return the server's clock, in milliseconds: that of this machine may go wrong."""
        return int(self.client.getSession().getConfigService().getServerTime().val)

    def among(self, targets: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
        """Return those objects, by class name and id, that are there, in the order in which they are given."""
        found: dict[str, list[int]] = {}
        for kind, ids in targets.items():
            there: set[int] = set()
            for start in range(0, len(ids), IDS_A_QUERY):
                hql = f"select o.id from {kind} o where o.id in (:ids)"  # noqa: S608 (classes of our own lists)
                there.update(row[0] for row in self.rows(hql, ids=list(ids[start : start + IDS_A_QUERY])))
            if there:
                found[kind] = [number for number in ids if number in there]
        return found

    def _delete_all(self, wanted: Mapping[str, Sequence[int]], keep: Sequence[str]) -> None:
        from omero.cmd import ERR, Delete2
        from omero.cmd.graphs import ChildOption

        options = [ChildOption(excludeType=list(keep))] if keep else []
        handle = self.client.getSession().submit(Delete2(targetObjects=wanted, childOptions=options))
        try:
            response = wait_for(handle)
        finally:
            with suppress(Exception):  # The server itself closes the handles of a lost connection.
                handle.close()
        if isinstance(response, ERR):
            reason = response.parameters.get("message", response.name)
            shown = ", ".join(f"{kind} {ids[:5]}" for kind, ids in wanted.items())
            raise UserError(f"{shown}: OMERO refused to delete ({reason}). Ask the owner of the objects.")

    def _context(self, context: Mapping[str, str] | None) -> dict[str, str]:
        return {"omero.group": str(self.group_id), **(context or {})}


def wait_for(handle: Any, longest: float = math.inf) -> Any:
    """Ask for the response of a command until it is there or the time is over.

    A callback would wait for ever for a lost server, while each question is answered or fails.

    Args:
        handle: Of the command (`omero.cmd.Handle`).
        longest: Seconds.

    Returns:
        The response; None if the time is over.
    """
    pause, end = 0.02, time.monotonic() + longest
    while (response := handle.getResponse()) is None and time.monotonic() < end:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return response


def parse_address(text: str) -> Address:
    """Parse `host`, `host:port` or `protocol://host[:port][/path]` (ssl, tcp, ws, wss).

    Raises:
        UserError: The text has none of these forms.

    >>> str(parse_address("omero.example.org"))
    'ssl://omero.example.org:4064'
    >>> str(parse_address("wss://omero.example.org/omero-wss"))
    'wss://omero.example.org:443/omero-wss'
    """
    usage = "Write host, host:port, or ssl://, tcp://, ws:// or wss:// followed by host[:port][/path]"
    match = re.fullmatch(
        r"(?:(?P<protocol>[A-Za-z]+)://)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?(?P<path>/[\w./-]*)?",
        text.strip(),
    )
    if match is None:
        raise UserError(f"OMERO server {text!r}: not an address. {usage}.")
    protocol = (match["protocol"] or "ssl").lower()
    if protocol not in DEFAULT_PORTS:
        raise UserError(f"OMERO server {text!r}: unknown protocol {protocol!r}. {usage}.")
    path = match["path"] or ""
    if path == "/":
        path = ""
    if path and protocol not in ("ws", "wss"):
        raise UserError(f"OMERO server {text!r}: only ws:// and wss:// addresses have a path. {usage}.")
    port = int(match["port"] or DEFAULT_PORTS[protocol])
    if not 0 < port < 65536:
        raise UserError(f"OMERO server {text!r}: port {port} is not between 1 and 65535. {usage}.")
    return Address(protocol, match["host"], port, path)


def read_credentials(environment: Mapping[str, str] = os.environ) -> Credentials:
    """Read the credentials from `OMERO_SESSION_KEY`, or else from `OMERO_USER` and `OMERO_PASSWORD`.

    Raises:
        UserError: Neither is set completely.
    """
    key = environment.get("OMERO_SESSION_KEY", "").strip()
    if key:
        return Credentials(key, key, is_key=True)
    user, password = environment.get("OMERO_USER", ""), environment.get("OMERO_PASSWORD", "")
    if user and password:
        return Credentials(user, password, is_key=False)
    given = "a user name without a password" if user else "a password without a user name" if password else "none"
    raise UserError(
        f"OMERO credentials: {given} given. In Galaxy, open this tool's 'OMERO' credentials and set a user name and "
        "a password, or a session key, and select the group of credentials."
    )


@contextmanager
def open_session(server: str, group: str = "", silence: float = SILENT_SECONDS) -> Iterator[Session]:
    """Log in, choose the group, keep the session alive, and close it unless it was given by its key.

    Args:
        server: Address, see `parse_address`.
        group: Name or id of the group to work in; empty means the user's default group.
        silence: Seconds without any answer of the server after which the tool gives up.

    Raises:
        UserError: No credentials, unknown host, closed port, not an OMERO server, wrong credentials or unknown group;
            or, while the session is in use, a broken connection, a silent server or a lack of permission.
    """
    address, credentials = parse_address(server), read_credentials()
    _check_reachable(address)
    stop_on_sigterm()
    client, watchdog = _connect(address, credentials, silence)
    try:
        with _explained(address, watchdog):
            yield _choose_group(client, watchdog, address, group.strip())
    finally:
        _close(client, watchdog)


def session_of(config: Mapping[str, Any]) -> AbstractContextManager[Session]:
    """Open the session that a tool's form describes, see `open_session`.

    Args:
        config: The values of the form; `omero_host`, `omero_group` and `omero_silence` count.
    """
    silence = float(config.get("omero_silence") or SILENT_SECONDS)
    return open_session(config["omero_host"], config.get("omero_group") or "", silence)


def rejoin(session: Session, silence: float | None = None) -> Session:
    """Reconnect after a broken connection: join the same session if the server still has it, else log in again.

    The caller closes the session with `leave`.

    Args:
        session: The session whose connection broke.
        silence: Seconds without any answer after which the new connection is given up; None for those of the session.

    Raises:
        UserError: The server does not answer, or has no such session and refuses the credentials.
    """
    address, credentials = session.address, read_credentials()
    limit = session.watchdog.limit if silence is None else silence
    _check_reachable(address, min(CONNECT_SECONDS, limit))
    found = None
    if not credentials.is_key:
        with suppress(RefusedError):
            key = session.client.getSessionId()
            found = _connect(address, Credentials(key, key, is_key=False), limit)
    client, watchdog = found or _connect(address, credentials, limit)
    session.watchdog.follow(watchdog)
    client.getImplicitContext().put("omero.group", str(session.group_id))
    return replace(session, client=client, watchdog=watchdog)


def leave(session: Session) -> None:
    """Close a session from `rejoin`; a session given by its key stays open."""
    _close(session.client, session.watchdog)


def abandon(session: Session) -> None:
    """Let go of a session from `rejoin` whose connection broke, without a word to the server: it notices by itself."""
    with suppress(Exception):
        session.client.getCommunicator().destroy()
    leave(session)


def _close(client: Any, watchdog: Watchdog) -> None:
    # A server that is gone has closed the session itself.
    with suppress(Exception):
        client.closeSession()
    watchdog.end()


class RefusedError(UserError):
    """The server is there and refuses the credentials."""


class UnreachableError(UserError):
    """The server takes no connection."""


def _check_reachable(address: Address, seconds: float = CONNECT_SECONDS) -> None:
    """Raise a UserError for an unknown host or a closed port, because Ice would retry both for a long time."""
    try:
        with socket.create_connection((address.host, address.port), timeout=seconds):
            return
    except socket.gaierror:
        raise UnreachableError(f"OMERO server {address.host}: unknown host. Check the name.") from None
    except TimeoutError:
        why = f"no answer within {seconds:g} s. Check host and port, and whether a firewall is between"
    except OSError as error:
        why = f"cannot connect ({error.strerror or error}). Check host and port; OMERO's usual port is 4064"
    raise UnreachableError(f"OMERO server {address}: {why}.")


def _import_omero() -> None:
    """Import omero-py without garbage collection of its 170,000 objects, now or later: all of them stay in use."""
    if "omero.clients" in sys.modules:
        return
    gc.disable()
    try:
        import omero.clients  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


def _connect(address: Address, credentials: Credentials, silence: float) -> tuple[Any, Watchdog]:
    _import_omero()
    import Ice
    import omero
    from Glacier2 import CannotCreateSessionException, PermissionDeniedException

    client = omero.client(
        pmap={
            "omero.host": address.host,
            "omero.port": str(address.port),
            "Ice.Default.Router": address.router,
            "Ice.Warn.Connections": "0",
            "Ice.Override.ConnectTimeout": str(round(1000 * min(CONNECT_SECONDS / 2, silence))),
        }
    )
    client.setAgent("bioimage-suite-galaxy")
    logging.getLogger("omero.client").setLevel(logging.ERROR)  # Its warnings only repeat the error.
    watchdog = Watchdog(client, Reach(address.host, address.port, address.router), silence)
    connected = False
    try:
        session = client.createSession(credentials.user, credentials.secret)
        if credentials.is_key:
            session.detachOnDestroy()
        watchdog.logged_in()
        connected = True
    except PermissionDeniedException:
        what = (
            "the session key was not accepted. It has expired or belongs to another server: make a new one"
            if credentials.is_key
            else f"wrong password, or no user {credentials.user!r}. Check the OMERO credentials of this tool"
        )
        raise RefusedError(f"OMERO server {address}: {what}.") from None
    except CannotCreateSessionException as error:
        refused = f"OMERO server {address}: it refuses a new session ({error.reason}). Try later."
        raise RefusedError(refused) from None
    except Ice.TimeoutException:
        raise UserError(f"OMERO server {address}: it does not answer. {AGAIN}.") from None
    except (Ice.Exception, omero.ClientError):
        if watchdog.reason:
            leave_if_signalled()
            raise UserError(f"OMERO server {address}: {watchdog.reason}. {AGAIN}.") from None
        raise UserError(
            f"OMERO server {address}: something else than OMERO answers there. Check port and protocol; "
            "OMERO's usual port is 4064 (ssl)."
        ) from None
    finally:
        if not connected:
            _close(client, watchdog)  # Also destroys the communicator and its threads.
    return client, watchdog


def _choose_group(client: Any, watchdog: Watchdog, address: Address, wanted: str) -> Session:
    event = client.getSession().getAdminService().getEventContext()
    group_id, group_name = event.groupId, event.groupName
    session = Session(client, watchdog, address, event.userId, event.userName, group_id, group_name, event.sessionId)
    if wanted:
        groups = session.rows("select g.id, g.name from ExperimenterGroup g order by g.id")
        chosen = [g for g in groups if g[1] == wanted] or [g for g in groups if str(g[0]) == wanted]
        mine = ", ".join(name for number, name in groups if number in event.memberOfGroups)
        if not chosen:
            raise UserError(f"OMERO group {wanted!r}: there is none of this name or id. Your groups: {mine}.")
        group_id, group_name = chosen[0]
        if group_id not in event.memberOfGroups and not event.isAdmin:
            raise UserError(f"OMERO group {wanted!r}: {event.userName!r} is not a member. Your groups: {mine}.")
    # The implicit context applies to every service, including stateful ones and tables.
    client.getImplicitContext().put("omero.group", str(group_id))
    return replace(session, group_id=group_id, group_name=group_name)


@contextmanager
def _explained(address: Address, watchdog: Watchdog) -> Iterator[None]:
    """Convert a silent or broken connection, an ended session, a refusal or a failure of OMERO to a `UserError`."""
    import Ice
    import omero

    try:
        yield
    except (Ice.ObjectNotExistException, omero.SessionException) as error:
        raise UserError(
            f"OMERO server {address}: the session ended while the tool was at work ({type(error).__name__}). "
            "Check the lifetime of the session key and run the tool again."
        ) from error
    except Ice.InvocationTimeoutException as error:
        raise UserError(
            f"OMERO server {address}: it is there, but its tables service gave no answer for ten minutes. Ask its "
            "administrator to look at it, and run the tool again."
        ) from error
    except Ice.LocalException as error:
        if watchdog.reason:
            leave_if_signalled()
            raise UserError(f"OMERO server {address}: {watchdog.reason}. {AGAIN}.") from error
        raise UserError(
            f"OMERO server {address}: the connection broke while the tool was at work ({type(error).__name__}). "
            f"{AGAIN}."
        ) from error
    except (omero.SecurityViolation, omero.ReadOnlyGroupSecurityViolation) as error:
        raise UserError(
            f"OMERO server {address}: permission denied ({error.message}). Ask the owner of the group or the objects, "
            "also whether they were moved to another group or your rights have changed meanwhile."
        ) from error
    except omero.OptimisticLockException as error:
        raise UserError(
            f"OMERO server {address}: somebody else changed an object while the tool was at work ({error.message}). "
            "Run the tool again."
        ) from error
    except (omero.ValidationException, omero.ApiUsageException) as error:
        raise UserError(
            f"OMERO server {address}: it refused what the tool asked for ({error.message or type(error).__name__}). "
            "Check whether somebody has deleted or changed the objects meanwhile, and run the tool again."
        ) from error
    except omero.ConcurrencyException as error:
        raise UserError(
            f"OMERO server {address}: it is busy ({error.message or type(error).__name__}). Run the tool again later."
        ) from error
    except omero.ServerError as error:
        raise _failure(address, error) from error


def _failure(address: Address, error: Any) -> UserError:
    """Return a failure of the server as the user sees it; a full disk is named only if the server says so."""
    said = error.message or error.serverExceptionClass or type(error).__name__
    # OMERO.tables says "Internal exception" and gives the reason in the last line of its Python trace.
    reason = (error.serverStackTrace or "").rstrip().rpartition("\n")[2].strip()
    if said == "Internal exception" and reason:
        said = reason
    remedy = "Ask its administrator what its log says at this time"
    if _NO_SPACE.search(f"{said}\n{error.serverStackTrace}"):
        remedy = "Its disk is full: ask its administrator for space, and run the tool again then"
    return UserError(f"OMERO server {address}: it failed ({said}). {remedy}.")


def _parameters(values: Mapping[str, Any], limit: int | None) -> Any:
    from omero.rtypes import rlist, rlong, rstring, rtime
    from omero.sys import ParametersI

    def wrap(value: Any) -> Any:
        if isinstance(value, str):
            return rstring(value)
        if isinstance(value, datetime):
            return rtime(round(value.timestamp() * 1000))
        if isinstance(value, int):
            return rlong(value)
        return rlist([wrap(item) for item in value])

    parameters = ParametersI({name: wrap(value) for name, value in values.items()})
    if limit is not None:
        parameters.page(0, limit)
    return parameters
