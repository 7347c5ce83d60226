"""A public archive as the workflow tests find it: one made-up study with real images, on a free port of 127.0.0.1.

It stands for GIDE and BioStudies, which cannot be reached from a test. Its answers have their documented shapes.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.unit.fair.archive_server import Reply, Request, answer, ranged, serving

TEST_DATA = Path(__file__).resolve().parents[2] / "test-data"
STUDY = "S-TEST1"
IMAGES = ("nuclei_upper_left.ome.tiff", "nuclei_upper_right.ome.tiff")


@contextmanager
def serving_archive() -> Iterator[str]:
    """Serve GIDE's search under `/gide`, BioStudies' API under `/api`, its files under `/files`, a zoo under `/zoo`.

    Yields:
        `host:port`.
    """
    files = {f"images/{name}": (TEST_DATA / name).read_bytes() for name in IMAGES}
    listed = [
        {
            "path": path,
            "size": len(data),
            "type": "file",
            "attributes": [{"name": "md5", "value": hashlib.md5(data).hexdigest()}],
        }
        for path, data in files.items()
    ]
    routes: dict[str, Reply | Callable[[Request], Reply]] = {
        "/gide/search": Reply(json.dumps(_only_our_study()).encode()),
        "/api/BioImages/search": answer("biostudies_search.json"),
        f"/api/studies/{STUDY}": answer("biostudies_study.json"),
        f"/files/{STUDY}/images.json": Reply(json.dumps(listed).encode()),
        f"/files/{STUDY}/readme.txt": Reply(b"Nuclei, made up.\r\n\r\n"),
        **{f"/files/{STUDY}/{path}": ranged(data) for path, data in files.items()},
        **{f"/zoo/tiny-model/files/{name}": ranged(data) for name, data in _model_files().items()},
    }
    with serving(routes) as server:
        yield urlsplit(server.address).netloc


def _model_files() -> dict[str, bytes]:
    with zipfile.ZipFile(TEST_DATA / "tiny_model.zip") as package:
        return {name: package.read(name) for name in package.namelist()}


def _only_our_study() -> dict[str, object]:
    found: dict[str, Any] = json.loads(answer("gide_search.json").body)
    hits = [hit for hit in found["hits"] if hit["entry"]["identifier"] == STUDY]
    return found | {"total": len(hits), "hits": hits}
