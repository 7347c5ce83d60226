"""Make the products of studies with values that people really have, for the archives' programs to judge: see judge.py.

    PYTHON tests/archives/odd_studies.py FOLDER

`PYTHON` is this project's. Each study goes through validate_metadata and build_crate as a user's would; its products
lie unpacked in `FOLDER/<study>/<product>/`. A tool that refuses a study ends this with its message.
"""

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from scripts.suite_files import tool_script

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "test-data" / "fair"
PARTS = ("images", "annotations", "results")
PRODUCTS = ("gide", "bia", "general", "idr", "arc")
LEAST = {
    "Study: Title": "Nuclei of cells under two made-up drugs",
    "Study: Description": "A study that never took place, with no more than what must be said.",
    "Study: Release date": "2026-01-31",
    "Study: Keywords": "nuclei",
    "Study: License": "CC0",
    "Study: Authors": "Doe, Jane",
    "Study: Author affiliations": "University of Nowhere",
    "Study: Landing page": "https://example.org/studies/nuclei",
    "Study: Publisher": "Example Archive",
    "Study component: Name": "Nuclei",
    "Study component: Description": "Nuclei of cells",
    "Biosample: Organism": "human",
    "Biosample: Biological entity": "cells",
    "Specimen: Sample preparation": "Fixed",
    "Image acquisition: Imaging method": "confocal",
    "Image acquisition: Imaging instrument": "A microscope",
    "Image acquisition: Acquisition parameters": "Exposure 100 ms",
    "Annotations: Annotation overview": "Outlines of nuclei",
    "Annotations: Annotation type": "segmentation_mask",
    "Annotations: Annotation method": "Otsu",
}
ODD = {
    "Study: Title": 'Zellkerne "unter" <b>Wirkstoff</b> µ & 核, a=1; with: signs',
    "Study: Description": 'Größe ≥ 3 µm; it\'s 100 % "quoted", a\\b, {c}, <d>, &amp; and a tab\tand\nlines.',
    "Study: Keywords": "Ångström; 核; a, b; C++ & #1; nuclei",
    "Study: License": "creativecommons.org/licenses/by-nc/4.0/legalcode",
    "Study: Authors": "van der Berg, Jan; Müller-Lüdenscheidt, Zoë; Wang, Wei; Wang, Wei; 李, 明; O'Neill, Siobhán M.;"
    " Roe, John, Jr.; Nowhere Consortium; Plato",
    "Study: Author ORCIDs": "",
    "Study: Author affiliations": "Uni A; Universität Ä; Uni A, Dept. (1); Uni B; 北京大学; -; Uni A; -; Uni A",
    "Study: Author e-mails": "jan@example.org; -; w@example.org; -; -; -; -; -; -",
    "Study: Affiliation RORs": "https://ror.org/042nb2s44; -; -; -; -; -; -; -; -",
    "Study: Grants": "10.13039/501100000780::283595; R01-NS1, National Institutes of Health; ERC-2020; 1/2 (#3), A & B",
    "Study: Funding statement": 'Paid by "friends" & <others>',
    "Study: Publication DOI": "https://doi.org/10.1002/(SICI)1097-0258(19980815/30)17:15/16<1661::AID-SIM968>3.0.CO;2-2",
    "Study: Publication title": "Über Kerne: <i>in vivo</i> & 100 %",
    "Study: Acknowledgements": "Dank an Ä, Ö & ß",
    "Study component: Name": 'Kerne / "A" (1) #2 & 核',
    "Study component: Description": "-1+1 cells @home",
    "Biosample: Title": "Probe #1 / Ä",
    "Biosample: Organism": "Mus musculus (C57BL/6); Homo sapiens (human)",
    "Biosample: Biological entity": "liver",
    "Biosample: Cell line": "U2OS; HaCaT",
    "Biosample: Intrinsic variables": "GFP::LamB1; p53 −/−",
    "Biosample: Extrinsic variables": "10 µM Ångström-drug; 37 °C",
    "Specimen: Channel content": "DAPI; GFP; α-tubulin",
    "Specimen: Channel biological entity": "nucleus",
    "Specimen: Growth protocol": "DMEM + 10 % FBS",
    "Image acquisition: Imaging method": "CLEM; SEM; widefield",
    "Image acquisition: Temperature": "37 °C",
    "Image acquisition: Acquisition date": "2025-12-24",
    "Image data: Pixel size X": "0,65 µm",
    "Image data: Processing method": "none",
    "Image correlation: Spatial and temporal alignment": "by hand",
    "Image correlation: Fiducials used": "beads",
    "Image correlation: Transformation matrix": "[[1, 0], [0, 1]]",
    "Analyzed data: Analysis overview": "counted",
    "Free key (with) signs: é": "a value; with signs",
}
PLATE = {"Plate": "Plate 1", "Gene Symbol": "BRCA1", "Screen Type": "primary screen"}
NAMES = {"odd": ("Zellen Ä (1) #2.ome.tiff", "b & c [0].ome.tiff")}


def _rows(name: str) -> tuple[list[dict[str, str]], tuple[str, str]]:
    images = NAMES.get(name, ("cells_a.ome.tiff", "cells_b.ome.tiff"))
    everything = {"image": "*", **LEAST, **(ODD if name in {"odd", "odd plate"} else {})}
    own = [{"image": image, **PLATE, "Well": well} for image, well in zip(images, ("A1", "P24"), strict=True)]
    if "plate" not in name:
        own = [{"image": image} for image in images]
    return [everything, *own], images


def _run(tool: str, *arguments: object) -> None:
    command = [sys.executable, str(tool_script(tool)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{tool} {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")


def make(folder: Path, name: str) -> None:
    """Make all products of one study."""
    rows, images = _rows(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    header = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "filled.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *([row.get(key, "") for key in header] for row in rows)])
    files = [
        {"path": str(DATA / f"cells_{one}.ome.tiff"), "name": image} for one, image in zip("ab", images, strict=True)
    ]
    lists = {"metadata": [{"path": str(folder / "filled.csv"), "name": "filled.csv"}], "images": files}
    lists |= {"annotations": files[:1], "results": [{"path": str(DATA / "image_table.tsv"), "name": "table.tsv"}]}
    for key, value in lists.items():
        (folder / f"{key}.json").write_text(json.dumps(value), encoding="utf-8")
    table, findings = folder / "table.tsv", folder / "findings.tsv"
    reports = ("--findings", findings, "--report", folder / "report.html")
    given = ("--metadata", folder / "metadata.json", "--images", folder / "images.json", "--on-errors", "fail")
    _run("validate_metadata", *given, "--table", table, *reports)
    for product in PRODUCTS:
        package, crate = folder / f"{product}.zip", folder / product / "ro-crate-metadata.json"
        crate.parent.mkdir()
        words: list[object] = [word for key in PARTS for word in (f"--{key}", folder / f"{key}.json")]
        if product == "general":
            words += ["--croissant", crate.parent / "croissant.json"]
            words += ["--access", "embargoed", "--embargo-until", "2027-06-30"]
        words += ["--with-images", "--with-emails", "--crate", crate, "--package", package]
        _run("build_crate", "--product", product, "--metadata", table, *words)
        if package.exists():
            with zipfile.ZipFile(package) as archive:
                archive.extractall(crate.parent)


if __name__ == "__main__":
    for study in ("least", "least plate", "odd", "odd plate"):
        make(Path(sys.argv[1]).resolve() / study.replace(" ", "_"), study)
        print(study)
