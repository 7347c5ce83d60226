"""A connection to OMERO that is made anew when it breaks, so that a long transfer goes on where it was."""

import threading
from contextlib import suppress

from omero_session import Session, leave, rejoin

WAITS = (1, 2, 5, 10, 20, 30)  # Seconds before each attempt to connect again: a server restarts in about a minute.
RENEWALS = 20  # A connection that breaks more often is no connection.


def is_broken(error: BaseException) -> bool:
    """Whether an error says that the connection or the session is gone, rather than that the server refused."""
    import Ice
    import omero

    return isinstance(error, Ice.LocalException | omero.SessionException)


class Connection:
    """The session in use, shared by several threads.

    Attributes:
        session: The session; another one after each renewal.
        number: Counts renewals: what was opened under another number is gone.
    """

    def __init__(self, session: Session) -> None:
        """Begin with an open session, which stays its owner's to close."""
        self.session, self.number = session, 0
        self._own: list[Session] = []
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def renew(self, number: int, error: BaseException) -> None:
        """Connect anew, unless another thread has done so since `number`.

        Raises:
            BaseException: The given error, when the server does not come back.
        """
        with self._lock:
            if self.number != number:
                return
            if number < RENEWALS:
                for seconds in WAITS:
                    if self._stopped.wait(seconds):
                        break
                    # A server that starts refuses in many ways; the last word is the first error.
                    with suppress(Exception):
                        renewed = rejoin(self.session)
                        self._own.append(renewed)
                        self.session, self.number = renewed, number + 1
                        print(f"connection to {renewed.address} made again", flush=True)
                        return
        raise error

    def stop(self) -> None:
        """End the waiting of all threads."""
        self._stopped.set()

    def close(self) -> None:
        """Leave the sessions that were made here."""
        self.stop()
        for session in self._own:
            leave(session)
