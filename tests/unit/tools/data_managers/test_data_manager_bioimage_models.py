"""Models are fetched from a zoo on this machine, checked, and registered once; what fails leaves nothing."""

import hashlib
import json
import zipfile

import data_manager_bioimage_models
import numpy as np
import pytest
import segment_with_model
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from tests.unit.fair.archive_server import Reply, ranged, serving
from tests.unit.segmentation.model_packages import make_package
from tests.unit.segmentation.round_objects import blobs

HASHED = "onnx: {{source: weights.onnx, opset_version: 13, sha256: '{0}'}}"


def files_of(package):
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zoo_of(package, model="tiny-model"):
    """What a zoo serves: each file by itself."""
    return {f"/zoo/{model}/files/{name}": ranged(data) for name, data in files_of(package).items()}


def run(folder, server, source, known=(), **config):
    """Run the data manager; return the rows it would register."""
    folder.mkdir()
    values = {"source": source, "zoo": f"{server.address}/zoo", "zenodo": f"{server.address}/zenodo", **config}
    (folder / "config.json").write_text(json.dumps(values))
    more = [part for value in known for part in ("--known", value)]
    data_manager_bioimage_models.main(
        ["--config", f"{folder}/config.json", "--table", f"{folder}/rows", "--folder", f"{folder}/files", *more]
    )
    return json.loads((folder / "rows").read_text())["data_tables"]["bioimage_models"]


def refused(folder, server, source, message, **config):
    with pytest.raises(UserError, match=message):
        run(folder, server, source, **config)
    assert not (folder / "rows").exists()
    assert not list((folder / "files").glob("*"))


def test_a_model_by_its_id_is_registered_once_and_segments(tmp_path):
    with serving(zoo_of(make_package(tmp_path / "p.zip", more="version: 1.2.3"))) as server:
        (row,) = run(tmp_path / "one", server, "tiny-model")
        again = run(tmp_path / "two", server, " tiny-model ", known=["other", row["value"]])
        same = run(tmp_path / "three", server, f"{server.address}/zoo/tiny-model/files/rdf.yaml", zoo="")
        asked = {request.path.rpartition("/")[2] for request in server.requests}
    stored = tmp_path / "one" / "files" / row["path"]
    digits = hashlib.sha256(stored.read_bytes()).hexdigest()
    assert row == {
        "value": f"tiny-network-{digits[:12]}", "name": f"Tiny network 1.2.3 ({digits[:12]})", "version": "1.2.3",
        "sha256": digits, "path": f"tiny-network-{digits[:12]}.zip",
    }  # fmt: skip
    assert same == [row], "the same files give the same row, by whatever door"
    assert again == []
    assert not list((tmp_path / "two").glob("files/*"))
    assert asked == {"rdf.yaml", "weights.onnx", "in.npy", "out.npy"}, "covers and texts are not fetched"
    tifffile.imwrite(tmp_path / "a.tiff", blobs((64, 64), [(20, 20), (50, 50)]))
    segment_with_model.main(["--image", f"{tmp_path}/a.tiff", "--stored-model", str(stored), "--meaning", "foreground",
                             "--labels", f"{tmp_path}/labels"])  # fmt: skip
    assert len(np.unique(open_image(tmp_path / "labels").read_plane())) == 3


def test_a_package_by_its_address_is_kept_as_it_is(tmp_path):
    data = make_package(tmp_path / "p.zip").read_bytes()
    digits = hashlib.sha256(data).hexdigest()
    with serving({"/models/p.zip": ranged(data)}) as server:
        (row,) = run(tmp_path / "one", server, f"{server.address}/models/p.zip", sha256=digits.upper())
        address = f"{server.address}/models/p.zip"
        refused(tmp_path / "two", server, address, "its file list says sha256:0000", sha256="0" * 64)
        refused(tmp_path / "three", server, address, "not 64 hexadecimal digits", sha256="abc")
        refused(tmp_path / "four", server, f"{server.address}/models/q.zip", "the server has no such file")
        refused(tmp_path / "five", server, address, "the limit", max_mb=1e-3)
    assert (tmp_path / "one" / "files" / row["path"]).read_bytes() == data
    assert row["sha256"] == digits


def record_of(server, routes, package, spoil=""):
    """Zenodo's record of a model: each file with its size and MD5."""
    entries = []
    for name, data in files_of(package).items():
        url = f"{server.address}/content/{name}"
        routes[f"/content/{name}"] = ranged(data)
        checksum = "0" * 32 if name == spoil else hashlib.md5(data).hexdigest()
        entries.append({"key": name, "size": len(data), "checksum": f"md5:{checksum}", "links": {"self": url}})
    return Reply(json.dumps({"id": 12, "files": entries}).encode())


@pytest.mark.parametrize("doi", ["10.5281/zenodo.12", "https://doi.org/10.5281/zenodo.12", "doi:10.5281/ZENODO.12"])
def test_a_model_by_its_doi(doi, tmp_path):
    package = make_package(tmp_path / "p.zip")
    routes: dict[str, Reply] = {}
    with serving(routes) as server:
        routes["/zenodo/12"] = record_of(server, routes, package)
        (row,) = run(tmp_path / "one", server, doi)
        routes["/zenodo/12"] = record_of(server, routes, package, "weights.onnx")
        refused(tmp_path / "two", server, doi, "file weights.onnx: md5:.*its file list says md5:0000")
        routes["/zenodo/12"] = Reply(b'{"files": [{"key": "../rdf.yaml"}, 3]}')
        refused(tmp_path / "three", server, doi, "holds no description of a model")
    assert row["name"].startswith("Tiny network (")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("unknown-model", "model unknown-model: the zoo at http.* has none of this id"),
        ("../tiny-model", "neither an id, nor a DOI"),
        ("file:///etc/passwd", "neither an id"),
        ("10.1000/182", "only DOIs of Zenodo"),
        ("10.5281/zenodo.13", "status 404"),
        ("http://127.0.0.2:1/p.zip", "cannot be reached"),
    ],
)
def test_what_is_not_known(source, message, tmp_path):
    with serving(zoo_of(make_package(tmp_path / "p.zip"))) as server:
        refused(tmp_path / "one", server, source, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": HASHED.format("0" * 64)}, "file weights.onnx has the SHA-256 .*its description says 0000"),
        ({"spoil": ("output",)}, "does not reproduce the package's own test data"),
        ({"weights": "torchscript: {source: weights.pt, pytorch_version: 2.0}"}, "only ONNX weights run here"),
        ({"weights": "onnx: {source: '../../weights.onnx', opset_version: 13}"}, "not one of its own"),
        ({"weights": "onnx: {source: 'http://127.0.0.1/w.onnx', opset_version: 13}"}, "not one of its own"),
        (
            {"weights": "onnx: {source: other.onnx, opset_version: 13}"},
            "other.onnx: the server answers status 404",
        ),
        ({"postprocessing": "[{id: custom, source: README.md.py, callable: f, kwargs: {}}]"}, "README.md.py"),
    ],
)
def test_a_package_that_fails_is_not_registered(change, message, tmp_path):
    with serving(zoo_of(make_package(tmp_path / "p.zip", **change))) as server:
        refused(tmp_path / "one", server, "tiny-model", message)


def test_the_right_checksum_in_a_description_passes(tmp_path):
    weights = files_of(make_package(tmp_path / "first.zip"))["weights.onnx"]
    package = make_package(tmp_path / "p.zip", weights=HASHED.format(hashlib.sha256(weights).hexdigest()))
    with serving(zoo_of(package)) as server:
        assert len(run(tmp_path / "one", server, "tiny-model")) == 1


def test_a_description_of_another_name_gives_the_same_package(tmp_path):
    routes = zoo_of(make_package(tmp_path / "p.zip"), "one")
    routes |= {path.replace("/one/", "/two/").replace("rdf.yaml", "bioimageio.yaml"): at for path, at in routes.items()}
    with serving(routes) as server:
        assert run(tmp_path / "one", server, "one") == run(tmp_path / "two", server, "two")


def test_a_name_is_one_line_of_the_table(tmp_path):
    package = make_package(tmp_path / "p.zip", more='version: "1\\t2"')
    files = files_of(package)
    files["rdf.yaml"] = files["rdf.yaml"].replace(b"name: Tiny network", b"name: Tiny   (2D)_network")
    routes = {f"/zoo/m/files/{name}": ranged(data) for name, data in files.items()}
    with serving(routes) as server:
        (row,) = run(tmp_path / "one", server, "m")
    assert row["value"].startswith("tiny-2d-network-")
    assert row["name"].startswith("Tiny (2D)_network 1 2 (")
    assert not [value for value in row.values() if "\t" in value or "\n" in value]
