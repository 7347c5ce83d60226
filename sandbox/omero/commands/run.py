"""Which request is carried out how."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.database import now

if TYPE_CHECKING:
    from sandbox.omero.context import Context
    from sandbox.omero.database import Transaction
    from sandbox.omero.server import Server

IN_THREE_STEPS = {"Delete2", "Chgrp2", "Chown2", "Duplicate"}
"""Requests that find what belongs to the targets, check it, and change it (which a dry run does not)."""
LOOKING = {
    *("FindParents", "FindChildren", "LegalGraphTargets", "DiskUsage2", "CurrentSessionsRequest", "Timing"),
    *("UsedFilesRequest", "OriginalMetadataRequest", "FindPyramids", "ManageImageBinaries"),
}
"""Requests that change nothing: nobody who writes has to wait for them."""


class Cancelled(Exception):  # noqa: N818 (not an error: the client asked for it)
    """Ends a request that shall not go on; nothing of it has happened."""


@dataclass
class Run:
    """One command on its way.

    Attributes:
        server: The server.
        context: Who asked.
        after: What to do once the transaction is committed: files cannot be rolled back.
        advance: Says that one of the request's steps (`steps_of`) is done. Raises Cancelled when it shall end here.
    """

    server: Server
    context: Context
    after: list[Callable[[], None]] = field(default_factory=list)
    advance: Callable[[], None] = lambda: None

    def finish(self) -> None:
        """Do what waited for the commit."""
        for action in self.after:
            action()


def kind_of(request: Any) -> str:
    """The name of a request's class."""
    return "" if request is None else request.ice_id().rsplit("::", 1)[-1]


def only_looks(request: Any) -> bool:
    """Whether a request changes nothing."""
    return kind_of(request) in LOOKING


def steps_of(request: Any, dry: bool = False) -> int:
    """The number of steps of a request (`dry`: whatever it says itself): as often does it call `Run.advance`."""
    from sandbox.omero.commands import look

    kind = kind_of(request)
    if kind == "DoAll":
        return sum(steps_of(below) for below in request.requests or [])
    if kind == "SkipHead":
        return 1 + steps_of(request.request, request.dryRun)
    if kind == "Timing":
        return look.timing_of(request)[0]
    return 3 - bool(dry or request.dryRun) if kind in IN_THREE_STEPS else 1


def execute(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out a request inside the transaction; its response."""
    from sandbox.omero.commands import delete, duplicate, files, look, move, sessions

    if request is None:
        raise errors.api_usage("There is no request")
    executors = {
        "Delete2": delete.run_delete,
        "Chgrp2": move.run_chgrp,
        "Chown2": move.run_chown,
        "Chmod2": move.run_chmod,
        "Duplicate": duplicate.run_duplicate,
        "SkipHead": look.run_skip_head,
        "FindParents": look.run_find_parents,
        "FindChildren": look.run_find_children,
        "LegalGraphTargets": look.run_legal_targets,
        "DiskUsage2": look.run_disk_usage,
        "CurrentSessionsRequest": sessions.run_current_sessions,
        "UpdateSessionTimeoutRequest": sessions.run_update_timeout,
        "Timing": look.run_timing,
        "UsedFilesRequest": files.run_used_files,
        "OriginalMetadataRequest": files.run_original_metadata,
        "FindPyramids": files.run_find_pyramids,
        "ManageImageBinaries": files.run_image_binaries,
    }
    kind = kind_of(request)
    if kind == "DoAll":
        return _do_all(run, tx, request)
    if kind == "Save":
        response = _save(run, tx, request)
    elif kind in executors:
        # As in OMERO, such requests look into all groups; Save works in the call's own.
        everywhere = dataclasses.replace(run, context=dataclasses.replace(run.context, all_groups=True))
        response = executors[kind](everywhere, tx, request)
    else:
        raise errors.unsupported(f"the request {kind}")
    if kind not in IN_THREE_STEPS | {"SkipHead", "Timing"}:  # those count their steps themselves
        run.advance()
    return response


def _save(run: Run, tx: Transaction, request: Any) -> Any:
    """Store an object, for instance a link into a container of the group that something has just moved to."""
    import omero.cmd

    from sandbox.omero.save_graph import ADMIN_ONLY, Saver

    saver = Saver(tx, run.context)
    saver.save([request.obj])
    if any(node.entity.root in ADMIN_ONLY for node in saver.nodes):
        run.after.append(run.server.forget_caches)
    return omero.cmd.SaveRsp(request.obj)


def _do_all(run: Run, tx: Transaction, request: Any) -> Any:
    """Requests one after another; when one fails, none has happened."""
    import omero.cmd

    responses, statuses = [], []
    for below in request.requests or []:
        steps, started = steps_of(below), now()
        responses.append(execute(run, tx, below))
        if isinstance(responses[-1], omero.cmd.ERR):
            return responses[-1]
        times = {"startTime": started, "stopTime": now()}
        statuses.append(omero.cmd.Status(steps=steps, currentStep=steps, flags=[], **times))
    return omero.cmd.DoAllRsp(responses, statuses)
