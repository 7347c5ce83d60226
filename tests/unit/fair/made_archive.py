"""An accession of an archive that a server on the loopback address plays."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioimage_suite.fair.archives import fetching
from tests.unit.fair.archive_server import Reply, Request, Server, answer, ranged

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
