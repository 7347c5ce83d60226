"""Let an archive's own program judge a product of build_crate, without the network: see docs/product-verdicts.md.

    python3.13 tests/archives/judge.py PROGRAM FILE_OR_FOLDER --checkout DIR [--contexts DIR]

It runs in the program's own environment (Python 3.13), not in this project's, and imports nothing of it. `--checkout`
is a checkout of the program's repository; `--contexts` a folder with RO-Crate's contexts as `1.1.jsonld`, `1.2.jsonld`.
Exit code 0: accepted; 1: refused, with the program's words.
"""

import argparse
import io
import json
import logging
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any


def answer_contexts(folder: Path) -> None:
    """Answer requests for RO-Crate's contexts, and those of ro-terms, from a folder, and refuse all others."""
    import email.message
    import urllib.response

    import rdflib._networking
    import rdflib.parser
    import requests
    from requests.adapters import BaseAdapter, HTTPAdapter
    from urllib3.response import HTTPResponse

    def context(url: str) -> bytes:
        named = re.search(r"/ro/(?:crate/([\d.]+)/context|(terms/[\w-]+))", url)
        file = folder / f"{named[1] or named[2]}.jsonld" if named else None
        if file is None or not file.is_file():
            raise OSError(f"{url}: the network is not used")
        return file.read_bytes()

    class Shipped(BaseAdapter):
        def send(self, request: Any, *_args: Any, **_kwargs: Any) -> Any:
            headers = {"Content-Type": "application/ld+json"}
            body = HTTPResponse(
                body=io.BytesIO(context(request.url)), headers=headers, status=200, preload_content=False
            )
            return HTTPAdapter().build_response(request, body)

        def close(self) -> None:
            pass

    def opened(request: Any, *_args: Any) -> Any:
        url = getattr(request, "full_url", request)
        headers = email.message.Message()
        headers["Content-Type"] = "application/ld+json"
        return urllib.response.addinfourl(io.BytesIO(context(url)), headers, url, 200)

    for module in (rdflib.parser, rdflib._networking):
        vars(module)["_urlopen"] = opened
    setattr(requests.Session, "get_adapter", lambda *_args, **_kwargs: Shipped())  # noqa: B010 - mypy


def bia(folder: Path, _checkout: Path) -> list[str]:
    """Validate an unpacked crate with bia-ro-crate-validator (PyPI)."""
    from bia_ro_crate.validator import bia_roc_validation

    if not (folder / "ro-crate-metadata.json").is_file():
        return ["no crate: the program would find nothing wrong with it"]
    issues = bia_roc_validation(folder, "report")["issues"]
    return [str(issue) for issue in issues["ERROR"]]


def gide(file: Path, checkout: Path) -> list[str]:
    """Transform a crate to an entry of GIDE's search; labels of terms are not looked up."""
    from pyld import jsonld

    resources = checkout / "resources/rocrate/example-target-detached-rocrate-v0.2/gide-search-context.jsonld"
    load = jsonld.requests_document_loader()

    def loader(url: str, options: Any = None) -> Any:
        if "gide" not in url:
            return load(url, options or {})
        document = json.loads(resources.read_text(encoding="utf-8"))
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}

    jsonld.set_document_loader(loader)
    finder = types.ModuleType("gide_search.utils.ontology_term_finder")
    vars(finder)["OntologyTermFinder"] = type("Finder", (), {"fetch_label_by_iri": lambda *_: None})
    # The package's own start imports the client of a search server.
    package = types.ModuleType("gide_search.transformers")
    package.__path__ = [str(checkout / "src/gide_search/transformers")]
    sys.modules |= {finder.__name__: finder, package.__name__: package}
    sys.path.insert(0, str(checkout / "src"))
    from gide_search.transformers.rocrate_to_index import ROCrateIndexTransformer

    ROCrateIndexTransformer().transform(json.loads(file.read_text(encoding="utf-8")))
    return []


def pagetab(folder: Path, checkout: Path) -> list[str]:
    """Convert PageTab of an unpacked package to the archive's crate, refusing sections that it does not know."""
    for part in ("ro-crate-ingest", "bia-ro-crate", "bia-shared-datamodels/src", "clients/python", "persistence"):
        sys.path.insert(0, str(checkout / part))
    import ro_crate_ingest.biostudies_to_ro_crate.biostudies_conversion as conversion
    import ro_crate_ingest.biostudies_to_ro_crate.file_list_generator as lists
    from pydantic import TypeAdapter
    from ro_crate_ingest.biostudies_to_ro_crate.biostudies.submission_api import File, Submission

    document = json.loads((folder / "pagetab.json").read_text(encoding="utf-8"))
    # BioStudies gives an accession when it takes a submission; the reader reads it after that.
    document.setdefault("accno", "S-BIAD0")
    conversion.load_submission = lambda _accession: Submission.model_validate(document)
    lists.load_filelist = lambda _accession, name: TypeAdapter(list[File]).validate_json((folder / name).read_text())
    with tempfile.TemporaryDirectory() as made:
        conversion.convert_biostudies_to_ro_crate(document["accno"], Path(made), True)
        written = [path for path in Path(made).rglob("*") if path.is_file()]
    return [] if written else ["nothing was written"]


def idr(file: Path, checkout: Path) -> list[str]:
    """Parse a study file with IDR's StudyParser, which refuses keys that it does not know (`--strict`)."""
    sys.path.insert(0, str(checkout))
    from pyidr.study_parser import main

    main(["--strict", str(file)])
    return []


def datacite(file: Path, checkout: Path) -> list[str]:
    """Judge a record by DataCite's own schema of version 4.6, on the XML of the package datacite (it writes 4.5).

    The DOI, which the repository gives, is added. `checkout` is of datacite/schema.
    """
    from datacite import schema45
    from lxml import etree

    record = {"doi": "10.5072/example", **json.loads(file.read_text(encoding="utf-8"))}
    rules = etree.XMLSchema(etree.parse(checkout / "source/meta/kernel-4.6/metadata.xsd"))
    rules.validate(etree.fromstring(schema45.tostring(record).encode()))
    return [str(error) for error in rules.error_log]


def zenodo(file: Path, checkout: Path) -> list[str]:
    """Judge `.zenodo.json` by the schema of Zenodo's deposits. `checkout` is of zenodo/zenodo."""
    import jsonschema

    schema = checkout / "zenodo/modules/deposit/jsonschemas/deposits/records/legacyrecord.json"
    rules = jsonschema.Draft4Validator(json.loads(schema.read_text(encoding="utf-8")))
    record = json.loads(file.read_text(encoding="utf-8"))
    return [f"{error.json_path}: {error.message}" for error in rules.iter_errors(record)]


PROGRAMS = {judge.__name__: judge for judge in (bia, gide, pagetab, idr, datacite, zenodo)}


def main() -> int:
    """Run one program and print its verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("path", type=Path)
    parser.add_argument("--checkout", type=Path, default=Path())
    parser.add_argument("--contexts", type=Path)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if args.contexts:
        answer_contexts(args.contexts)
    try:
        errors = PROGRAMS[args.program](args.path.resolve(), args.checkout.resolve())
    except Exception as error:  # the program's own way to refuse
        errors = [f"{type(error).__name__}: {str(error)[:300]}"]
    print("accepted" if not errors else "refused\n" + "\n".join(errors))
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
