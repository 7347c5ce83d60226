"""Which request is carried out how."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors

if TYPE_CHECKING:
    from sandbox.omero.context import Context
    from sandbox.omero.database import Transaction
    from sandbox.omero.server import Server


@dataclass
class Run:
    """One command on its way.

    Attributes:
        server: The server.
        context: Who asked.
        after: What to do once the transaction is committed: files cannot be rolled back.
    """

    server: Server
    context: Context
    after: list[Callable[[], None]] = field(default_factory=list)

    def finish(self) -> None:
        """Do what waited for the commit."""
        for action in self.after:
            action()


def execute(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out a request inside the transaction; its response."""
    from sandbox.omero.commands import delete, duplicate, files, look, move, sessions

    if request is None:
        raise errors.api_usage("There is no request")
    name = request.ice_id().rsplit("::", 1)[-1]
    if name == "DoAll":
        return _do_all(run, tx, request)
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
    if name == "Save":
        return _save(run, tx, request)
    if name not in executors:
        raise errors.unsupported(f"the request {name}")
    # As in OMERO, such requests look into all groups; Save works in the call's own.
    everywhere = dataclasses.replace(run, context=dataclasses.replace(run.context, all_groups=True))
    return executors[name](everywhere, tx, request)


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

    responses = [execute(run, tx, below) for below in request.requests or []]
    failed = next((r for r in responses if isinstance(r, omero.cmd.ERR)), None)
    return failed if failed is not None else omero.cmd.DoAllRsp(responses, [omero.cmd.Status() for _ in responses])
