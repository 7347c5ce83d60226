"""The exceptions of OMERO, made in one line: `raise errors.validation("...")`."""

from __future__ import annotations

import logging
import traceback

log = logging.getLogger("sandbox.omero")


def api_usage(message: str) -> Exception:
    """The client asked for something that makes no sense."""
    import omero

    return omero.ApiUsageException("", "ome.conditions.ApiUsageException", message)


def query(message: str) -> Exception:
    """The query cannot be understood or run."""
    import omero

    return omero.QueryException("", "org.hibernate.QueryException", message)


def validation(message: str) -> Exception:
    """The object or value cannot be stored or found."""
    import omero

    return omero.ValidationException("", "ome.conditions.ValidationException", message)


def security(message: str) -> Exception:
    """The caller may not do this."""
    import omero

    return omero.SecurityViolation("", "ome.conditions.SecurityViolation", message)


def group_security(message: str) -> Exception:
    """Objects of different groups would be mixed."""
    import omero

    return omero.GroupSecurityViolation("", "ome.conditions.GroupSecurityViolation", message)


def read_only_group(message: str) -> Exception:
    """The group does not let its members do this."""
    import omero

    return omero.ReadOnlyGroupSecurityViolation("", "ome.conditions.ReadOnlyGroupSecurityViolation", message)


def optimistic_lock(message: str) -> Exception:
    """Somebody else changed the object meanwhile."""
    import omero

    return omero.OptimisticLockException("", "ome.conditions.OptimisticLockException", message, 0)


def removed_session(message: str) -> Exception:
    """The session is closed or never was."""
    import omero

    return omero.RemovedSessionException("", "ome.conditions.RemovedSessionException", message)


def resource(message: str) -> Exception:
    """A file or other resource of the server cannot be used."""
    import omero

    return omero.ResourceError("", "ome.conditions.ResourceError", message)


def unsupported(operation: str) -> Exception:
    """An operation of OMERO that this server does not have."""
    return api_usage(f"{operation} is not supported by the sandbox")


def lock_timeout(message: str, seconds: int) -> Exception:
    """Something that was waited for did not come."""
    import omero

    return omero.LockTimeout("", "ome.conditions.LockTimeout", message, seconds * 1000, seconds)


def beyond_message(size: int, limit: int) -> Exception:
    """An answer that Ice does not send: OMERO's clients get this from Ice itself, as it fails there."""
    import Ice

    return Ice.UnknownLocalException(
        f"Ice::MemoryLimitException: protocol error: memory limit exceeded: requested {size} bytes, "
        f"maximum allowed is {limit} bytes (see Ice.MessageSizeMax)"
    )


def translated(where: str, error: Exception) -> Exception:
    """The exception that a client gets for one of any kind."""
    import Glacier2
    import Ice
    from sqlalchemy.exc import IntegrityError

    if isinstance(error, Glacier2.PermissionDeniedException):  # for those who log in; services declare OMERO's own
        return security(error.reason)
    if isinstance(error, Ice.Exception):
        log.info("%s: %s: %s", where, type(error).__name__, getattr(error, "message", error))
        return error
    if isinstance(error, IntegrityError):  # a missing parent, or something that is still referred to
        log.info("%s: %s", where, error)
        return validation(f"{where}: a constraint of the database is violated: {error.orig}")
    if isinstance(error, RecursionError):  # what a client sends may contain itself
        return api_usage(f"{where}: nested too deeply")
    log.error("%s failed", where, exc_info=error)
    return internal(where, error)


def internal(where: str, error: BaseException) -> Exception:
    """Something went wrong that the client is not to blame for, or not clearly."""
    import omero

    trace = "".join(traceback.format_exception(error))
    return omero.InternalException(trace, type(error).__name__, f"{where}: {type(error).__name__}: {error}")
