"""Work apart: its result comes back, its limits hold, and it reaches no network and no file by address."""

import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.core.errors import UserError


def test_the_result_comes_back():
    assert run_apart(lambda first, second: {"sum": first + second, "pid": 0}, 1, 2) == {"sum": 3, "pid": 0}


def test_the_work_is_in_another_process_and_prints_nothing(capfd: pytest.CaptureFixture[str]):
    def work() -> int:
        print("a library's own words", flush=True)
        return os.getpid()

    assert run_apart(work) != os.getpid()
    assert capfd.readouterr().out == ""


def test_what_hangs_is_ended():
    began = time.monotonic()
    with pytest.raises(ApartError, match="took longer than"):
        run_apart(time.sleep, 60, seconds=0.5)
    assert time.monotonic() - began < 5


def test_what_takes_memory_without_end_is_ended():
    with pytest.raises(ApartError, match="needs more memory than 64 MB"):
        run_apart(lambda: len(bytearray(1 << 30)), memory=64 << 20)


def test_an_error_is_told_in_one_line():
    def work() -> None:
        raise KeyError("two\nlines")

    with pytest.raises(ApartError, match=r"^KeyError: 'two\\nlines'$"):
        run_apart(work)


def test_what_a_user_can_correct_is_told_as_it_is():
    def work() -> None:
        raise UserError("file t: is empty. Give a filled table.")

    with pytest.raises(UserError, match=r"^file t: is empty\. Give a filled table\.$"):
        run_apart(work)


def test_a_child_that_dies_is_told():
    with pytest.raises(ApartError, match="ended without an answer"):
        run_apart(os._exit, 3)


def test_nothing_is_asked_on_the_network_and_no_address_is_opened(tmp_path: Path):
    (tmp_path / "secret").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        for address in (f"http://127.0.0.1:{port}/", (tmp_path / "secret").as_uri(), f"ftp://127.0.0.1:{port}/"):
            with pytest.raises(ApartError, match="is refused: nothing is fetched"):
                run_apart(lambda address=address: urllib.request.urlopen(address).read())
        with pytest.raises(ApartError, match="is refused"):
            run_apart(lambda: socket.create_connection(("127.0.0.1", port)).close())
        with pytest.raises(TimeoutError):
            listener.accept()
