"""Make the tables of terms that the package ships, from the ontologies' own files.

    python -m venv terms && terms/bin/pip install --requirement requirements/terms.txt
    terms/bin/python -m scripts.term_tables SOURCES

SOURCES is a folder with the files that `SOURCES` below names; those of packages are taken from the packages. What
people write and no ontology has, and which cell lines, organisms and structures are listed, stands in
`scripts/term_lists/` and is changed there, not in the tables. The same files give the same tables.
"""

import argparse
import csv
import gzip
import io
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from bioimage_suite.fair.terms.ontology_terms import table_name
from scripts.ontology_files import (
    EXACT,
    RELATED,
    OntologyTerm,
    descendants,
    read_guide,
    read_obo,
    read_owl,
    read_workbook,
    taxon_names,
)
from scripts.suite_files import ROOT

SOURCES = {
    "fbbi-edit.owl": "https://github.com/foundingGIDE/fbbi, src/ontology/fbbi-edit.owl",
    "cl-edit.owl": "https://github.com/obophenotype/cell-ontology, src/ontology/cl-edit.owl",
    "clo_terms.xlsx": "https://github.com/CLO-ontology/CLO, docs/developer/2023_designPattern/clo_terms.xlsx",
    "go-basic.obo": "http://purl.obolibrary.org/obo/go/go-basic.obo",
}
UBERON = "UBERON-ontology-v2026-04-01.json.zst"
LISTS = ROOT / "scripts/term_lists"
TERMS = ROOT / "src/bioimage_suite/fair/terms"
TABLES = TERMS / "term_tables"
COLUMNS = ("id", "label", "synonyms", "narrower", "status")
METHODS = ("FBbi:00000222", "FBbi:00000345", "FBbi:00000321", "FBbi:00001001", "FBbi:00001002")
"""Imaging method, light microscopy, resolution-enhancing method, X-ray radiography and computed tomography: forms offer
these and what is below them. The other branches of FBbi are labels, preparations and detectors."""
_NUMBERED = re.compile(r"RCB\d+ cell")


@dataclass(frozen=True)
class OwnTerm:
    """What this project adds to an ontology: a text, and what it is to the term `id`.

    Attributes:
        table: Name of the table.
        text: What people write.
        relation: `same` as the term, `narrower` than it (the ontology has no closer term), `successor`: the text is an
            obsolete id without a successor of its own, or `none`: the ontology has no term, and `note` says what to
            write instead.
        id: The term's id, or empty.
        note: For people.
    """

    table: str
    text: str
    relation: str
    id: str
    note: str


def listed(name: str) -> list[dict[str, str]]:
    """Read a list of `scripts/term_lists/`."""
    with (LISTS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def own_terms(table: str) -> list[OwnTerm]:
    """Return what this project adds to a table."""
    return [own for own in (OwnTerm(**row) for row in listed("own_terms.tsv")) if own.table == table]


def squeezed(name: str) -> str:
    """Return a name without case, blanks and punctuation but `+`, by which CLO's spellings are compared."""
    return re.sub(r"[^\w+]|_", "", name.casefold())


def table_rows(
    terms: Iterable[OntologyTerm], own: Iterable[OwnTerm], apart: Container[str] = ()
) -> list[tuple[str, ...]]:
    """Return the rows of a table, by id: the terms, with the texts that this project adds.

    Args:
        terms: The terms.
        own: What this project adds.
        apart: Ids of current terms that forms do not offer; they are found when someone writes them.

    Raises:
        ValueError: An added text names a term that the table does not have.
    """
    by_id = {term.id: term for term in terms}
    own = list(own)
    by_id |= {one.text: OntologyTerm(one.text, "", (), True, one.id) for one in own if one.relation == "successor"}
    same: dict[str, list[str]] = {}
    narrower: dict[str, list[str]] = {}
    for one in own:
        if one.relation in {"none", "successor"}:
            continue
        if one.id not in by_id:
            raise ValueError(f"own_terms.tsv: {one.text}: the table {one.table} has no {one.id}")
        (same if one.relation == "same" else narrower).setdefault(one.id, []).append(one.text)
    rows = [_row(by_id[key], same.get(key, []), narrower.get(key, [])) for key in sorted(by_id)]
    return [(*row[:-1], "apart") if row[0] in apart and not row[-1] else row for row in rows]


def _row(term: OntologyTerm, same: list[str], narrower: list[str]) -> tuple[str, ...]:
    # Some ontologies take the names from obsolete terms; a table needs one.
    label = re.sub(r"^obsolete[ _]", "", term.label) or term.id
    synonyms = [name for name in dict.fromkeys([*term.synonyms, *same]) if name and name != label]
    status = (term.successor or "obsolete") if term.obsolete else ""
    row = (term.id, label, "|".join(synonyms), "|".join(narrower), status)
    assert not any("\t" in cell or "\n" in cell for cell in row), row
    return row


def used_cell_lines(terms: Iterable[OntologyTerm]) -> tuple[list[OntologyTerm], list[str]]:
    """Return CLO's terms of the listed cell lines with their listed synonyms, and the names that CLO does not have.

    Several terms of CLO may bear one name. The one whose label is the name as listed wins, then the one that differs
    in case and punctuation only, then one with the name among its synonyms; those of a cell bank that are numbered
    (`RCB0987 cell`) come last.
    """
    found: dict[str, list[tuple[int, OntologyTerm]]] = {}
    for term in terms:
        bare = re.sub(r" cells?$", "", term.label)
        numbered = bool(_NUMBERED.fullmatch(term.label))
        for rank, name in ((0, bare), *((2, name) for name in term.synonyms)):
            found.setdefault(squeezed(name), []).append((rank + numbered, term))
    used: dict[str, OntologyTerm] = {}
    absent: list[str] = []
    for row in listed("cell_lines.tsv"):
        candidates = found.get(squeezed(row["name"]), [])
        if not candidates:
            absent += [row["name"], *filter(None, row["synonyms"].split("|"))]
            continue
        _, term = min(candidates, key=lambda one: (one[0], row["name"] not in one[1].label, one[1].id))
        names = [row["name"], *row["synonyms"].split("|")]
        if numbered := bool(_NUMBERED.fullmatch(term.label)):
            names = names[1:]
        used.setdefault(term.id, replace(term, synonyms=tuple(dict.fromkeys((*term.synonyms, *filter(None, names))))))
        assert numbered or row["name"] in used[term.id].synonyms
    return list(used.values()), absent


def entities(sources: Path) -> list[OntologyTerm]:
    """Return the cell types of CL, with the terms of UBERON and GO that CL or the list of structures names."""
    cells, named = read_owl(sources / "cl-edit.owl", EXACT)
    others = read_guide(_packaged(UBERON)) | read_obo(sources / "go-basic.obo")
    current = [term for term in others.values() if term.label and not term.obsolete]
    chosen = {term.id: term for term in cells.values() if term.id.startswith("CL:")}
    chosen |= {term.id: term for term in [*(one for one in current if one.id in named), *structures(current)]}
    return [*chosen.values(), *(term for term in others.values() if term.obsolete and term.successor in chosen)]


def structures(terms: Iterable[OntologyTerm]) -> list[OntologyTerm]:
    """Return the terms of the listed structures: by label, else by a synonym that only one term has.

    Raises:
        ValueError: There is no such term, or there are several.
    """
    labels: dict[str, list[OntologyTerm]] = {}
    synonyms: dict[str, list[OntologyTerm]] = {}
    for term in terms:
        labels.setdefault(term.label, []).append(term)
        for name in term.synonyms:
            synonyms.setdefault(name, []).append(term)
    found = []
    for name in (LISTS / "structures.txt").read_text(encoding="utf-8").splitlines():
        fitting = labels.get(name) or synonyms.get(name, [])
        if len(fitting) != 1:
            raise ValueError(f"structures.txt: {name}: {len(fitting)} terms have this name")
        found += fitting
    return found


def _packaged(name: str) -> Path:
    return Path(str(resources.files("cellxgene_ontology_guide") / "data" / name))


def organisms() -> list[OntologyTerm]:
    """Return the listed organisms by the names that archives use, with the names of NCBI's taxonomy as synonyms."""
    return [
        OntologyTerm(row["id"], row["label"], (*row["synonyms"].split("|"), *taxon_names(row["id"])))
        for row in listed("organisms.tsv")
    ]


def tsv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table as text, without quotes."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def make_tables(sources: Path) -> Mapping[Path, bytes]:
    """Return the content of every table that this script makes, by path."""
    fbbi, _ = read_owl(sources / "fbbi-edit.owl", EXACT, RELATED)
    own_fbbi = [OntologyTerm(row["id"], row["label"]) for row in listed("fbbi_of_crates.tsv")]
    lines = list(read_workbook(sources / "clo_terms.xlsx"))
    used, absent = used_cell_lines(lines)
    made = {
        "fbbi": [*(term for term in fbbi.values() if term.id.startswith("FBbi:")), *own_fbbi],
        "clo": used,
        "entity": entities(sources),
        "ncbitaxon": organisms(),
    }
    apart = fbbi.keys() - descendants(sources / "fbbi-edit.owl", METHODS)
    contents = {
        TABLES / table_name(table): tsv(COLUMNS, table_rows(terms, own_terms(table), apart)).encode()
        for table, terms in made.items()
    }
    without = [(own.table, own.text, own.note) for table in made for own in own_terms(table) if own.relation == "none"]
    without += [("clo", name, "") for name in absent]
    contents[TABLES / "no_term.tsv"] = tsv(("table", "text", "note"), without).encode()
    every = tsv(COLUMNS, table_rows(lines, own_terms("clo"))).encode()
    contents[TERMS / "every_cell_line/clo_all.tsv.gz"] = every
    return {path: gzip.compress(text, mtime=0) if path.suffix == ".gz" else text for path, text in contents.items()}


def main() -> None:
    """Write the tables, and say how large each is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", type=Path, help=f"folder with {', '.join(SOURCES)}")
    for path, content in make_tables(parser.parse_args().sources).items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(f"{path.name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
