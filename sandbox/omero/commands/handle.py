"""The handle of a running command: its status, its response, and who wants to hear of it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero.commands.run import Run, execute
from sandbox.omero.database import now
from sandbox.omero.servant import StatefulService

if TYPE_CHECKING:
    from sandbox.omero.context import Context
    from sandbox.omero.server import Server
    from sandbox.omero.sessions import Session

log = logging.getLogger("sandbox.omero")


class CommandHandle(StatefulService):
    """One submitted request. It runs on a worker thread while clients ask for its state."""

    interface = "omero.cmd.Handle"

    def __init__(self, server: Server, session: Session, request: Any, context: Context | None) -> None:
        import omero.cmd

        super().__init__(server, session)
        self._request = request
        self._context = context
        self._response: Any = None
        self._status = omero.cmd.Status(steps=1, startTime=now(), stopTime=0, flags=[])
        self._callbacks: dict[str, Any] = {}
        self._state = threading.Lock()
        self._cancelled = False

    def run(self) -> None:
        """Carry the request out, all of it or nothing, and tell the callbacks."""
        import omero.cmd

        assert self._context is not None  # else it was refused
        run = Run(self.server, self._context)
        flags = []
        try:
            with self._state:
                if self._cancelled:
                    return
                self._status.currentStep = 0
            with self.server.database.write(self._context) as tx:
                response = execute(run, tx, self._request)
                if isinstance(response, omero.cmd.ERR):
                    raise _Undo
            run.finish()
        except _Undo:
            flags = [omero.cmd.State.FAILURE]
        except Exception as error:
            if not isinstance(error, Ice.UserException):
                log.exception("%s failed", type(self._request).__name__)
            response = error_response(self._request, error)
            flags = [omero.cmd.State.FAILURE]
        self._end(response, flags)

    def refuse(self, error: Exception) -> None:
        """End the request before it began."""
        import omero.cmd

        self._end(error_response(self._request, error), [omero.cmd.State.FAILURE])

    def _end(self, response: Any, flags: list) -> None:
        with self._state:
            self._status.stopTime = now()
            self._status.currentStep = self._status.steps
            self._status.flags = flags
            self._response = response
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            self._tell(callback)

    def _tell(self, callback: Any) -> None:
        callback.begin_finished(self._response, self._status, _ex=lambda error: log.debug("callback: %s", error))

    def addCallback(self, callback: Any, current: Any) -> None:
        """Tell this object of the client when the command has ended (at once, when it has)."""
        import omero.cmd

        if callback is None:
            return
        identity = callback.ice_getIdentity()
        # Through the client's own connection: nobody could connect to it from outside.
        proxy = omero.cmd.CmdCallbackPrx.uncheckedCast(current.con.createProxy(identity))
        with self._state:
            self._callbacks[identity.name] = proxy
            ended = self._response is not None
        if ended:
            self._tell(proxy)

    def removeCallback(self, callback: Any, current: Any) -> None:
        """Tell this object no more."""
        if callback is not None:
            with self._state:
                self._callbacks.pop(callback.ice_getIdentity().name, None)

    def getRequest(self, current: Any) -> Any:
        """What was asked for."""
        return self._request

    def getResponse(self, current: Any) -> Any:
        """The answer; None as long as there is none."""
        return self._response

    def getStatus(self, current: Any) -> Any:
        """How far the command is."""
        return self._status

    def cancel(self, current: Any) -> bool:
        """Keep the command from starting; one that has started runs to its end."""
        import omero.cmd

        with self._state:
            if self._response is not None or self._status.currentStep is not None:
                return False
            self._cancelled = True
        self._end(omero.cmd.ERR("::omero::cmd::ERR", "cancelled", {}), [omero.cmd.State.CANCELLED])
        return True


class _Undo(Exception):  # noqa: N818 (not an error: it makes the transaction roll back)
    """Ends the transaction without keeping anything."""


def error_response(request: Any, error: BaseException) -> Any:
    """The response for a request that failed."""
    import omero.cmd

    message = getattr(error, "message", "") or str(error)
    parameters = {"message": message, "type": type(error).__name__}
    category = request.ice_id() if request is not None else omero.cmd.Request.ice_staticId()
    return omero.cmd.ERR(category, f"{type(error).__name__}: {message}", parameters)
