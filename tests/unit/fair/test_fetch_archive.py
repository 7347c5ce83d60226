"""fetch_archive against servers that serve well, break off, lie about sizes and lead astray."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fetch_archive
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives import fetching
from bioimage_suite.fair.archives.download import fetch_file
from bioimage_suite.fair.archives.files import RemoteFile, select_files
from bioimage_suite.fair.archives.http import Web
from bioimage_suite.fair.archives.zarr import open_remote, parse_bounds
from tests.unit.fair.archive_server import Reply, Request, Server, answer, ranged, serving

README = b"Nuclei, made up.\r\n\r\n"
CELLS = {
    "images/cell_1.tif": b"II*\0" + bytes(range(256)) * 40,
    "images/cell_2.tif": b"II*\0 two",
    "notes.csv": b"a,b\n",
}


def file_list(**changes: Any) -> Reply:
    rows: list[dict[str, Any]] = [
        {
            "path": path,
            "size": len(data),
            "type": "file",
            "attributes": [{"name": "MD5", "value": hashlib.md5(data).hexdigest()}],
        }
        for path, data in CELLS.items()
    ]
    rows[0] |= changes
    return Reply(json.dumps([*rows, {"path": "images", "type": "directory", "size": 0, "attributes": []}]).encode())


def archive(**changes: Any) -> dict[str, Reply | Callable[[Request], Reply]]:
    files = {f"/files/S-TEST1/{path}": ranged(data) for path, data in CELLS.items()}
    return {
        "/api/studies/S-TEST1": answer("biostudies_study.json"),
        "/files/S-TEST1/images.json": file_list(**changes),
        "/files/S-TEST1/readme.txt": ranged(README),
        **files,
    }


def fetch(server: Server, folder: Path, **config: Any) -> list[fetching.OriginRow]:
    what = {
        "kind": "accession",
        "accession": "S-TEST1",
        "address": f"{server.address}/api",
        "files_address": f"{server.address}/files",
    }
    megabytes = config.pop("max_megabytes", 10)
    return fetching.fetch({"what": what | config, "max_megabytes": megabytes}, folder)


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


def test_a_rerun_goes_on_and_a_third_fetches_nothing(tmp_path: Path) -> None:
    data = b"x" * 5000
    file_sum = "sha256:" + hashlib.sha256(data).hexdigest()
    with serving({"/a.bin": broken(data, [700] + [0] * 4)}) as server:
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
    with serving({"/a": broken(b"old" * 100, [50] + [0] * 4)}) as server:
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


# --- OME-Zarr ---


@pytest.fixture(scope="module", params=["0.4", "0.5"])
def zarr_image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A CZYX image of two levels, 2 x 3 x 256 x 256, in chunks of 64 x 64 (0.5: sharded)."""
    folder = tmp_path_factory.mktemp("zarr") / "cells.zarr"
    pixels = np.random.default_rng(1).integers(0, 60000, (2, 3, 256, 256), dtype=np.uint16)
    new = request.param == "0.5"
    group = zarr.open_group(folder, mode="w", zarr_format=3 if new else 2)
    for path, data in (("0", pixels), ("1", pixels[:, :, ::2, ::2])):
        group.create_array(path, data=data, chunks=(1, 1, 64, 64), shards=(1, 3, 128, 128) if new else None)
    axes = [{"name": "c", "type": "channel"}] + [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    levels = [
        {"path": path, "coordinateTransformations": [{"type": "scale", "scale": [1, 2.0, size, size]}]}
        for path, size in (("0", 0.25), ("1", 0.5))
    ]
    described: dict[str, Any] = {
        "multiscales": [{"name": "cells", "axes": axes, "datasets": levels, "version": request.param}],
        "omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]},
    }
    group.attrs.update({"ome": {"version": "0.5"} | described} if new else described)
    return folder, pixels


def serve_folder(folder: Path) -> dict[str, Reply | Callable[[Request], Reply]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {f"/{folder.name}/{path.relative_to(folder).as_posix()}": ranged(path.read_bytes()) for path in files}


def region_config(server: Server, **config: Any) -> dict[str, Any]:
    return {"what": {"kind": "zarr", "address": f"{server.address}/cells.zarr", **config}, "max_megabytes": 5}


def test_a_region_travels_and_not_the_image(zarr_image: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, pixels = zarr_image
    with serving(serve_folder(folder)) as server:
        bounds = {"x": "70:100", "y": "10:60", "z": "1:2", "c": "1:2"}
        rows = fetching.fetch(region_config(server, bounds=bounds, licence="CC0"), tmp_path / "out")
        metadata = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")
        chunks = [request for request in server.requests if not request.path.endswith(metadata)]
        # 0.4: the one chunk that holds the region; 0.5: the index of its shard too.
        assert len(chunks) in {1, 2}
    with tifffile.TiffFile(tmp_path / "out" / "cells.ome.tiff@ome.tiff") as tiff:
        np.testing.assert_array_equal(tiff.asarray().squeeze(), pixels[1, 1, 10:60, 70:100])
        ome = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
    assert (ome["PhysicalSizeX"], ome["PhysicalSizeZ"], ome["PhysicalSizeXUnit"]) == (0.25, 2.0, "µm")
    assert ome["Channel"]["Name"] == "GFP"
    assert rows[0].region == "level 0: c 1:2, z 1:2, y 10:60, x 70:100"
    assert rows[0].licence == "CC0"


def test_a_coarser_level_takes_the_same_place(zarr_image: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, pixels = zarr_image
    with serving(serve_folder(folder)) as server:
        rows = fetching.fetch(region_config(server, level=1, bounds={"x": "65:129", "y": "0:64"}), tmp_path)
    with tifffile.TiffFile(tmp_path / "cells.ome.tiff@ome.tiff") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), pixels[:, :, ::2, ::2][:, :, 0:32, 32:65])
        ome = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
    assert ome["PhysicalSizeX"] == 0.5
    assert [channel["Name"] for channel in ome["Channel"]] == ["DAPI", "GFP"]
    assert "x 32:65" in rows[0].region


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"bounds": {"x": "200:300"}}, "range of x 200:300: the image ends at 256"),
        ({"bounds": {"x": "256:"}}, "begins behind the image's end"),
        ({"bounds": {"t": "0:1"}}, "range of t: the image has axes c, z, y, x only"),
        ({"bounds": {"x": "9-20"}}, "not of the form first:end"),
        ({"bounds": {"x": "20:20"}}, "is empty"),
        ({"level": 2}, "level 2: the image has levels 0 to 1"),
        ({"address": "file:///etc"}, "address of the image"),
    ],
)
def test_bad_regions(zarr_image: tuple[Path, np.ndarray], tmp_path: Path, config: dict[str, Any], said: str) -> None:
    with serving(serve_folder(zarr_image[0])) as server, pytest.raises(UserError, match=said):
        fetching.fetch(region_config(server, **config), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_region_above_the_limit_is_refused_before_it_travels(
    zarr_image: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    with serving(serve_folder(zarr_image[0])) as server:
        config = region_config(server) | {"max_megabytes": 0.5}
        with pytest.raises(UserError, match="786,432 bytes, at most 500,000"):
            fetching.fetch(config, tmp_path / "out")
        assert not [request for request in server.requests if "/0/0" in request.path or "/c/" in request.path]


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({}, "no Zarr group there"),
        ({"/cells.zarr/.zgroup": Reply(b'{"zarr_format": 2}')}, "no OME-Zarr image"),
        ({"/cells.zarr/zarr.json": Reply(b"<html>")}, "cannot be read"),
        (
            {
                "/cells.zarr/zarr.json": Reply(
                    b'{"zarr_format":3,"node_type":"group","attributes":{"ome":{"plate":{}}}}'
                )
            },
            "a plate",
        ),
        ({"/cells.zarr/zarr.json": Reply(status=302, headers={"Location": "file:///etc/passwd"})}, "may be followed"),
        ({"/cells.zarr/zarr.json": Reply(status=500)}, "status 500"),
    ],
)
def test_what_is_no_image(tmp_path: Path, routes: dict[str, Reply], said: str) -> None:
    with serving(routes) as server, pytest.raises(UserError, match=said):
        fetching.fetch(region_config(server), tmp_path)


def test_huge_chunks_are_refused(tmp_path: Path) -> None:
    """A few bytes of metadata that would have us make an array of terabytes."""
    array = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [2**20, 2**20],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2**20, 2**20]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {},
    }
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}
    ome = {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [level]}]}
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    routes = {
        "/cells.zarr/zarr.json": Reply(json.dumps(group).encode()),
        "/cells.zarr/0/zarr.json": Reply(json.dumps(array).encode()),
    }
    with serving(routes) as server, pytest.raises(UserError, match="its chunks unpack to more than"):
        fetching.fetch(region_config(server, bounds={"x": "0:9", "y": "0:9"}), tmp_path)


def test_a_store_counts_what_travels(zarr_image: tuple[Path, np.ndarray]) -> None:
    with serving(serve_folder(zarr_image[0])) as server:
        address = f"{server.address}/cells.zarr"
        group = open_remote(Web((address,)), address, 40_000)
        with pytest.raises(UserError, match="longer than"):
            group["0"][:]


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_ranges_read_back(first: int, length: int) -> None:
    assert parse_bounds({"x": f"{first}:{first + length}"}) == {"x": (first, first + length)}


def test_the_command_writes_the_table(tmp_path: Path) -> None:
    with serving(archive()) as server:
        what = {
            "kind": "accession",
            "accession": "S-TEST1",
            "address": f"{server.address}/api",
            "files_address": f"{server.address}/files",
            "patterns": "*.csv",
        }
        config, table = tmp_path / "config.json", tmp_path / "provenance.tsv"
        config.write_text(json.dumps({"what": what}))
        arguments = ["--config", str(config), "--folder", str(tmp_path / "out"), "--provenance", str(table)]
        fetch_archive.main(arguments)
    lines = table.read_text().splitlines()
    assert lines[0].split("\t") == list(fetching.ORIGIN_COLUMNS)
    assert lines[1].startswith("notes.csv\tS-TEST1\tNuclei of mitotic HeLa cells\tCC BY 4.0\tJosiah Carberry")
