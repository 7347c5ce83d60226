"""A Croissant description (MLCommons, version 1.0) of a general package, so that programs of machine learning load it.

Images and label maps are sets of files within the package's zip, for mlcroissant reads them with all their bits from
there (a TIFF outside of a zip it would scale to 8 bits; 1.1.1). Measurement tables have a field for each column. The
record set `annotated` says which annotation belongs to which image; MIFA's texts stand in Croissant's vocabulary for
responsible AI. Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from bioimage_suite.fair.products.study import AnnotationSet, ResultFile, Study
from bioimage_suite.tables.delimited import rows_as_written

_TERMS = """citeAs column equivalentProperty extract field fileProperty fileObject fileSet format includes isLiveDataset
jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source subField
transform"""
# The context that the specification prints; mlcroissant warns of any other.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS.split()},
}
_IMAGES = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_OTHERS = {".zip": "application/zip", ".ozx": "application/zip", ".json": "application/json"}
_TABLE = "text/tab-separated-values"
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|nan|[+-]?inf", re.IGNORECASE)
_FORMATS = {"http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"}


def croissant(study: Study, package: Path) -> dict[str, Any]:
    """Return the description of a package that is written.

    Args:
        study: The study that the package holds; the sources of its results are read for the types of their columns.
        package: The zip; its checksum stands in the description.
    """
    texts, annotations = study.texts, study.annotations
    names = [author.published_name for author in study.authors]
    year = texts["release_date"][:4]
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": sorted(_FORMATS) if annotations else sorted(_FORMATS)[0],
        "name": texts["title"],
        "description": texts["description"],
        "license": study.license_id,
        "url": texts["landing_page"],
        "creator": [_creator(name, author.orcid) for name, author in zip(names, study.authors, strict=True)],
        "publisher": {"@type": "sc:Organization", "name": texts["publisher"]} if texts["publisher"] else None,
        "datePublished": texts["release_date"],
        "keywords": list(study.keywords),
        "version": (annotations.version if annotations else "") or "1.0.0",
        "citeAs": f"{', '.join(names)} ({year}): {texts['title']}.",
        **(_responsible_ai(annotations) if annotations else {}),
    }
    files, records = _files_and_records(study)
    checksum = _sha256(package)
    about = {"contentUrl": _name(checksum), "encodingFormat": "application/zip", "sha256": checksum}
    whole = {**_entry("cr:FileObject", "package", _name(checksum)), **about}
    described |= {"distribution": [whole, *files], "recordSet": records}
    return {key: value for key, value in described.items() if value}


def _creator(name: str, orcid: str) -> dict[str, str]:
    return {"@type": "sc:Person", "name": name, **({"sameAs": orcid} if orcid else {})}


def package_name(package: Path) -> str:
    """Return the name that a package must have beside its description, such as `package-0f1e2d3c.zip`.

    It differs for each package: mlcroissant 1.1.1 keeps what it has unpacked by this name alone, wherever it lies, and
    would load the files of the first of two packages with one name for both (findings/mlcroissant_same_name.sh).
    """
    return _name(_sha256(package))


def _name(checksum: str) -> str:
    return f"package-{checksum[:8]}.zip"


def _sha256(package: Path) -> str:
    with package.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _entry(kind: str, identifier: str, name: str = "") -> dict[str, Any]:
    return {"@type": kind, "@id": identifier, "name": name or identifier}


def _responsible_ai(annotations: AnnotationSet) -> dict[str, Any]:
    """Return MIFA's texts in the vocabulary https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html."""
    texts = {
        "rai:dataAnnotationProtocol": [annotations.overview, annotations.method, annotations.criteria],
        "rai:dataAnnotationAnalysis": [annotations.coverage, annotations.confidence],
        "rai:annotatorDemographics": list(annotations.annotators),
        "rai:machineAnnotationTools": list(annotations.models),
        "rai:dataReleaseMaintenancePlan": [annotations.changes],
    }
    return {key: found for key, parts in texts.items() if (found := [part for part in parts if part])}


def _files_and_records(study: Study) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    made = study.annotations.files if study.annotations else ()
    files, records = _sets("images", [image.path for image in study.images])
    more_files, more_records = _sets("annotations", [file.path for file in made])
    table_files, tables = _tables([*study.results, *made])
    pairs = [(file.image, file.path) for file in made if file.image]
    return [*files, *more_files, *table_files], [*records, *more_records, *_pairs(pairs), *tables]


def _sets(name: str, paths: Iterable[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a set of files for each kind, and the records of those that are pictures: path and pixels."""
    patterns: dict[str, set[str]] = {}
    for path in paths:
        place = PurePosixPath(path)
        kind = (_IMAGES | _OTHERS).get(place.suffix.casefold())
        if kind:
            patterns.setdefault(kind, set()).add(f"{place.parent}/*{place.suffix}")
    files, records = [], []
    for kind, includes in sorted(patterns.items()):
        identifier = name if len(patterns) == 1 else f"{name}-{kind.rpartition('/')[2]}"
        about = {"containedIn": {"@id": "package"}, "encodingFormat": kind, "includes": sorted(includes)}
        files.append({**_entry("cr:FileSet", identifier), **about})
        if kind in _IMAGES.values():
            of_file = (("path", "sc:Text", "fullpath"), ("pixels", "sc:ImageObject", "content"))
            fields = [
                _field(f"records-{identifier}", field, data_type, fileSet=identifier, fileProperty=found)
                for field, data_type, found in of_file
            ]
            records.append({**_entry("cr:RecordSet", f"records-{identifier}"), "field": fields})
    return files, records


def _field(records: str, name: str, kind: str, **source: str) -> dict[str, Any]:
    field: dict[str, Any] = {**_entry("cr:Field", f"{records}/{name}", name), "dataType": kind}
    if source:
        (holder, identifier), (how, what) = source.items()
        field["source"] = {holder: {"@id": identifier}, "extract": {how: what}}
    return field


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the record set that ties each annotation file to its image."""
    if not pairs:
        return []
    fields = [_field("annotated", name, "sc:Text") for name in ("image", "annotation")]
    data = [{"annotated/image": image, "annotated/annotation": path} for image, path in pairs]
    return [{**_entry("cr:RecordSet", "annotated"), "field": fields, "data": data}]


def _tables(files: Sequence[ResultFile]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the tab-separated tables among the files, with a field for each column."""
    objects, records = [], []
    for file in files:
        columns = _columns(file.source) if file.source else {}
        if not columns:
            continue
        about = {"contentUrl": file.path, "containedIn": {"@id": "package"}, "encodingFormat": _TABLE}
        objects.append({**_entry("cr:FileObject", file.path, file.name), **about})
        identifier = f"records-{file.path}"
        fields = [_field(identifier, name, kind, fileObject=file.path, column=name) for name, kind in columns.items()]
        records.append({**_entry("cr:RecordSet", identifier), "field": fields})
    return objects, records


def _columns(path: Path) -> dict[str, str]:
    """Return the columns of a tab-separated table with their types; none for any other file."""
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if b"\0" in head or b"\t" not in head.partition(b"\n")[0]:
        return {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = rows_as_written(stream)
        header = next(rows).cells
        kinds = [_WIDER[0]] * len(header)
        for row in rows:
            for column, cell in enumerate(row.cells[: len(header)]):
                kinds[column] = max(kinds[column], _kind(cell), key=_WIDER.index)
    return {name: kind for name, kind in zip(header, kinds, strict=True) if name}


_WIDER = ("sc:Integer", "sc:Float", "sc:Text")


def _kind(cell: str) -> str:
    """Return the type of a cell; one that is empty is "not a number", which whole numbers do not have."""
    if _WHOLE.fullmatch(cell):
        return "sc:Integer"
    return "sc:Float" if not cell or _NUMBER.fullmatch(cell) else "sc:Text"
