"""What the errors of libraries become."""

import errno
import zlib

import pytest

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (zlib.error("invalid block"), "damaged or cut short (error: invalid block)"),
        (AssertionError(), "(AssertionError)"),
        (MemoryError(), "more memory than there is"), (RecursionError(), "nested too deep"),
        (UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "invalid"), "byte 1 is not UTF-8"),
        (PermissionError(errno.EACCES, "Permission denied"), "it cannot be read (Permission denied)"),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_words(error, said):
    with pytest.raises(UserError) as caught, damage.reading("File a", "Upload it again."):
        raise error
    assert str(caught.value).startswith("File a: ")
    assert said in str(caught.value)
    assert str(caught.value).endswith(". Upload it again.")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [UserError("Image b."), OSError(errno.ENOSPC, "No space"), KeyboardInterrupt()])
def test_what_tells_nothing_of_the_file_passes(error):
    with pytest.raises(type(error)) as caught, damage.reading("File a", "Upload it again."):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOSPC, errno.ESTALE])
def test_what_the_machine_failed_at_is_no_fault_of_the_file(number: int):
    with pytest.raises(OSError, match="of the machine"), damage.reading("Image a", "Upload it again."):
        raise OSError(number, "of the machine")
