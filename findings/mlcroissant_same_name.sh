#!/usr/bin/env bash
# mlcroissant 1.1.1: two datasets in two folders, each with its own data.zip beside its description (`contentUrl: data.zip`).
#
# Expected: each dataset gives the files of its own zip; the descriptions state different checksums (sha256).
# Seen:     what was unpacked is kept by the hash of the name `data.zip` alone, so the second dataset gives, without a word, the
#           files of the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlcroissant==1.1.1
export CROISSANT_CACHE=$folder/cache
"$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import mlcroissant

names = """citeAs column data dataType equivalentProperty examples extract field fileProperty fileObject fileSet format includes
isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source
subField transform""".split()
context = {"@language": "en", "@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/", "sc": "https://schema.org/"}
context |= {"rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo"}
context |= {name: f"cr:{name}" for name in names}
context |= {name: {"@id": f"cr:{name}", "@type": "@json"} for name in ("data", "examples")}
context |= {"dataType": {"@id": "cr:dataType", "@type": "@vocab"}}


def dataset(folder, text):
    """Write a dataset of one text file in a zip, and return its description."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        archive.writestr("a.txt", text)
    checksum = hashlib.sha256((folder / "data.zip").read_bytes()).hexdigest()
    whole = {"@type": "cr:FileObject", "@id": "whole", "name": "whole", "contentUrl": "data.zip", "sha256": checksum}
    whole["encodingFormat"] = "application/zip"
    files = {"@type": "cr:FileSet", "@id": "files", "name": "files", "containedIn": {"@id": "whole"}, "includes": "*.txt"}
    files["encodingFormat"] = "text/plain"
    field = {"@type": "cr:Field", "@id": "records/content", "name": "content", "dataType": "sc:Text"}
    field["source"] = {"fileSet": {"@id": "files"}, "extract": {"fileProperty": "content"}}
    records = {"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": [field]}
    document = {"@context": context, "@type": "sc:Dataset", "name": "d", "conformsTo": "http://mlcommons.org/croissant/1.0"}
    document |= {"distribution": [whole, files], "recordSet": [records]}
    (folder / "croissant.json").write_text(json.dumps(document))
    return folder / "croissant.json"


seen = []
for text in ("first", "second"):
    made = dataset(Path(sys.argv[1]) / text, text)
    record = next(iter(mlcroissant.Dataset(made).records("records")))["records/content"]
    seen.append(record.decode() if isinstance(record, bytes) else record)
print(f"what the two datasets gave: {seen}")
if seen != ["first", "first"]:
    raise SystemExit("the behaviour changed")
print("as described: the second dataset gave the file of the first")
PYTHON
