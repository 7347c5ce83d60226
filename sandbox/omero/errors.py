"""The exceptions of OMERO, made in one line: `raise errors.validation("...")`."""

from __future__ import annotations

import logging
import traceback
from typing import Any

log = logging.getLogger("sandbox.omero")


def _condition(name: str, message: str, *more: Any) -> Exception:
    """Return an exception of omero-py, with the name of the Java class that OMERO gives with it."""
    import omero

    made: Exception = getattr(omero, name)("", f"ome.conditions.{name}", message, *more)
    return made


def api_usage(message: str) -> Exception:
    """Return the exception for a request that makes no sense."""
    return _condition("ApiUsageException", message)


def query(message: str) -> Exception:
    """Return the exception for a query that cannot be understood or run."""
    import omero

    made: Exception = omero.QueryException("", "org.hibernate.QueryException", message)
    return made


def validation(message: str) -> Exception:
    """Return the exception for an object or value that cannot be stored or found."""
    return _condition("ValidationException", message)


def security(message: str) -> Exception:
    """Return the exception for something that the caller may not do."""
    return _condition("SecurityViolation", message)


def group_security(message: str) -> Exception:
    """Return the exception for a request that would mix objects of different groups."""
    return _condition("GroupSecurityViolation", message)


def read_only_group(message: str) -> Exception:
    """Return the exception for something that the group does not let its members do."""
    return _condition("ReadOnlyGroupSecurityViolation", message)


def optimistic_lock(message: str) -> Exception:
    """Return the exception for an object that somebody else has changed meanwhile."""
    return _condition("OptimisticLockException", message, 0)


def removed_session(message: str) -> Exception:
    """Return the exception for a session that is closed or never existed."""
    return _condition("RemovedSessionException", message)


def resource(message: str) -> Exception:
    """Return the exception for a file or other resource of the server that cannot be used."""
    return _condition("ResourceError", message)


def unsupported(operation: str) -> Exception:
    """Return the exception for an operation of OMERO that this server does not have."""
    return api_usage(f"{operation} is not supported by the sandbox")


def lock_timeout(message: str, seconds: int, back_off_ms: int) -> Exception:
    """Return the exception for a wait of some seconds without result; the client may retry after `back_off_ms`."""
    return _condition("LockTimeout", message, back_off_ms, seconds)


def missing_pyramid(message: str, back_off_ms: int, pixels_id: int) -> Exception:
    """Return the exception for pixels without pyramid yet; the client may retry after `back_off_ms`."""
    return _condition("MissingPyramidException", message, back_off_ms, pixels_id)


def beyond_message(size: int, limit: int) -> Exception:
    """Return the exception for an answer that is too large for Ice; clients of OMERO get the same from Ice itself."""
    import Ice

    made: Exception = Ice.UnknownLocalException(
        f"Ice::MemoryLimitException: protocol error: memory limit exceeded: requested {size} bytes, "
        f"maximum allowed is {limit} bytes (see Ice.MessageSizeMax)"
    )
    return made


def translated(where: str, error: Exception) -> Exception:
    """Return the exception that a client gets for an error of any kind, and log the error.

    Args:
        where: The operation that failed, for the message.
        error: What it raised; an exception of Ice is returned as it is.
    """
    import Glacier2
    import Ice
    from sqlalchemy.exc import IntegrityError

    if isinstance(error, Glacier2.PermissionDeniedException):  # from logging in; services declare OMERO's own
        return security(error.reason)
    if isinstance(error, Ice.Exception):
        log.info("%s: %s: %s", where, type(error).__name__, getattr(error, "message", error))
        same: Exception = error
        return same
    if isinstance(error, IntegrityError):  # a missing parent, or something that is still referred to
        log.info("%s: %s", where, error)
        return validation(f"{where}: a constraint of the database is violated: {error.orig}")
    if isinstance(error, RecursionError):  # what a client sends may contain itself
        return api_usage(f"{where}: nested too deeply")
    log.error("%s failed", where, exc_info=error)
    return internal(where, error)


def internal(where: str, error: BaseException) -> Exception:
    """Return the exception for a failure of the server, or one that the client is not clearly to blame for."""
    import omero

    trace = "".join(traceback.format_exception(error))
    text = f"{where}: {type(error).__name__}: {error}"
    made: Exception = omero.InternalException(trace, type(error).__name__, text)
    return made
