"""The handle of a running command: its status, its response, and the callbacks to tell."""

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
CANCEL_SECONDS = 5  # as long as OMERO waits for a command to stop


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
        """Carry out the request, all of it or nothing, and tell the callbacks."""
        import omero.cmd

        assert self._context is not None  # a refused request does not run
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
        """Note that a step is done. A command can be cancelled here."""
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
        """Register an object of the client that is told when the command has ended (at once, if it has)."""
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
        """Forget an object that `addCallback` registered."""
        if callback is not None:
            with self._state:
                self._callbacks.pop(callback.ice_getIdentity().name, None)

    def getRequest(self, _current: Any) -> Any:
        """Return what was asked for."""
        return self._request

    def getResponse(self, _current: Any) -> Any:
        """Return the response, or None as long as there is none."""
        return self._response

    def getStatus(self, _current: Any) -> Any:
        """Return how far the command has got."""
        return self._status

    def cancel(self, _current: Any) -> bool:
        """Stop the command at its next step and undo it; return False when it has already ended.

        Raises:
            omero.LockTimeout: The command did not reach its next step within CANCEL_SECONDS; it will be stopped there.
        """
        import omero.cmd

        with self._state:
            if self._response is not None:
                return False
            self._cancelled = True
            if self._started:
                if not self._state.wait_for(lambda: self._response is not None, CANCEL_SECONDS):
                    raise errors.lock_timeout("The command has not come to its next step yet", CANCEL_SECONDS, 0)
                return omero.cmd.State.CANCELLED in self._status.flags
        self._end(_cancelled(), [omero.cmd.State.CANCELLED])
        return True


class _Undo(Exception):  # noqa: N818 (not an error)
    """Makes the transaction roll back."""


def _unheard(error: Exception) -> None:
    """Ignore a callback that nobody listens to any more; the command goes on."""
    log.debug("callback: %s", error)


def _cancelled() -> Any:
    import omero.cmd

    return omero.cmd.ERR("::omero::cmd::ERR", "cancelled", {})


def error_response(request: Any, error: Exception) -> Any:
    """Return the response for a request that failed."""
    import omero.cmd

    error = errors.translated(type(request).__name__, error)
    message = getattr(error, "message", "") or str(error)
    parameters = {"message": message, "type": type(error).__name__}
    category = request.ice_id() if request is not None else omero.cmd.Request.ice_staticId()
    return omero.cmd.ERR(category, f"{type(error).__name__}: {message}", parameters)


def submit(service: Service, request: Any, current: Any) -> Any:
    """Start a request of the caller; return the proxy of its handle."""
    try:
        handle = CommandHandle(service.server, service.session, request, service.context(current))
    except Ice.UserException as error:  # `submit` declares no exception: the handle has to report it
        handle = CommandHandle(service.server, service.session, request, None)
        handle.refuse(error)
        return service.publish(handle, "Handle")
    # Of the session, not of the client: OMERO.web begins a command with one client and asks after it with others.
    proxy = service.publish(handle, "Handle")
    service.server.workers.submit(handle.run)
    return proxy
