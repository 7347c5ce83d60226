"""Make the files of this folder that are not typed by hand: images, crates, a workflow run, the normalised table.

Run from the repository's root: `.venv/tools/bin/python test-data/fair/make_files.py`.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import tifffile

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "tools" / "fair"
NAMES = ("cells_a.ome.tiff", "cells_b.ome.tiff")
OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{instrument}
<Image ID="Image:0" Name="{name}"><AcquisitionDate>2026-01-15T10:00:00</AcquisitionDate>{settings}
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="16" SizeY="16" SizeC="2" SizeZ="1" SizeT="1"
 PhysicalSizeX="0.65" PhysicalSizeXUnit="µm" PhysicalSizeY="0.65" PhysicalSizeYUnit="µm">
<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" EmissionWavelength="460"/>
<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="2"/></Pixels></Image></OME>"""
INSTRUMENT = """
<Instrument ID="Instrument:0"><Microscope Manufacturer="Made-up" Model="M1"/>
<Objective ID="Objective:0" Manufacturer="Made-up" Model="20x" LensNA="0.8" NominalMagnification="20" Immersion="Air"/>
<Objective ID="Objective:1" Manufacturer="Made-up" Model="63x" Immersion="Oil"/></Instrument>"""


def write_images() -> None:
    """Two images; only the first says which instrument took it."""
    for letter, instrument in (("a", INSTRUMENT), ("b", "")):
        name = f"cells_{letter}.ome.tiff"
        settings = '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>' if instrument else ""
        xml = OME.format(instrument=instrument, name=name, settings=settings)
        pixels = np.arange(512, dtype=np.uint16).reshape(2, 16, 16)
        tifffile.imwrite(HERE / name, pixels, description=xml.encode("utf-8"), metadata=None, photometric="minisblack")


def write_workflow_run() -> None:
    """The crate of a run that read both images, by name, and made a label map, which it holds, named as Galaxy does."""
    profiles = [f"https://w3id.org/ro/wfrun/{name}/0.5" for name in ("process", "workflow")]
    profiles.append("https://w3id.org/workflowhub/workflow-ro-crate/1.0")
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": "Run of a made-up workflow",
            "description": "A run that never took place",
            "datePublished": "2026-01-20",
            "license": {"@id": "https://creativecommons.org/publicdomain/zero/1.0/"},
            "hasPart": [{"@id": "nuclei.ga"}, {"@id": "datasets/labels_1.tiff"}],
            "conformsTo": [{"@id": profile} for profile in profiles],
            "mainEntity": {"@id": "nuclei.ga"},
            "mentions": {"@id": "#run"},
        },
        {
            "@id": "nuclei.ga",
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "Find nuclei",
            "url": "https://example.org/workflows/nuclei",
            "programmingLanguage": {"@id": "#galaxy"},
        },
        {"@id": "#galaxy", "@type": "ComputerLanguage", "name": "Galaxy", "url": "https://galaxyproject.org/"},
        *({"@id": profile, "@type": "CreativeWork", "name": profile} for profile in profiles),
        {
            "@id": "#run",
            "@type": "CreateAction",
            "instrument": {"@id": "nuclei.ga"},
            "object": [{"@id": "#images"}],
            "result": [{"@id": "datasets/labels_1.tiff"}],
            "startTime": "2026-01-20T10:00:00Z",
            "endTime": "2026-01-20T10:05:00Z",
        },
        {"@id": "#images", "@type": "Collection", "name": "Images", "hasPart": [{"@id": f"#{n}"} for n in NAMES]},
        *({"@id": f"#{name}", "@type": "File", "name": name} for name in NAMES),
        {"@id": "datasets/labels_1.tiff", "@type": "File", "name": "Labels on data 2"},
    ]
    document = json.dumps({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}, indent=1)
    with zipfile.ZipFile(HERE / "workflow_run.crate.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("ro-crate-metadata.json"), document)
        archive.writestr(zipfile.ZipInfo("nuclei.ga"), "{}")
        archive.writestr(zipfile.ZipInfo("datasets/labels_1.tiff"), (HERE / NAMES[0]).read_bytes())


def write_table_and_crates() -> None:
    """Validate the template, build the GIDE crate from it, and make a misspelt and a broken copy."""
    lists = {"images": NAMES, "template": ["template_rembi.csv"]}
    for title, files in lists.items():
        text = json.dumps([{"path": str(HERE / name), "name": name} for name in files])
        (HERE / f"{title}.json").write_text(text)
    images, table, crate = HERE / "images.json", HERE / "metadata.tsv", HERE / "gide_good.jsonld"
    reports = [
        "--findings",
        HERE / "findings.tmp",
        "--report",
        HERE / "report.tmp",
        "--scopes",
        "study,biosample,acquisition,annotation",
    ]
    _run("validate_metadata", "--metadata", HERE / "template.json", "--images", images, "--table", table, *reports)
    _run("build_crate", "--product", "gide", "--metadata", table, "--images", images, "--crate", crate)
    text = crate.read_text(encoding="utf-8")
    misspelt = text.replace("QuantitativeValue", "QuantitiveValue").replace(
        "http://www.w3.org/2000/01/rdf-schema#seeAlso", "rdf:seeAlso"
    )
    misspelt = misspelt.replace("http://purl.obolibrary.org/obo/NCBITaxon", "obo:NCBITaxon")
    misspelt = misspelt.replace('"ro-crate-metadata.json"', '"X-1-ro-crate-metadata.json"')
    misspelt = misspelt.replace('"@type": "Organization"', '"@type": "Organisation",\n   "keywords": []')
    (HERE / "gide_misspelt.jsonld").write_text(misspelt, encoding="utf-8")
    document = json.loads(text)
    for entity in document["@graph"]:
        entity.pop("license", None)
    (HERE / "gide_broken.jsonld").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for name in (*(f"{title}.json" for title in lists), "findings.tmp", "report.tmp"):
        (HERE / name).unlink()


def _run(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, str(TOOLS / script / f"{script}.py"), *map(str, arguments)], check=True)


if __name__ == "__main__":
    write_images()
    write_workflow_run()
    write_table_and_crates()
