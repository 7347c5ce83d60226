"""Describe images and their metadata as linked data: JSON-LD and Turtle, validated with SHACL."""

import argparse
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.fair.archives.http import base_address
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import load_images
from bioimage_suite.fair.metadata.linked_data import (
    NAMESPACES,
    SHAPES,
    Collection,
    Property,
    join_properties,
    linked_document,
    pair_row,
    value_row,
)
from bioimage_suite.fair.metadata.table import images_of, is_metadata_table, read_metadata_table
from bioimage_suite.tables.key_value_dialects import read_key_values

if TYPE_CHECKING:
    from rdflib import Graph

BATCH = 250


def read_rows(path: Path, name: str) -> tuple[list[tuple[str, str, str, Property]], list[ImageFacts]]:
    """Read metadata from the normalised table, or key-value pairs of any dialect.

    Returns:
        (object type, id, name, property) of each pair, in the file's order; and the images that the file names.

    Raises:
        UserError: The file is not a table, or it is harmful.
    """
    if is_metadata_table(path):
        values = read_metadata_table(path, name)
        return [value_row(value) for value in values], images_of(values)
    reading = read_key_values(path, name)
    named = {
        (target.id, target.name): ImageFacts(target.name or f"Image {target.id}", target.id)
        for target, _ in reading.targets
        if target.kind == "image" and target.name != "*"
    }
    return [pair_row(pair) for pair in reading.pairs], list(named.values())


def to_graph(document: dict[str, Any]) -> "Graph":
    """Read a JSON-LD document with rdflib. Its context is inline, so nothing is downloaded."""
    from rdflib import Graph

    graph = Graph()
    graph.parse(data=json.dumps(document), format="json-ld")
    return _with_prefixes(graph)


def _with_prefixes(graph: "Graph") -> "Graph":
    for prefix, address in NAMESPACES.items():
        graph.bind(prefix, address, replace=True)
    return graph


def shape_violations(graph: "Graph") -> list[str]:
    """Check a graph against the shapes that ship with this tool.

    Returns:
        One line per violation: node, property and message.
    """
    import pyshacl
    from rdflib import SH, Graph

    valid, report, _ = pyshacl.validate(graph, shacl_graph=Graph().parse(SHAPES), inference="none")
    if valid or not isinstance(report, Graph):
        return []
    return sorted(
        f"{report.value(result, SH.focusNode)} {report.value(result, SH.resultPath) or ''}: "
        f"{report.value(result, SH.resultMessage)}"
        for result in report.objects(None, SH.result)
    )


def describe(
    images: Iterable[ImageFacts],
    rows: Iterable[tuple[str, str, str, Property]],
    collection: Collection,
    base: str = "",
) -> dict[str, Any]:
    """Describe images as JSON-LD.

    Args:
        images: The images.
        rows: Properties by object, as for `linked_data.join_properties`.
        collection: Collection of the images; the rows' `study.*` fields are added to it.
        base: Address of the OMERO server, or empty.
    """
    described, study = join_properties(images, rows)
    whole = Collection(collection.name, collection.address, collection.licence, (*collection.properties, *study))
    return linked_document(described, whole, base)


def checked_turtle(document: dict[str, Any]) -> tuple[str, int]:
    """Write a document as Turtle after checking it against the shapes.

    Images are processed in batches together with the shared nodes: a graph of 10,000 images would need over 1 GB.

    Returns:
        The Turtle, and the number of statements.

    Raises:
        UserError: The document violates the shapes; the message names the first three violations.
    """
    images = [node for node in document["@graph"] if "ome:Image" in node["@type"]]
    shared = [node for node in document["@graph"] if "ome:Image" not in node["@type"]]
    common = to_graph(document | {"@graph": shared})
    pieces = [f"@prefix {prefix}: <{address}> .\n" for prefix, address in NAMESPACES.items()]
    count = 0
    for start in range(0, max(len(images), 1), BATCH):
        graph = to_graph(document | {"@graph": shared + images[start : start + BATCH]})
        violations = shape_violations(graph)
        if violations:
            first = " | ".join(violations[:3])
            raise UserError(f"linked data: {len(violations)} statements break the shapes. {first}. Mend the metadata.")
        text = (_with_prefixes(graph - common) if start else graph).serialize(format="turtle")
        # Each piece declares only the prefixes that it uses; all are already declared at the top.
        pieces.append(re.sub(r"\A(?:@prefix [^\n]*\n)*", "", text))
        count += len(graph) - (len(common) if start else 0)
    return "".join(pieces), count


def main() -> None:
    """Parse the command line, read, describe, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: name, address, licence, omero_address")
    parser.add_argument("--images", type=Path, help='JSON list of {"path", "name"} of OME-TIFF images')
    parser.add_argument("--image-table", type=Path, help="object table (image_id or image_name)")
    parser.add_argument("--metadata", type=Path, help="table of validate_metadata, or key-values of any dialect")
    parser.add_argument("--metadata-name", default="metadata")
    parser.add_argument("--json-ld", type=Path, required=True)
    parser.add_argument("--turtle", type=Path, required=True)
    args = parse_arguments(parser)
    config = json.loads(args.config.read_text(encoding="utf-8"))
    addresses = {key: base_address(config[key], key) if config.get(key) else "" for key in ("address", "omero_address")}
    rows, named = read_rows(args.metadata, args.metadata_name) if args.metadata else ([], [])
    images = load_images(args.images, args.image_table) or named
    if not images:
        raise UserError("images: there are none. Give images, a table of images, or metadata that names images.")
    collection = Collection(config.get("name") or "", addresses["address"], config.get("licence") or "")
    document = describe(images, rows, collection, addresses["omero_address"])
    turtle, count = checked_turtle(document)
    args.json_ld.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    args.turtle.write_text(turtle, encoding="utf-8")
    print(f"{len(images):,} images, {count:,} statements, valid by the shapes")


if __name__ == "__main__":
    run_tool(main)
