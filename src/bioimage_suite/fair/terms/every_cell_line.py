"""The whole Cell Line Ontology, for tools that are asked for it: its table is larger than all others together."""

from pathlib import Path

from bioimage_suite.fair.terms.ontology_terms import extend_vocabulary

_TABLE = Path(__file__).resolve().parent / "every_cell_line" / "clo_all.tsv.gz"


def know_every_cell_line() -> None:
    """Let the vocabulary `clo` know all terms of the ontology, and not only the cell lines that people use most."""
    extend_vocabulary("clo", _TABLE)
