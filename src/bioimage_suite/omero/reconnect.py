"""A connection to OMERO that reconnects when it breaks, so that a long transfer continues."""

import threading
from contextlib import suppress

from bioimage_suite.omero.session import Session, leave, rejoin

WAITS = (1, 2, 5, 10, 20, 30)  # Seconds before each attempt to reconnect: a server restarts in about a minute.
RENEWALS = 20  # Maximum number of reconnections.


def is_broken(error: BaseException) -> bool:
    """Return whether an error means that the connection or session is lost, rather than that the server refused."""
    import Ice
    import omero

    return isinstance(error, Ice.LocalException | omero.SessionException)


class Connection:
    """The current session, shared by several threads.

    Attributes:
        session: The session; a new one after each renewal.
        number: Number of renewals; services opened under another number are lost.
    """

    def __init__(self, session: Session) -> None:
        """Start with an open session, which its owner must close."""
        self.session, self.number = session, 0
        self._own: list[Session] = []
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def renew(self, number: int, error: BaseException) -> None:
        """Reconnect, unless another thread has done so since `number`.

        Raises:
            BaseException: The given error, if the server does not come back.
        """
        with self._lock:
            if self.number != number:
                return
            if number < RENEWALS:
                for seconds in WAITS:
                    if self._stopped.wait(seconds):
                        break
                    # A starting server fails in many ways; finally the first error is raised.
                    with suppress(Exception):
                        renewed = rejoin(self.session)
                        self._own.append(renewed)
                        self.session, self.number = renewed, number + 1
                        print(f"connection to {renewed.address} made again", flush=True)
                        return
        raise error

    def wait(self, seconds: float) -> bool:
        """Wait for some seconds; return True at once if the waiting is stopped."""
        return self._stopped.wait(seconds)

    def stop(self) -> None:
        """End the waiting of all threads."""
        self._stopped.set()

    def close(self) -> None:
        """Close the sessions that were opened here."""
        self.stop()
        for session in self._own:
            leave(session)
