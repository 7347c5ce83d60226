"""Carry out requests, also those that contain others: DoAll and SkipHead."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands import delete, duplicate, files, look, move, sessions
from sandbox.omero.commands.graph import ChildOptions, Walker, targets_of
from sandbox.omero.database.transactions import now
from sandbox.omero.objects.save_graph import ADMIN_ONLY, Saver

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction

IN_THREE_STEPS = {"Delete2", "Chgrp2", "Chown2", "Duplicate"}
"""Requests with three steps: find what belongs to the targets, check it, change it. A dry run has the first two."""
LOOKING = {
    *("FindParents", "FindChildren", "LegalGraphTargets", "DiskUsage2", "CurrentSessionsRequest", "Timing"),
    *("UsedFilesRequest", "OriginalMetadataRequest", "FindPyramids", "ManageImageBinaries"),
}
"""Requests that change nothing: no writer has to wait for them."""
EXECUTORS: dict[str, Callable[[Run, Transaction, Any], Any]] = {
    "Delete2": delete.run_delete,
    "Chgrp2": move.run_chgrp,
    "Chown2": move.run_chown,
    "Chmod2": move.run_chmod,
    "Duplicate": duplicate.run_duplicate,
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


def kind_of(request: Any) -> str:
    """Return the name of a request's class."""
    return "" if request is None else request.ice_id().rsplit("::", 1)[-1]


def only_looks(request: Any) -> bool:
    """Return whether a request changes nothing."""
    return kind_of(request) in LOOKING


def steps_of(request: Any, dry: bool = False) -> int:
    """Return how often a request calls `Run.advance`.

    Args:
        request: The request.
        dry: Count the steps of a dry run, whatever the request itself says.
    """
    kind = kind_of(request)
    if kind == "DoAll":
        return sum(steps_of(below) for below in request.requests or [])
    if kind == "SkipHead":
        return 1 + steps_of(request.request, request.dryRun)
    if kind == "Timing":
        return look.timing_of(request)[0]
    return 3 - bool(dry or request.dryRun) if kind in IN_THREE_STEPS else 1


def execute(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out a request inside the transaction; return its response."""
    if request is None:
        raise errors.api_usage("There is no request")
    kind = kind_of(request)
    if kind == "DoAll":
        return _do_all(run, tx, request)
    if kind == "Save":
        response = _save(run, tx, request)
    elif kind == "SkipHead" or kind in EXECUTORS:
        # As in OMERO, such requests look into all groups; Save works in the call's own.
        everywhere = dataclasses.replace(run, context=dataclasses.replace(run.context, all_groups=True))
        response = (_skip_head if kind == "SkipHead" else EXECUTORS[kind])(everywhere, tx, request)
    else:
        raise errors.unsupported(f"the request {kind}")
    if kind not in IN_THREE_STEPS | {"SkipHead", "Timing"}:  # those count their steps themselves
        run.advance()
    return response


def _save(run: Run, tx: Transaction, request: Any) -> Any:
    """Store an object, for instance a link into a container of the group to which something has just moved."""
    import omero

    saver = Saver(tx, run.context)
    saver.save([request.obj])
    if any(node.entity.root in ADMIN_ONLY for node in saver.nodes):
        run.after.append(run.server.forget_caches)
    return omero.api.SaveRsp(request.obj)


def _do_all(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out requests one after another; when one fails, none has happened."""
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


def _skip_head(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out a request on the objects of some classes below the targets, not on the targets themselves."""
    import omero.cmd

    inner = request.request
    if not isinstance(inner, omero.cmd.GraphModify2) or isinstance(inner, omero.cmd.SkipHead):
        raise errors.api_usage("SkipHead needs a request that changes objects, such as Delete2 or Chgrp2")
    wanted = look.entity_names(request.startFrom)
    closure = Walker(tx, run.context, ChildOptions()).walk(targets_of(request))
    inner.targetObjects = {}
    for (root, row_id), name in closure.classes.items():
        if name in wanted and closure.has(root, row_id):
            inner.targetObjects.setdefault(name, []).append(row_id)
    inner.childOptions = request.childOptions
    inner.dryRun = request.dryRun
    run.advance()
    return execute(run, tx, inner)
