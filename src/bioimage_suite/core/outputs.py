"""Outputs of a run: they appear when all of them are complete, or not at all."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from bioimage_suite.core.errors import UserError, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_Thing = TypeVar("_Thing")


class Outputs(AbstractContextManager["Outputs"]):
    """The files and folders that a run makes.

    Each is written beside its place, as `<name>.part`. When the block ends well all take their places; when it fails
    all are removed with the folders made for them, and what stood there before is unchanged.

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Outputs() as outputs:
    ...     _ = outputs.file(folder / "a.txt").write_text("a")
    ...     (folder / "a.txt").exists()
    False
    >>> (folder / "a.txt").read_text()
    'a'
    """

    def __init__(self) -> None:
        self._parts: dict[Path, Path] = {}
        self._made: list[Path] = []  # folders, each before those in it
        self._stack = ExitStack()

    def file(self, path: Path) -> Path:
        """Return the path to write to in place of `path`; the folder is made where it is missing."""
        self.make(path.parent)
        return self._part(path)

    def make(self, folder: Path) -> None:
        """Make a folder where it is missing; it goes again when the run fails."""
        self._made += reversed([one for one in (folder, *folder.parents) if not one.exists()])
        folder.mkdir(parents=True, exist_ok=True)

    def folder(self, path: Path) -> Path:
        """Return a new, empty folder to write to in place of the folder `path`."""
        part = self._part(path)
        part.mkdir(parents=True)
        return part

    def enter(self, context: AbstractContextManager[_Thing]) -> _Thing:
        """Enter a context that ends with the run, before the outputs take their places."""
        return self._stack.enter_context(context)

    def _part(self, path: Path) -> Path:
        if path in self._parts:
            raise UserError(f"Output {path.name}: named twice. Give each output a name of its own.")
        part = self._parts[path] = path.with_name(path.name + ".part")
        _remove(part)
        return part

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Put all outputs into their places, or remove what was written of them.

        Raises:
            UserError: The disk is full.
        """
        try:
            ended = self._stack.__exit__(kind, error, trace)
            if kind is None:
                for path, part in self._parts.items():
                    _replace(part, path)
                self._made.clear()  # They stay: they hold outputs, or are looked into.
        finally:
            for part in self._parts.values():
                _remove(part)
            for folder in reversed(self._made):
                with suppress(OSError):  # it holds something else
                    folder.rmdir()
        if is_disk_full(error) and self._parts:
            last = list(self._parts)[-1].name
            raise UserError(f"disk: full while writing {last}. Make room and run again.") from error
        return ended


@contextmanager
def complete_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder to write to; it takes the place of `path` only when the block ends well."""
    with Outputs() as outputs:
        yield outputs.folder(path)


def _replace(part: Path, path: Path) -> None:
    if part.is_dir() and path.is_dir():
        shutil.rmtree(path)
    part.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
