"""Downloads from servers that serve well, break off, lie about sizes and lead astray."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.attribution import Attribution
from bioimage_suite.fair.archives.download import fetch_file, kept_for_next_job
from bioimage_suite.fair.archives.fetching import fetch_files
from bioimage_suite.fair.archives.files import RemoteFile
from bioimage_suite.fair.archives.http import Web
from tests.unit.fair.archive_server import Reply, Request, ranged, serving
from tests.unit.fair.made_archive import archive, fetch


def broken(data: bytes, at: list[int], **headers: str) -> Callable[[Request], Reply]:
    """Breaks off after as many bytes as `at` says for each request, then serves well."""
    whole = ranged(data)
    left = list(at)

    def reply(request: Request) -> Reply:
        good = whole(request)
        if not left:
            return good
        return Reply(good.body[: left.pop(0)], good.status, good.headers | headers, claimed=len(good.body))

    return reply


def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100
    with serving({"/a.bin": broken(data, [1000, 2000])}) as server:
        file = RemoteFile("a.bin", f"{server.address}/a.bin", len(data))
        got = fetch_file(Web((server.address,)), file, tmp_path / "a", limit=10**6, wait=lambda _: None)
        asked = [request.headers.get("range") for request in server.requests]
    assert asked == [None, "bytes=1000-", "bytes=3000-"]
    assert all(request.headers.get("if-range") == '"one"' for request in server.requests[1:])
    assert got.path.read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_progress_resets_the_count_of_tries(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100
    waits: list[float] = []
    with serving({"/a.bin": broken(data, [100, 0, 0, 100, 0, 0, 0, 100, 100, 100, 100, 100])}) as server:
        file = RemoteFile("a.bin", f"{server.address}/a.bin", len(data))
        got = fetch_file(Web((server.address,)), file, tmp_path / "a", limit=10**6, wait=waits.append)
    assert got.path.read_bytes() == data
    assert waits == [1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("listed", [True, False])
def test_what_a_failed_job_fetched_waits_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    monkeypatch.setenv("BIOIMAGE_SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("bioimage_suite.fair.archives.download.time.sleep", lambda _: None)
    whole, cut = b"w" * 3000, b"c" * 4000
    with serving({"/whole": ranged(whole), "/cut": broken(cut, [700] + [0] * 5)}) as server:
        web = Web((server.address,))
        sizes = (len(whole), len(cut)) if listed else (None, None)
        files = [
            RemoteFile(name, f"{server.address}/{name}", size)
            for name, size in zip(("whole", "cut"), sizes, strict=True)
        ]
        facts = {"": Attribution("A", "title", "CC0", "")}
        with pytest.raises(UserError, match="broke off"):
            fetch_files(web, files, facts, tmp_path / "first", 10**6)
        rows = fetch_files(web, files, facts, tmp_path / "next", 10**6)
        asked = [(request.path, request.headers.get("range")) for request in server.requests]
    assert [row.bytes for row in rows] == [3000, 4000]
    assert sorted(path.read_bytes() for path in (tmp_path / "next").iterdir()) == [cut, whole]
    assert asked[-1] == ("/cut", "bytes=700-")
    # Without a size or a checksum nothing tells whether the file is still the same.
    assert asked.count(("/whole", None)) == (1 if listed else 2)
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_jobs_at_once_do_not_share_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOIMAGE_SUITE_CACHE", str(tmp_path))
    file = RemoteFile("a", "http://localhost/a")
    with kept_for_next_job(file, tmp_path / "one") as first, kept_for_next_job(file, tmp_path / "two") as second:
        assert first.parent.parent == tmp_path
        assert second == tmp_path / "two"
        first.write_bytes(b"x")
        second.write_bytes(b"y")
    assert ((tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()) == (b"x", b"y")


def test_a_rerun_goes_on_and_a_third_fetches_nothing(tmp_path: Path) -> None:
    data = b"x" * 5000
    file_sum = "sha256:" + hashlib.sha256(data).hexdigest()
    with serving({"/a.bin": broken(data, [700] + [0] * 5)}) as server:
        file = RemoteFile("a.bin", f"{server.address}/a.bin", None, file_sum)
        web = Web((server.address,))
        with pytest.raises(UserError, match="broke off"):
            fetch_file(web, file, tmp_path / "a", limit=10**6, wait=lambda _: None)
        assert (tmp_path / "a.part").stat().st_size == 700
        assert not (tmp_path / "a").exists()
        fetch_file(web, file, tmp_path / "a", limit=10**6)
        assert server.requests[-1].headers["range"] == "bytes=700-"
        count = len(server.requests)
        assert fetch_file(web, file, tmp_path / "a", limit=10**6).verified == ("sha256",)
        assert len(server.requests) == count


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    with serving({"/a": broken(b"old" * 100, [50] + [0] * 5)}) as server:
        file = RemoteFile("a", f"{server.address}/a")
        with pytest.raises(UserError):
            fetch_file(Web((server.address,)), file, tmp_path / "a", limit=10**6, wait=lambda _: None)
        server.routes = {"/a": ranged(b"new" * 200, '"two"')}
        fetch_file(Web((server.address,)), file, tmp_path / "a", limit=10**6)
    assert (tmp_path / "a").read_bytes() == b"new" * 200


def test_a_server_that_ignores_or_misses_the_range(tmp_path: Path) -> None:
    data = b"0123456789" * 10
    replies = [
        Reply(data[:30], headers={"ETag": '"one"'}, claimed=100),
        Reply(data[10:], 206, {"ETag": '"one"', "Content-Range": "bytes 10-99/100"}),
        Reply(data, headers={"ETag": '"one"'}),
    ]
    with serving({"/a": lambda _: replies.pop(0)}) as server:
        file = RemoteFile("a", f"{server.address}/a")
        got = fetch_file(Web((server.address,)), file, tmp_path / "a", limit=1000, wait=lambda _: None)
    assert got.path.read_bytes() == data


def test_servers_that_are_overloaded_for_a_while(tmp_path: Path) -> None:
    replies = [Reply(status=503), Reply(status=429), Reply(b"there")]
    waits: list[float] = []
    with serving({"/a": lambda _: replies.pop(0)}) as server:
        file = RemoteFile("a", f"{server.address}/a")
        got = fetch_file(Web((server.address,)), file, tmp_path / "a", limit=1000, wait=waits.append)
    assert got.path.read_bytes() == b"there"
    assert waits == [1.0, 2.0]


def test_a_server_that_is_away_for_a_while(tmp_path: Path) -> None:
    """It starts anew meanwhile, as servers do: connections are refused until the second wait has passed."""
    data = b"0123456789" * 100
    waits: list[float] = []
    with contextlib.ExitStack() as again, serving({"/a": broken(data, [300])}) as server:
        file = RemoteFile("a", f"{server.address}/a", len(data))

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 1:
                server.close()
            elif len(waits) == 3:
                again.enter_context(serving({"/a": ranged(data)}, server.port))

        got = fetch_file(Web((server.address,)), file, tmp_path / "a", limit=1000, wait=wait)
    assert got.path.read_bytes() == data
    assert waits == [1.0, 1.0, 2.0]


def test_a_server_that_never_comes_is_given_up(tmp_path: Path) -> None:
    waits: list[float] = []
    with serving() as server:
        server.close()
        file = RemoteFile("a", f"{server.address}/a")
        with pytest.raises(UserError, match="cannot be reached"):
            fetch_file(Web((server.address,)), file, tmp_path / "a", limit=1000, wait=waits.append)
    assert waits == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://127.0.0.1:9/x", "http://10.0.0.1/x", "gopher://a/b"]
)
def test_redirects_that_lead_astray_are_not_followed(tmp_path: Path, location: str) -> None:
    routes = archive() | {"/files/S-TEST1/notes.csv": Reply(status=302, headers={"Location": location})}
    with serving(routes) as server, pytest.raises(UserError, match=r"may be followed|inside this network"):
        fetch(server, tmp_path, patterns="notes.csv")


def test_more_bytes_than_allowed_are_cut_off(tmp_path: Path) -> None:
    """No size in the list, none in the headers that is true: the limit holds while bytes come."""
    big = Reply(b"x" * 2_000_000, headers={"Transfer-Encoding": "identity"})
    with serving({"/a": big}) as server, pytest.raises(UserError, match="more than the 1,000,000 bytes that the limit"):
        fetch_file(Web((server.address,)), RemoteFile("a", f"{server.address}/a"), tmp_path / "a", limit=1_000_000)
    assert not list(tmp_path.iterdir()) or not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["a", "a.part", "a.validator"])
def test_links_are_not_written_through(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / name).symlink_to(outside)
    with serving({"/a": Reply(b"theirs")}) as server, pytest.raises(UserError, match="is a link"):
        fetch_file(Web((server.address,)), RemoteFile("a", f"{server.address}/a"), folder / "a", limit=1000)
    assert outside.read_text() == "mine"
