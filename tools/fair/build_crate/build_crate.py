"""Build a deposition-ready crate and its file lists from validated metadata, images, annotations and results."""

import argparse
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates.bia import FILE_LIST, bia_crate, file_list_rows
from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.crates.general import general_crate, zenodo_json
from bioimage_suite.fair.crates.gide import gide_crate
from bioimage_suite.fair.crates.package_files import (
    annotation_list,
    file_list_json,
    file_list_tsv,
    idr_file_paths,
    idr_library,
    idr_study,
    image_list,
    is_screen,
    pagetab,
    pagetab_tsv,
    tsv,
)
from bioimage_suite.fair.crates.run_provenance import RUN_PATH, WorkflowRun, read_workflow_run
from bioimage_suite.fair.crates.study import ResultFile, Study, make_study, missing_fields
from bioimage_suite.fair.crates.terms import DESCRIPTOR
from bioimage_suite.fair.metadata.findings_report import readable_list
from bioimage_suite.fair.metadata.image_facts import ImageFacts, is_packed_zarr, without_suffix
from bioimage_suite.fair.metadata.image_list import load_images, read_file_list
from bioimage_suite.fair.metadata.table import MetadataValue, by_object, images_of, read_metadata_table

PRODUCTS = ("gide", "bia", "general", "idr")
# Zip knows no date before this one. A fixed date makes the same input give the same bytes.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


# The archive's list of forbidden characters is on its help page; these are certainly allowed.
_NOT_IN_PATHS = re.compile(r"[^A-Za-z0-9 _.\-/()]")
_ENDING = re.compile(r"\.(tiff?|png|jpe?g|zarr|zip|ozx|czi|nd2|lif|dv|r3d|h5)$", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """Contents of a package: texts and files by path. `crate` is the JSON-LD document, None for IDR."""

    crate: dict[str, Any] | None
    texts: dict[str, str]
    files: dict[str, Path]


def make_package(product: str, study: Study, accession: str = "", run: WorkflowRun | None = None) -> Package:
    """Make the crate and the text files of one product; see `PRODUCTS`."""
    if product == "gide":
        return Package(gide_crate(study, accession), {}, {})
    if product == "idr":
        name = accession or "idr0000"
        library = "screenA/{}-screenA-library.txt" if is_screen(study) else "experimentA/{}-experimentA-assays.txt"
        paths = library.rsplit("-", 1)[0] + "-filePaths.tsv"
        texts = {
            f"{name}-study.txt": idr_study(study, accession),
            library.format(name): idr_library(study),
            paths.format(name): idr_file_paths(study),
        }
        return Package(None, texts, {})
    files = _payload(study)
    if product == "bia":
        return Package(bia_crate(study, accession), _bia_texts(study, accession), files)
    if run:
        files[RUN_PATH] = run.source
    texts = {".zenodo.json": _json(zenodo_json(study))}
    return Package(general_crate(study, run), texts, files)


def _payload(study: Study) -> dict[str, Path]:
    listed = [*study.images, *study.results, *(study.annotations.files if study.annotations else ())]
    return {file.path: file.source for file in listed if file.source}


def _bia_texts(study: Study, accession: str) -> dict[str, str]:
    lists: list[tuple[str, str]] = []
    texts = {FILE_LIST: tsv(file_list_rows(study))}
    for number, component in enumerate(study.components(), 1):
        rows = image_list([image for image in study.images if image.component == component])
        lists.append((component.name, f"file_lists/component_{number}.tsv"))
        texts[lists[-1][1]] = file_list_tsv(rows)
        texts[f"file_lists/component_{number}.json"] = file_list_json(rows)
    if study.annotations:
        rows = annotation_list(study.annotations.files)
        lists.append((study.annotations.title, "file_lists/annotations.tsv"))
        texts["file_lists/annotations.tsv"] = file_list_tsv(rows)
        texts["file_lists/annotations.json"] = file_list_json(rows)
    document = pagetab(study, lists, accession)
    return {**texts, "pagetab.json": _json(document), "pagetab.tsv": pagetab_tsv(document)}


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


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
    files: Iterable[tuple[Path, str]], folder: str, images: Sequence[tuple[ImageFacts, str, Path | None]]
) -> list[ResultFile]:
    """Link each file to the image it was made from: the image whose name it has or begins with.

    Raises:
        UserError: Two files have the same name.
    """
    by_name = {name: path for facts, path, _ in images for name in facts.names()}
    found: dict[str, ResultFile] = {}
    for source, name in files:
        path = package_path(folder, name)
        if path in found:
            raise UserError(f"file {name}: two files have this name. Rename one.")
        stem = ImageFacts(name).names()
        image = next((by_name[known] for known in stem if known in by_name), "")
        found[path] = ResultFile(name, path, source, source.stat().st_size, image)
    return list(found.values())


def write_package(path: Path, package: Package) -> None:
    """Write the zip: texts first, then files without compression (images hardly shrink).

    Raises:
        UserError: A file cannot be read; no partial zip is left.
    """
    part = path.with_name(path.name + ".part")
    texts = dict(package.texts)
    if package.crate:
        texts = {DESCRIPTOR: _json(package.crate), **texts}
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, text in texts.items():
                member = zipfile.ZipInfo(name, _ZIP_DATE)
                archive.writestr(member, text.encode("utf-8"), zipfile.ZIP_DEFLATED)
            for name, source in package.files.items():
                member = zipfile.ZipInfo(name, _ZIP_DATE)
                member.file_size = source.stat().st_size
                with source.open("rb") as stream, archive.open(member, "w") as target:
                    while block := stream.read(1 << 20):
                        target.write(block)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_study(
    values: Sequence[MetadataValue],
    images: Sequence[ImageFacts],
    *,
    files: Sequence[tuple[Path, str]],
    annotations: Sequence[tuple[Path, str]],
    results: Sequence[tuple[Path, str]],
    product: str,
) -> Study:
    """Assemble the study after checking that every field the product needs is present.

    Raises:
        UserError: Fields are missing; the message lists them.
    """
    missing = missing_fields(product, values, images, bool(annotations))
    if missing:
        lines = "\n".join(f"  - {line}" for line in missing)
        raise UserError(f"metadata: a {product} package needs more. Fill in and validate again:\n{lines}")
    placed = place_images(images, files)
    made = link_results(annotations, "annotations", placed)
    # MIFA requires the source image of each annotation file.
    orphan = next((file.name for file in made if not file.image), None)
    if orphan is not None:
        raise UserError(f"annotation {orphan}: no image has this name. Name each annotation as its image.")
    return make_study(values, placed, made, link_results(results, "results", placed))


def main() -> int:
    """Parse the command line, read, build, check, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", choices=PRODUCTS, required=True)
    parser.add_argument("--metadata", type=Path, required=True, help="normalised table of validate_metadata")
    parser.add_argument("--images", type=Path, help='JSON list of {"path", "name"} of OME-TIFF or OME-Zarr images')
    parser.add_argument("--image-table", type=Path, help="tabular file of images (image_id or image_name)")
    parser.add_argument("--annotations", type=Path, help='JSON list of {"path", "name"}: label maps, ROIs, tracks')
    parser.add_argument("--results", type=Path, help='JSON list of {"path", "name"}: measurement tables, pictures')
    parser.add_argument("--workflow-run", type=Path, help="Workflow Run Crate (zip)")
    parser.add_argument("--accession", default="")
    parser.add_argument("--with-images", action="store_true", help="pack the image files too")
    parser.add_argument("--crate", type=Path, help="JSON-LD to write (gide)")
    parser.add_argument("--package", type=Path, help="zip to write (bia, general, idr)")
    args = parser.parse_args()
    values = read_metadata_table(args.metadata, "metadata")
    images = load_images(args.images, args.image_table) or images_of(values)
    if not images and by_object(values).shared:
        raise UserError("images: there are none. Give images, a table of images, or metadata that names images.")
    files = read_file_list(args.images) if args.images else []
    annotations = read_file_list(args.annotations) if args.annotations else []
    results = read_file_list(args.results) if args.results else []
    study = read_study(values, images, files=files, annotations=annotations, results=results, product=args.product)
    if args.product == "bia" and not args.with_images:
        study = replace(study, images=tuple(replace(image, source=None) for image in study.images))
    without = sum(image.source is None for image in study.images)
    if args.product == "general" and without:
        raise UserError(
            f"images: {without:,} have no file, and a general package holds its files. Give the images themselves."
        )
    run = read_workflow_run(args.workflow_run, "workflow run") if args.workflow_run else None
    package = make_package(args.product, study, args.accession, run)
    if package.crate:
        problems = [item for item in check_document(package.crate, "crate", args.product) if item.level == "error"]
        if problems:
            raise UserError(f"crate: does not follow its profile. Mend the metadata:\n{readable_list(problems)}")
    if args.product == "gide":
        args.crate.write_text(_json(package.crate), encoding="utf-8")
    else:
        write_package(args.package, package)
    print(f"{len(study.images):,} images, {len(package.texts):,} text files, {len(package.files):,} files packed")
    return 0


if __name__ == "__main__":
    run_tool(main)
