"""A connection to OMERO that reconnects when it breaks, so that a long transfer continues."""

import threading
import time

from bioimage_suite.omero.session import RefusedError, Session, UnreachableError, abandon, leave, rejoin

WAITS = (0.2, 1, 2, 3, 4)  # Seconds before each attempt to reconnect: after ten a server counts as gone.
LONGEST = 10.0  # Seconds after which no further attempt begins.
SILENCE = 5.0  # Seconds without an answer after which an attempt is given up.
RENEWALS = 20  # Maximum number of attempts to reconnect in a row after which nothing has come.
LARGEST, SMALLEST = 4 << 20, 16 << 10  # Bytes of a request: far below Ice's limit of 256 MB; above what it costs.


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
        block: Bytes to request at once: fewer where the line breaks before an answer is through.
    """

    def __init__(self, session: Session) -> None:
        """Start with an open session, which its owner must close."""
        self.session, self.number, self.block = session, 0, LARGEST
        self._fruitless = 0
        self._own: list[Session] = []
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def progress(self) -> None:
        """Learn that an answer with content has come."""
        self._fruitless = 0
        self.session.watchdog.heard()

    def renew(self, number: int, error: BaseException) -> None:
        """Reconnect, unless another thread has done so since `number`.

        Raises:
            BaseException: The given error, if the server does not come back.
        """
        with self._lock:
            if self.number != number:
                return
            self._fruitless += 1
            if self._fruitless > 1:
                self.block = max(SMALLEST, self.block // 2)
            if self._fruitless > RENEWALS or not self._join_again():
                self._stopped.set()  # The other threads need not try it too.
                raise error

    def _join_again(self) -> bool:
        """Tell whether there is a new session.

        A server that is gone or refuses is asked again for `LONGEST`. Where it is there, and the line breaks during the
        login, that counts as one more renewal in vain.
        """
        # The watchdog has waited for the server already.
        waits, is_cut = list(WAITS), self.session.watchdog.is_cut
        end = time.monotonic() + LONGEST
        while waits and self._fruitless <= RENEWALS:
            if time.monotonic() + waits[0] > end or self._stopped.wait(waits[0]):
                return False
            # A starting server fails in many ways; finally the first error is raised.
            try:
                renewed = rejoin(self.session, SILENCE)
            except (RefusedError, UnreachableError):
                waits.pop(0)
            except Exception:  # The line broke.
                self._fruitless += 1
                end = time.monotonic() + LONGEST
            else:
                renewed.watchdog.limit = self.session.watchdog.limit
                broken, self._own = self._own, [renewed]
                self.session, self.number = renewed, self.number + 1
                print(f"connection to {renewed.address} made again", flush=True)
                # Each would connect again by itself to keep its session, until there is no room for others on the line.
                for one in broken:
                    abandon(one)
                return True
            if is_cut:
                return False
        return False

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
