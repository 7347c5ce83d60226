"""One import of the managed repository: its uploads, their check, and the handle that reports progress."""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands.handle import CommandHandle, error_response
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.imports.plan import ImportPlan, failing_checksums
from sandbox.omero.imports.run import run_import
from sandbox.omero.objects.access import load_objects
from sandbox.omero.repository.stored_files import repository_uuid
from sandbox.omero.server.servant import StatefulService
from sandbox.omero.services.files.raw_file_store import RawFileStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.omero.access.context import Context

IMPORT_STEPS = 3  # files read, checksums made, rows written


class Uploader(RawFileStore):
    """The upload of one file of an import, which has no row yet."""

    def setFileId(self, _file_id: int, _current: Any) -> None:
        """Refuse: an uploader has its file already."""
        raise errors.api_usage("An uploader has its file already")

    def take(self, path: Path) -> None:
        """Write to this file."""
        self.use({"id": -1}, path, read_only=False)

    def _writable(self, _current: Any) -> int:
        return self._opened(create=True)

    def _save(self, _current: Any) -> bool:
        return False

    def getFileId(self, current: Any) -> Any:
        """Return nothing: the OriginalFile is made when the import succeeds."""


class ImportProcess(StatefulService):
    """One import, from the first upload to its result."""

    interface = "omero.grid.ImportProcess"
    plan: ImportPlan
    settings: Any
    caller: Any
    handle: Any = None

    def begin(self, plan: ImportPlan, settings: Any, caller: Context) -> None:
        """Take over the plan."""
        self.plan, self.settings, self.caller = plan, settings, caller

    def _staged(self, number: int) -> Path:
        staged = self.plan.staged()
        if not 0 <= number < len(staged):
            raise errors.api_usage(f"File {number} is not one of the fileset's {len(staged)}")
        return staged[number]

    def getUploader(self, number: int, current: Any) -> Any:
        """Open the place for one of the files."""
        if self.handle is not None:
            raise errors.api_usage("The upload has already been verified")
        uploader = Uploader(self.server, self.session)
        uploader.take(self._staged(number))
        return self.publish(uploader, "RawFileStore", current)

    def getUploadOffset(self, number: int, _current: Any) -> int:
        """Return how many bytes of a file have arrived."""
        path = self._staged(number)
        return path.stat().st_size if path.is_file() else 0

    def getImportSettings(self, _current: Any) -> Any:
        """Return what the client asked for."""
        return self.settings

    def getHandle(self, _current: Any) -> Any:
        """Return the handle of the running import; None before `verifyUpload`."""
        return self.handle

    def verifyUpload(self, hashes: list[str], current: Any) -> Any:
        """Compare the checksums, start to read the files and write the images, and return the handle."""
        import omero

        if self.handle is not None:
            raise errors.api_usage("The upload has already been verified")
        if len(hashes or []) != len(self.plan.names):
            raise errors.api_usage(f"{len(hashes or [])} checksums given for {len(self.plan.names)} files")
        failing = failing_checksums(self.plan, list(hashes))
        if failing:
            names = ", ".join(self.plan.names[number] for number in sorted(failing))
            raise omero.ChecksumValidationException(
                "", "omero.ChecksumValidationException", f"Checksums do not match: {names}", failing
            )
        request = omero.grid.ImportRequest(repoUuid=repository_uuid(self.server), settings=self.settings, activity=None)
        handle = ImportHandle(self, request)
        self.handle = self.publish(handle, "Handle", current)
        self.server.workers.submit(handle.run)
        return self.handle

    def run(self, step: Callable[[], None]) -> Any:
        """Carry the import out; return its response."""
        import omero

        try:
            written = run_import(
                self.server.database,
                self.server.files,
                repository_uuid(self.server),
                self.caller,
                self.plan,
                step,
            )
        except ImageFileError as error:
            return omero.cmd.ERR(
                category="::omero::grid::ImportRequest",
                name="import-failed",
                parameters={"message": str(error), "file": self.plan.client_paths[0]},
            )
        finally:
            shutil.rmtree(self.plan.staging, ignore_errors=True)  # gone already when the import succeeded
        self.server.forget_caches()  # an import may bring new enumeration values
        load = functools.partial(load_objects, self.server.database, self.caller)
        return omero.grid.ImportResponse(
            pixels=load("Pixels", [pixels for _, pixels in written.images], ["image"]),
            objects=load("Plate", written.plates) or load("Image", [image for image, _ in written.images]),
        )

    def released(self) -> None:
        """Remove the uploads, unless the import has started."""
        if self.handle is None:
            shutil.rmtree(self.plan.staging, ignore_errors=True)


class ImportHandle(CommandHandle):
    """The handle of an import, most of which runs outside a transaction."""

    def __init__(self, process: ImportProcess, request: Any) -> None:
        super().__init__(process.server, process.session, request, process.caller)
        self._process = process
        self._status.steps = IMPORT_STEPS

    def run(self) -> None:
        """Run the import, and tell the callbacks."""
        import omero

        try:
            response = self._process.run(self._step_done)
        except Exception as error:
            response = error_response(self._request, error)
        self._end(response, [omero.cmd.State.FAILURE] if isinstance(response, omero.cmd.ERR) else [])

    def cancel(self, _current: Any) -> bool:
        """Return False: an import whose upload was verified runs to its end."""
        return False
