"""Files of an accession, a table or the studies of a search come whole, with their origin."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives import fetching
from bioimage_suite.fair.archives.files import RemoteFile, select_files
from tests.unit.fair.archive_server import Reply, Request, Server, answer, serving
from tests.unit.fair.made_archive import CELLS, archive, fetch


def test_an_accession_comes_whole_with_its_origin(tmp_path: Path) -> None:
    with serving(archive()) as server:
        rows = fetch(server, tmp_path / "files")
    assert [row.file for row in rows] == ["images_cell_1.tif", "images_cell_2.tif", "notes.csv", "readme.txt"]
    names = sorted(path.name for path in (tmp_path / "files").iterdir())
    assert names == ["images_cell_1.tif@tiff", "images_cell_2.tif@tiff", "notes.csv@csv", "readme.txt@txt"]
    assert (tmp_path / "files" / names[0]).read_bytes() == CELLS["images/cell_1.tif"]
    first = rows[0]
    assert first.sha256 == hashlib.sha256(CELLS["images/cell_1.tif"]).hexdigest()
    assert (first.verified, rows[3].verified) == ("size, md5", "size")
    assert (first.accession, first.licence) == ("S-TEST1", "CC BY 4.0")
    assert first.citation == (
        "Josiah Carberry (2023). Nuclei of mitotic HeLa cells. BioImage Archive, S-TEST1. "
        "https://www.ebi.ac.uk/biostudies/bioimages/studies/S-TEST1"
    )


def test_patterns_choose(tmp_path: Path) -> None:
    with serving(archive()) as server:
        rows = fetch(server, tmp_path, patterns="images/*\n*.txt", without="*_2.tif")
    assert [row.path for row in rows] == ["images/cell_1.tif", "readme.txt"]


def test_same_input_same_table(tmp_path: Path) -> None:
    with serving(archive()) as server:
        assert fetch(server, tmp_path / "a") == fetch(server, tmp_path / "b")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 5}, "more than the 5 bytes that its file list allows"),
        ({"size": 99_999}, "10,244 bytes, its file list says 99,999"),
        ({"attributes": [{"name": "md5", "value": "0" * 32}]}, "its file list says md5:000"),
        ({"attributes": [{"name": "sha256", "value": "xyz"}]}, "'xyz' is no checksum"),
        ({"path": "../../etc/passwd"}, "would leave the folder"),
        ({"path": "/etc/passwd"}, "would leave the folder"),
        ({"path": "C:\\windows"}, "would leave the folder"),
        ({"path": "a//b"}, "would leave the folder"),
        ({"path": "µ" * 130}, "its path is longer than a disk takes"),
        ({"path": "a/" * 200 + "b"}, "its path is longer than a disk takes"),
        ({"path": "images/cell_3.tif"}, "status 404"),
        ({"path": "images_cell_2.tif"}, "would both be called images_cell_2.tif"),
    ],
)
def test_what_does_not_keep_its_promise_is_not_kept(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with serving(archive(**changes)) as server, pytest.raises(UserError, match=said):
        fetch(server, tmp_path / "files")
    assert not list(tmp_path.rglob("images_cell_1*"))
    assert not list(tmp_path.rglob("passwd"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"accession": "../etc"}, "not an accession"),
        ({"accession": "S-NONE"}, "status 404"),
        ({"patterns": "*.czi"}, r"none of 4 fits \*\.czi\. There are for instance: images/cell_1\.tif"),
        ({"max_files": 2}, "4 fit, at most 2 are fetched"),
        ({"max_megabytes": 0.001}, "at most 1,000 are fetched"),
        ({"address": "ftp://127.0.0.1/api"}, "address of BioStudies"),
    ],
)
def test_bad_wishes(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    with serving(archive()) as server, pytest.raises(UserError, match=said):
        fetch(server, tmp_path, **config)


def fetch_list(server: Server, folder: Path, table: str, base: str = "") -> list[fetching.OriginRow]:
    path = folder / "list.tsv"
    path.write_text(table)
    config = {"what": {"kind": "list", "list_name": "list.tsv", "base": base and server.address + base}}
    return fetching.fetch(config, folder / "files", path)


def test_a_table_of_files(tmp_path: Path) -> None:
    with serving(archive()) as server:
        table = "path\tsize\tlicence\tcitation\nimages/cell_2.tif\t8\tCC0\tCarberry 2023\nnotes.csv\t\t\t\n"
        rows = fetch_list(server, tmp_path, table, "/files/S-TEST1")
    assert [(row.path, row.verified, row.licence, row.citation) for row in rows] == [
        ("images/cell_2.tif", "size", "CC0", "Carberry 2023"),
        ("notes.csv", "", "CC0", "Carberry 2023"),
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name\nx\n", "no column url"),
        ("url\nfile:///etc/passwd\n", "is no web address"),
        ("url\nhttp://127.0.0.1:9/x\n", "is not an address that was given"),
        ("url\tsize\nhttp://example.org/x\tbig\n", "size 'big' is not a number"),
        ("url\tpath\nhttp://example.org/x\t../x\n", "would leave the folder"),
        ("url\nhttp://example.org/\n", "would leave the folder"),
        ("url\n", "none of 0 fits"),
    ],
)
def test_bad_tables_of_files(tmp_path: Path, table: str, said: str) -> None:
    with serving() as server, pytest.raises(UserError, match=said):
        fetch_list(server, tmp_path, table)


def fetch_studies(server: Server, folder: Path, table: str, **config: Any) -> list[fetching.OriginRow]:
    path = folder / "studies.tsv"
    path.write_text(table)
    what = {"kind": "studies", "address": f"{server.address}/api", "files_address": f"{server.address}/files"}
    return fetching.fetch({"what": what | config}, folder / "files", path)


def two_studies() -> dict[str, Reply | Callable[[Request], Reply]]:
    """S-TEST1, and S-TEST2 with the same files but neither title nor licence."""
    one = archive()
    bare = json.loads(answer("biostudies_study.json").body)
    del bare["attributes"], bare["section"]["attributes"]
    two = {path.replace("S-TEST1", "S-TEST2"): reply for path, reply in one.items()}
    return one | two | {"/api/studies/S-TEST2": Reply(json.dumps(bare).encode())}


def test_studies_of_a_search_keep_their_own_origin(tmp_path: Path) -> None:
    table = "accession\ttitle\tlicence\nidr0001\t\t\nS-TEST2\tNuclei again\tCC0\nS-TEST1\tother\tCC0\n"
    with serving(two_studies()) as server:
        rows = fetch_studies(server, tmp_path, table, patterns="*cell_2*", max_studies=2)
    assert [(row.file, row.accession, row.title, row.licence) for row in rows] == [
        ("S-TEST1_images_cell_2.tif", "S-TEST1", "Nuclei of mitotic HeLa cells", "CC BY 4.0 (the search says CC0)"),
        ("S-TEST2_images_cell_2.tif", "S-TEST2", "Nuclei again", "CC0"),
    ]
    assert (tmp_path / "files" / f"{rows[0].file}@tiff").read_bytes() == CELLS["images/cell_2.tif"]


@pytest.mark.parametrize(
    ("own", "searched", "stated"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0"),
        ("", "CC0", "CC0"),
        ("CC0", "", "CC0"),
        ("", "", ""),
        ("CC BY-NC 4.0", "CC BY 4.0", "CC BY-NC 4.0 (the search says CC BY 4.0)"),
    ],
)
def test_a_licence_that_the_search_contradicts_is_told(own: str, searched: str, stated: str) -> None:
    assert fetching.stated_licence(own, searched) == stated


def test_as_many_studies_as_wished(tmp_path: Path) -> None:
    with serving(two_studies()) as server:
        rows = fetch_studies(server, tmp_path, "accession\nS-TEST2\nS-TEST1\n", patterns="notes.csv")
        assert [row.accession for row in rows] == ["S-TEST2"]
        assert not server.asked("/api/studies/S-TEST1")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("study\nS-TEST1\n", "no column accession"),
        ("accession\nidr0001\n../S-TEST1\n", "none of 2 is in BioStudies"),
        ("accession\n", "none of 0 is in BioStudies"),
        ("accession\nS-NONE\n", "status 404"),
    ],
)
def test_bad_tables_of_studies(tmp_path: Path, table: str, said: str) -> None:
    with serving(two_studies()) as server, pytest.raises(UserError, match=said):
        fetch_studies(server, tmp_path, table)


@given(st.text(max_size=30))
def test_no_name_leaves_the_folder(path: str) -> None:
    """Whatever a list says: it is refused, or its flat name has no separator."""
    try:
        fetching.read_file_table.__globals__["_inside"](path)
    except UserError:
        return
    name = RemoteFile(path, "").name
    assert "/" not in name
    assert name not in {"", ".", ".."}


def test_selection_does_not_depend_on_order() -> None:
    files = [RemoteFile(path, "") for path in ("b.tif", "a.tif", "c.csv")]
    chosen = [select_files(order, ["*.tif"], [], max_files=9, max_bytes=9) for order in (files, files[::-1])]
    assert chosen[0] == chosen[1]
