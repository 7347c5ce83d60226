"""From the errors of libraries that read a damaged file to one of ours, by kind.

A library meets bytes that its authors did not foresee with whatever its own code raises: `struct.error`, `zlib.error`,
`KeyError`, `AssertionError`, ... What stands within `reading` hands a file to such a library; so whatever it raises
tells of the file. The error of the library stays the cause of ours.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError, machine_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 300  # letters of a library's message


@contextmanager
def reading(what: str, remedy: str) -> Iterator[None]:
    """Turn each error within the block into a `UserError` that says what is wrong with the file.

    Args:
        what: What is read, as messages begin: `Image cells.tiff`.
        remedy: A sentence: what the user can do.

    Raises:
        UserError: Something failed. A fault of the machine, such as a full disk, is none of the file and
            passes as it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        pass_fault_of_machine(error)
        raise UserError(f"{what}: {fault(error)}. {remedy}") from error


def pass_fault_of_machine(error: Exception) -> None:
    """Raise an error again that tells nothing of the file that was read: a full disk, too many open files."""
    if machine_fault(error):
        raise error


def fault(error: Exception) -> str:
    """Say what an error of a library means for the file that it read.

    >>> fault(KeyError("shape")), fault(RecursionError())
    ("damaged or cut short (KeyError: 'shape')", 'nested too deep to read')
    """
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, RecursionError):
        return "nested too deep to read"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not {error.encoding.upper()}"
    text = " ".join(str(error).split())[:SHOWN]
    if isinstance(error, OSError) and error.errno is not None:
        return f"it cannot be read ({error.strerror or text})"
    return f"damaged or cut short ({type(error).__name__}{': ' if text else ''}{text})"
