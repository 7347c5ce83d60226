"""isatools judges the ARC that build_crate makes: as the ISA-JSON that arctrl writes of it, without errors or loss."""

import json
from pathlib import Path
from typing import Any

from tests.peers.filled_arc import write_filled_arc

WRITE = """
import zipfile
from pathlib import Path
from arctrl import ARC, JsonController
folder = Path(sys.argv[1]).parent / "arc"
zipfile.ZipFile(sys.argv[1]).extractall(folder)
answer = json.loads(JsonController.Investigation().to_isajson_string(ARC.load(str(folder)), 2))
"""
JUDGE = """
import io, logging
from isatools import isajson
logging.disable(logging.CRITICAL)
text = open(sys.argv[1]).read()
judged = isajson.validate(io.StringIO(text))
found = isajson.load(io.StringIO(text))
study, = found.studies
answer = {
    "problems": judged["errors"] + judged["warnings"],
    "finished": judged["validation_finished"],
    "ontologies": [source.name for source in found.ontology_source_references],
    "people": [[one.last_name, one.first_name] for one in found.contacts],
    "sources": {one.name: [[kind.category.term, kind.value.term, kind.value.term_accession]
                for kind in one.characteristics] for one in study.sources},
    "samples": [one.name for one in study.samples],
    "protocols": [one.name for one in study.protocols],
    "files": [one.filename for assay in study.assays for one in assay.data_files],
    "techniques": [assay.technology_type.term for assay in study.assays],
}
"""
# arctrl leaves out lists without entries; isatools wants them, though the schema of ISA-JSON does not.
LISTS = {
    "studies": "publications people studyDesignDescriptors factors characteristicCategories unitCategories comments",
    "assays": "unitCategories characteristicCategories comments",
    "materials": "sources samples otherMaterials",
    "protocols": "parameters components",
}
NAMES = dict.fromkeys(("description", "uri", "version"), "")


def filled(investigation: dict[str, Any]) -> dict[str, Any]:
    """Add empty lists, and to the study the protocols that its assays execute: arctrl writes them there only."""
    for study in investigation["studies"]:
        parts = [(study, "studies"), *((assay, "assays") for assay in study["assays"])]
        for part, kind in parts:
            part.update({key: part.get(key, []) for key in LISTS[kind].split()})
            held = part.setdefault("materials", {})
            held.update({key: held.get(key, []) for key in LISTS["materials"].split()})
        executed = [process["executesProtocol"] for part, _ in parts for process in part["processSequence"]]
        for protocol in executed:
            if protocol["@id"] not in {one["@id"] for one in study["protocols"]}:
                study["protocols"].append(protocol)
        for protocol in study["protocols"]:
            protocol.update(NAMES | {key: protocol.get(key, []) for key in LISTS["protocols"].split()})
            protocol.setdefault("protocolType", dict.fromkeys(("annotationValue", "termSource", "termAccession"), ""))
    return {"comments": [], **investigation}


def test_isatools_accepts_the_context_and_reads_all_of_it(peer, isatools, tmp_path: Path):
    write_filled_arc(tmp_path / "arc.zip")
    (tmp_path / "isa.json").write_text(json.dumps(filled(peer(WRITE, tmp_path / "arc.zip"))))
    found = isatools(JUDGE, tmp_path / "isa.json")
    assert (found["problems"], found["finished"]) == ([], True)
    # Each ontology that a table takes a term from: isatools cannot load a term of another.
    assert found["ontologies"] == ["CLO", "FBbi", "NCBITaxon", "OBI"]
    assert found["people"] == [["Surname", "Forename"], ["Zweit", "Name"]]
    (source,) = found["sources"].values()
    assert [one for one in source if one[0] == "organism"] == [
        ["organism", "<biosample.organism>", "http://purl.obolibrary.org/obo/NCBITaxon_9606"],
        ["organism", "<second organism>", "http://purl.obolibrary.org/obo/NCBITaxon_10090"],
    ]
    assert found["samples"] == ["<biosample.title>: <specimen.title>"]
    assert found["protocols"] == ["<specimen.title>", "<acquisition.title>", "<annotation.title>"]
    assert {Path(one).name for one in found["files"]} == {"cells_a.ome.tiff", "cells_b.ome.tiff", "mask.ome.tiff"}
    assert found["techniques"][0] == "<acquisition.imaging_method>"
