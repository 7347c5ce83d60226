"""Which request is carried out how."""

from __future__ import annotations

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
        dry: Whether nothing is to be kept.
        after: What to do once the transaction is committed: files cannot be rolled back.
    """

    server: Server
    context: Context
    dry: bool = False
    after: list[Callable[[], None]] = field(default_factory=list)

    def finish(self) -> None:
        """Do what waited for the commit."""
        for action in self.after:
            action()


def execute(run: Run, tx: Transaction, request: Any) -> Any:
    """Carry out a request inside the transaction; its response."""
    from sandbox.omero.commands import delete, duplicate, files, look, move

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
        "Timing": look.run_timing,
        "UsedFilesRequest": files.run_used_files,
        "OriginalMetadataRequest": files.run_original_metadata,
        "FindPyramids": files.run_find_pyramids,
        "ManageImageBinaries": files.run_image_binaries,
    }
    if name not in executors:
        raise errors.unsupported(f"the request {name}")
    return executors[name](run, tx, request)


def _do_all(run: Run, tx: Transaction, request: Any) -> Any:
    """Requests one after another; when one fails, none has happened."""
    import omero.cmd

    responses = [execute(run, tx, below) for below in request.requests or []]
    failed = next((r for r in responses if isinstance(r, omero.cmd.ERR)), None)
    return failed if failed is not None else omero.cmd.DoAllRsp(responses, [omero.cmd.Status() for _ in responses])
