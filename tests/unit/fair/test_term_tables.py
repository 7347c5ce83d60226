"""The shipped tables of terms, and the script that makes them."""

import gzip
import re
from pathlib import Path

import pytest

from bioimage_suite.fair.terms import ontology_terms
from bioimage_suite.fair.terms.every_cell_line import know_every_cell_line
from bioimage_suite.fair.terms.ontology_terms import TERMS_FOLDER, load_terms, resolve, table_name
from scripts.ontology_files import OntologyTerm, read_obo, repaired
from scripts.term_tables import OwnTerm, listed, own_terms, structures, table_rows, used_cell_lines

OBO = """format-version: 1.2

[Term]
id: GO:0000001
name: nucleus
synonym: "cell nucleus" EXACT []
synonym: "core" BROAD []
alt_id: GO:0000009

[Term]
id: GO:0000002
name: obsolete core
is_obsolete: true
consider: GO:0000001

[Typedef]
id: part_of
name: part of
"""


@pytest.mark.parametrize("own", listed("own_terms.tsv"), ids=lambda own: own["text"])
def test_what_the_project_adds_is_found(own: dict[str, str]):
    found = resolve(own["table"], own["text"])
    if own["relation"] == "none":
        assert (found.term, found.absent) == (None, own["note"])
    else:
        assert found.term is not None
        assert (found.term.id, found.broader) == (own["id"], own["relation"] == "narrower")


def test_listed_cell_lines_are_found_or_known_to_be_absent():
    for row in listed("cell_lines.tsv"):
        found = resolve("clo", row["name"])
        assert found.term or found.absent is not None, row


def test_the_readme_states_the_size_of_each_table():
    text = (TERMS_FOLDER / "README.md").read_text(encoding="utf-8")
    for name, count, kilobytes in re.findall(r"\| `([\w./]+)` \| ([\d,]+) [^|]*, (\d+) kB \|", text):
        path = TERMS_FOLDER / name
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).count(b"\n")
        assert (lines - 1, round(len(data) / 1000)) == (int(count.replace(",", "")), int(kilobytes)), name
    assert sum(file.stat().st_size for file in TERMS_FOLDER.iterdir()) < 250_000


def test_every_cell_line_is_known_when_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ontology_terms, "_EXTRA_TABLES", {})
    before = len(load_terms("clo"))
    assert resolve("clo", "DA04195").term is None
    know_every_cell_line()
    try:
        found = [resolve("clo", name).term for name in ("DA04195", "Jurkat")]
        assert [term and term.id for term in found] == ["CLO:0029998", "CLO:0007043"]
        assert len(load_terms("clo")) > 39_000 > before
    finally:
        monkeypatch.undo()
        for cached in ontology_terms._CACHED:
            cached.cache_clear()


def test_obo_gives_exact_synonyms_merged_ids_and_successors(tmp_path: Path):
    (tmp_path / "go.obo").write_text(OBO)
    assert read_obo(tmp_path / "go.obo") == {
        "GO:0000001": OntologyTerm("GO:0000001", "nucleus", ("cell nucleus",)),
        "GO:0000009": OntologyTerm("GO:0000009", "", (), True, "GO:0000001"),
        "GO:0000002": OntologyTerm("GO:0000002", "obsolete core", (), True, "GO:0000001"),
    }


def test_rows_hold_what_the_project_adds():
    terms = [OntologyTerm("X:2", "obsolete b", (), True), OntologyTerm("X:1", "a", ("a", "α"))]
    own = [OwnTerm("x", "A!", "same", "X:1", ""), OwnTerm("x", "aa", "narrower", "X:1", "")]
    assert table_rows(terms, own, {"X:1", "X:2"}) == [
        ("X:1", "a", "α|A!", "aa", "apart"),
        ("X:2", "b", "", "", "obsolete"),
    ]
    with pytest.raises(ValueError, match="the table x has no X:3"):
        table_rows(terms, [OwnTerm("x", "c", "same", "X:3", "")])


def test_of_several_terms_of_one_cell_line_the_one_with_its_name_is_taken():
    named, numbered = OntologyTerm("CLO:2", "U-2 OS cell"), OntologyTerm("CLO:1", "RCB01 cell", ("U2OS",))
    used, absent = used_cell_lines([numbered, named])
    assert [term.id for term in used] == ["CLO:2"]
    assert "HaCaT" in absent


def test_a_structure_that_no_term_names_stops_the_script():
    with pytest.raises(ValueError, match=r"structures.txt: nucleus: 0 terms"):
        structures([])


def test_letters_that_excel_misread_are_repaired():
    assert repaired("GripTite‚Ñ¢ 293\n MSR") == "GripTite™ 293 MSR"
    assert repaired("Förster") == "Förster"


def test_all_own_texts_name_a_table():
    tables = {row["table"] for row in listed("own_terms.tsv")}
    assert sum(len(own_terms(table)) for table in tables) == len(listed("own_terms.tsv"))
    assert all((TERMS_FOLDER / table_name(table)).exists() for table in tables)
