"""The handle of a running command: its status, its response, and who wants to hear of it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero import errors
from sandbox.omero.commands.execute import execute, only_looks, steps_of
from sandbox.omero.commands.run import Cancelled, Run
from sandbox.omero.database.transactions import now
from sandbox.omero.server.servant import Service, StatefulService

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.server.sessions import Session
    from sandbox.omero.server.state import Server

log = logging.getLogger("sandbox.omero")
CANCEL_SECONDS = 5  # so long OMERO waits for a command to stop


class CommandHandle(StatefulService):
    """One submitted request. It runs on a worker thread while clients ask for its state."""

    interface = "omero.cmd.Handle"

    def __init__(self, server: Server, session: Session, request: Any, context: Context | None) -> None:
        import omero.cmd

        super().__init__(server, session)
        self._request = request
        self._context = context
        self._response: Any = None
        self._status = omero.cmd.Status(steps=1, startTime=now(), flags=[], stepStartTimes=[], stepStopTimes=[])
        self._callbacks: dict[str, Any] = {}
        self._state = threading.Condition()
        self._started = self._cancelled = False

    def run(self) -> None:
        """Carry the request out, all of it or nothing, and tell the callbacks."""
        import omero.cmd

        assert self._context is not None  # else it was refused
        with self._state:
            if self._cancelled:
                return
            self._started = True
        run = Run(self.server, self._context, advance=self._advance)
        flags = []
        try:
            self._status.steps = steps_of(self._request)
            self._status.stepStartTimes.append(now())
            database = self.server.database
            with (database.read if only_looks(self._request) else database.write)(self._context) as tx:
                response = execute(run, tx, self._request)
                if isinstance(response, omero.cmd.ERR):
                    raise _Undo
            run.finish()
        except _Undo:
            flags = [omero.cmd.State.FAILURE]
        except Cancelled:
            response, flags = _cancelled(), [omero.cmd.State.CANCELLED]
        except Exception as error:
            response = error_response(self._request, error)
            flags = [omero.cmd.State.FAILURE]
        self._end(response, flags)

    def _advance(self) -> None:
        """Note that a step is done; the place where a command can be cancelled."""
        with self._state:
            if self._cancelled:
                raise Cancelled
        self._step_done()

    def _step_done(self) -> None:
        """Note that a step is done, and tell the callbacks."""
        with self._state:
            status, moment = self._status, now()
            status.currentStep = min(status.currentStep + 1, status.steps)
            status.stepStopTimes.append(moment)
            status.stepStartTimes.append(moment)
            done, total, callbacks = status.currentStep, status.steps, list(self._callbacks.values())
        for callback in callbacks:
            callback.begin_step(done, total, _ex=_unheard)

    def refuse(self, error: Exception) -> None:
        """End the request before it began."""
        import omero.cmd

        self._end(error_response(self._request, error), [omero.cmd.State.FAILURE])

    def _end(self, response: Any, flags: list[Any]) -> None:
        with self._state:
            self._status.stopTime = now()
            self._status.flags = flags
            if not flags:
                self._status.currentStep = self._status.steps
            self._response = response
            callbacks = list(self._callbacks.values())
            self._state.notify_all()
        for callback in callbacks:
            self._tell(callback)

    def _tell(self, callback: Any) -> None:
        callback.begin_finished(self._response, self._status, _ex=_unheard)

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

    def removeCallback(self, callback: Any, _current: Any) -> None:
        """Tell this object no more."""
        if callback is not None:
            with self._state:
                self._callbacks.pop(callback.ice_getIdentity().name, None)

    def getRequest(self, _current: Any) -> Any:
        """What was asked for."""
        return self._request

    def getResponse(self, _current: Any) -> Any:
        """The answer; None as long as there is none."""
        return self._response

    def getStatus(self, _current: Any) -> Any:
        """How far the command is."""
        return self._status

    def cancel(self, _current: Any) -> bool:
        """Stop the command at its next step, with nothing done; False when it was already through.

        Raises:
            omero.LockTimeout: It did not come to its next step for CANCEL_SECONDS; it will be stopped there.
        """
        import omero.cmd

        with self._state:
            if self._response is not None:
                return False
            self._cancelled = True
            if self._started:
                if not self._state.wait_for(lambda: self._response is not None, CANCEL_SECONDS):
                    raise errors.lock_timeout("The command has not come to its next step yet", CANCEL_SECONDS)
                return omero.cmd.State.CANCELLED in self._status.flags
        self._end(_cancelled(), [omero.cmd.State.CANCELLED])
        return True


class _Undo(Exception):  # noqa: N818 (not an error: it makes the transaction roll back)
    """Ends the transaction without keeping anything."""


def _unheard(error: Exception) -> None:
    """Nobody listens any more; the command goes on."""
    log.debug("callback: %s", error)


def _cancelled() -> Any:
    import omero.cmd

    return omero.cmd.ERR("::omero::cmd::ERR", "cancelled", {})


def error_response(request: Any, error: Exception) -> Any:
    """The response for a request that failed."""
    import omero.cmd

    error = errors.translated(type(request).__name__, error)
    message = getattr(error, "message", "") or str(error)
    parameters = {"message": message, "type": type(error).__name__}
    category = request.ice_id() if request is not None else omero.cmd.Request.ice_staticId()
    return omero.cmd.ERR(category, f"{type(error).__name__}: {message}", parameters)


def submit(service: Service, request: Any, current: Any) -> Any:
    """Start a request of the caller's; the proxy of its handle."""
    try:
        handle = CommandHandle(service.server, service.session, request, service.context(current))
    except Ice.UserException as error:  # `submit` itself declares no exception, so that the handle has to tell
        handle = CommandHandle(service.server, service.session, request, None)
        handle.refuse(error)
        return service.publish(handle, "Handle", current)
    proxy = service.publish(handle, "Handle", current)
    service.server.workers.submit(handle.run)
    return proxy
