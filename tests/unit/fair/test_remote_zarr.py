"""A region of an OME-Zarr that lies on a server."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives import fetching
from bioimage_suite.fair.archives.http import Web
from bioimage_suite.fair.archives.zarr import open_remote, parse_bounds, read_image, read_region
from tests.unit.fair.archive_server import Reply, Request, Server, ranged, serving


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that wait in earnest would go on beside the next test."""
    monkeypatch.setattr("bioimage_suite.fair.archives.remote_store.time", SimpleNamespace(sleep=lambda _: None))


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


def test_a_region_is_the_same_file_each_time(zarr_image: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        with serving(serve_folder(zarr_image[0])) as server:
            fetching.fetch(region_config(server, bounds={"x": "70:100", "c": "1:2"}), tmp_path / name)
        files.append((tmp_path / name / "cells.ome.tiff@ome.tiff").read_bytes())
    assert files[0] == files[1]


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


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_overloaded_is_asked_again(
    zarr_image: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waits: list[float] = []
    # Not the function of the standard library, which other threads of this process use, too.
    monkeypatch.setattr("bioimage_suite.fair.archives.remote_store.time", SimpleNamespace(sleep=waits.append))
    calm = serve_folder(zarr_image[0])
    path = next(one for one in ("/cells.zarr/zarr.json", "/cells.zarr/.zattrs") if one in calm)
    served = calm[path]
    assert callable(served)
    replies = [Reply(status=status), Reply(status=status)]

    def busy(request: Request) -> Reply:
        return replies.pop() if replies else served(request)

    with serving({**calm, path: busy}) as server:
        rows = fetching.fetch(region_config(server), tmp_path / "out")
    assert len(rows) == 1
    assert waits == [1.0, 2.0]


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


@pytest.mark.parametrize(
    ("transformations", "size"),
    [([{"type": "scale", "scale": [2, 2]}], 1.0), ([{"type": "scale", "scale": [2, -2]}], None),
     ([{"type": "affine", "affine": []}], None)],
)  # fmt: skip
def test_the_size_of_a_pixel_is_that_of_all_its_scales(
    tmp_path: Path, transformations: list[dict[str, Any]], size: float | None
) -> None:
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.5, 0.5]}]}
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    group = zarr.open_group(tmp_path / "cells.zarr", mode="w", zarr_format=3)
    group.create_array("0", data=np.zeros((4, 4), np.uint8))
    described = {"axes": axes, "datasets": [level], "coordinateTransformations": transformations}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [described]}
    image = read_image(group, "cells.zarr")
    assert read_region(group, image, {}, 0, 1000).physical_um.get("x") == size
