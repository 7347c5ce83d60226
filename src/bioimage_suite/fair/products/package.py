"""The package of a deposition: a crate with its file lists, the images, annotations and results."""

import re
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.core.texts import json_text
from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.metadata.findings_report import readable_list
from bioimage_suite.fair.metadata.image_facts import ImageFacts, is_packed_zarr
from bioimage_suite.fair.metadata.table import MetadataValue, ObjectValues, by_object
from bioimage_suite.fair.products.arc import arc_files, arc_workbooks
from bioimage_suite.fair.products.bia import FILE_LIST, bia_crate, file_list_rows
from bioimage_suite.fair.products.deposit import OPEN, Access, datacite_record, zenodo_json
from bioimage_suite.fair.products.general import general_crate
from bioimage_suite.fair.products.gide import gide_crate
from bioimage_suite.fair.products.idr import idr_files
from bioimage_suite.fair.products.pagetab import pagetab_files
from bioimage_suite.fair.products.run_provenance import RUN_PATH, WorkflowRun
from bioimage_suite.fair.products.study import ResultFile, Study
from bioimage_suite.fair.products.study_assembly import make_study, missing_fields
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR
from bioimage_suite.tables.writer import tsv_text

PRODUCTS = ("gide", "bia", "general", "idr", "arc")
# Zip knows no date before this one. A fixed date makes the same input give the same bytes.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


# The archive's list of forbidden characters is on its help page; these are certainly allowed.
_NOT_IN_PATHS = re.compile(r"[^A-Za-z0-9 _.\-/()]")
_ENDING = re.compile(r"\.(tiff?|png|jpe?g|zarr|zip|ozx|czi|nd2|lif|dv|r3d|h5)$", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """Contents of a package: texts, files, workbooks by path. `crate` is the JSON-LD document, None for IDR and ARC."""

    crate: dict[str, Any] | None
    texts: dict[str, str]
    files: dict[str, Path]
    workbooks: dict[str, bytes] = field(default_factory=dict)


def make_package(
    product: str, study: Study, accession: str = "", run: WorkflowRun | None = None, access: Access = OPEN
) -> Package:
    """Make the crate and the text files of one product; see `PRODUCTS`. `access` counts for a general package."""
    if product == "gide":
        return Package(gide_crate(study, accession, run), {}, {})
    if product == "idr":
        return Package(None, idr_files(study, accession), {})
    if product == "arc":
        return Package(None, {}, arc_files(study), arc_workbooks(study, accession))
    files = _payload(study)
    if run:
        files[RUN_PATH] = run.source
    if product == "bia":
        texts = {FILE_LIST: tsv_text(file_list_rows(study, run)), **pagetab_files(study, accession, run)}
        return Package(bia_crate(study, accession, run), texts, files)
    records = {".zenodo.json": zenodo_json(study, access), "datacite.json": datacite_record(study, access)}
    texts = {name: json_text(record) for name, record in records.items()}
    return Package(general_crate(study, run), texts, files)


def _payload(study: Study) -> dict[str, Path]:
    return {file.path: file.source for file in study.files() if file.source}


def package_path(folder: str, name: str, ending: str = "") -> str:
    """Return the path in the package of a file with this name.

    Characters that the BioImage Archive does not allow in paths become `_`; the crate keeps the name itself as label.

    Args:
        folder: Folder of the package.
        name: Display name of the file.
        ending: Suffix added to a name without one, because Galaxy's names often lack it.

    Raises:
        UserError: The name is empty or would leave the folder (`../x.tif`).
    """
    if safe_relative_path(f"{folder}/{name}") is None:
        raise UserError(f"file {name}: its name would leave the package's folder. Rename it, without '..' or '//'.")
    plain = _NOT_IN_PATHS.sub("_", name)
    return f"{folder}/{plain}" + ("" if _ENDING.search(plain) else ending)


def place_images(
    images: Sequence[ImageFacts], files: Sequence[tuple[Path, str]]
) -> list[tuple[ImageFacts, str, Path | None]]:
    """Assign each image its path in the package and its file, if there is one.

    Raises:
        UserError: Two images would have the same path.
    """
    sources = {name: path for path, name in files}
    placed: list[tuple[ImageFacts, str, Path | None]] = []
    taken: dict[str, str] = {}
    for facts in images:
        source = sources.get(facts.name)
        # Galaxy keeps the element names of a list through a conversion, so the suffix follows from the content.
        zarr = source is not None and is_packed_zarr(source) and not facts.name.casefold().endswith((".ozx", ".zip"))
        name = f"{without_suffix(facts.name)}.ozx" if zarr else facts.name
        path = package_path("images", name, ".ome.tiff" if source else "")
        if path in taken:
            raise UserError(f"images {taken[path]} and {facts.name}: both would be {path}. Rename one.")
        taken[path] = facts.name
        placed.append((facts, path, source))
    return placed


def link_results(
    files: Iterable[tuple[Path, str]],
    folder: str,
    images: Sequence[tuple[ImageFacts, str, Path | None]],
    objects: ObjectValues,
) -> list[ResultFile]:
    """Link each file to the image it was made from.

    That is the source image that the file's own row of the metadata names, else the image whose name it has or begins
    with.

    Raises:
        UserError: Two files have the same name.
    """
    by_name = {name: path for facts, path, _ in images for name in facts.names()}
    found: dict[str, ResultFile] = {}
    for source, name in files:
        path = package_path(folder, name)
        if path in found:
            raise UserError(f"file {name}: two files have this name. Rename one.")
        said = objects.own_values(ImageFacts(name)).get("annotation_file.source_image", ())
        stem = (*(value.value for value in said), *ImageFacts(name).names())
        image = next((by_name[known] for known in stem if known in by_name), "")
        found[path] = ResultFile(name, path, source, source.stat().st_size, image)
    return list(found.values())


def write_package(path: Path, package: Package) -> None:
    """Write the zip: texts first, then files without compression (images hardly shrink)."""
    texts = dict(package.texts)
    if package.crate:
        texts = {DESCRIPTOR: json_text(package.crate), **texts}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), text.encode("utf-8"), zipfile.ZIP_DEFLATED)
        for name, data in package.workbooks.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_STORED)
        for name, source in package.files.items():
            member = zipfile.ZipInfo(name, _ZIP_DATE)
            member.file_size = source.stat().st_size
            with source.open("rb") as stream, archive.open(member, "w") as target:
                shutil.copyfileobj(stream, target, 1 << 20)


def write_product(path: Path, package: Package) -> None:
    """Write a package as a zip; one that is its crate alone as that JSON-LD."""
    if package.crate and not package.texts and not package.files:
        path.write_text(json_text(package.crate), encoding="utf-8")
    else:
        write_package(path, package)


def refuse_wrong_crate(crate: dict[str, Any], profile: str) -> None:
    """Check that a crate follows its profile.

    Raises:
        UserError: It does not; the message lists the errors.
    """
    errors = [item for item in check_document(crate, "crate", profile) if item.level == "error"]
    if errors:
        raise UserError(f"crate: does not follow its profile. Mend the metadata:\n{readable_list(errors)}")


def _refuse_missing(missing: Sequence[str], product: str) -> None:
    if missing:
        lines = "\n".join(f"  - {line}" for line in missing)
        raise UserError(f"metadata: a {product} package needs more. Fill in and validate again:\n{lines}")


def read_study(
    values: Sequence[MetadataValue],
    images: Sequence[ImageFacts],
    *,
    files: Sequence[tuple[Path, str]],
    annotations: Sequence[tuple[Path, str]],
    results: Sequence[tuple[Path, str]],
    product: str,
    with_images: bool = True,
) -> Study:
    """Assemble the study after checking that every field the product needs is present.

    Args:
        values: The normalised metadata.
        images: Facts of the images.
        files: Path and name of each image file.
        annotations: The same of label maps, ROIs and tracks.
        results: The same of measurement tables and pictures.
        product: One of `PRODUCTS`.
        with_images: Whether the image files become part of the package.

    Raises:
        UserError: Fields or image files are missing; the message lists them.
    """
    _refuse_missing(missing_fields(product, values, images, bool(annotations)), product)
    placed = place_images(images, files)
    objects = by_object(values)
    made = link_results(annotations, "annotations", placed, objects)
    # MIFA requires the source image of each annotation file.
    orphan = next((file.name for file in made if not file.image), None)
    if orphan is not None:
        raise UserError(
            f"annotation {orphan}: no image has this name. Name each annotation as its image, or fill in its "
            "Source image."
        )
    if not with_images:
        placed = [(facts, path, None) for facts, path, _ in placed]
    study = make_study(values, placed, made, link_results(results, "results", placed, objects))
    without = sum(image.source is None for image in study.images)
    if product == "general" and without:
        raise UserError(
            f"images: {without:,} have no file, and a general package holds its files. Give the images themselves."
        )
    return study
