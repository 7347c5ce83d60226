"""The tables of the full-text index, and the triggers that note which objects have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.omero.model.entities import MODEL_ENTITIES

if TYPE_CHECKING:
    import sqlalchemy as sa

ROOTS = (
    *("Image", "Dataset", "Project", "Plate", "Screen", "Well", "PlateAcquisition", "Annotation", "OriginalFile"),
    *("Experimenter", "ExperimenterGroup"),
)
"""The number of a root in this list is part of its objects' row ids in the index: append only."""
STEP = 64
FIELDS = ("name", "description", "tag", "annotation", "pairs", "file")


def create(connection: sa.Connection) -> None:
    """Create the index and its triggers where they are missing; then everything there is counts as changed."""
    known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'full_text'").fetchone()
    if known:
        return
    columns = ", ".join(FIELDS)
    for statement in (
        f"CREATE VIRTUAL TABLE full_text USING fts5({columns}, tokenize='unicode61 remove_diacritics 0')",
        "CREATE VIRTUAL TABLE full_text_word USING fts5vocab(full_text, row)",
        "CREATE TABLE full_text_changed (root TEXT, id INTEGER, PRIMARY KEY (root, id)) WITHOUT ROWID",
        *_triggers(),
        *(f"INSERT INTO full_text_changed SELECT '{root}', id FROM \"{root}\"" for root in ROOTS),
    ):
        connection.exec_driver_sql(statement)


def _triggers() -> list[str]:
    """Return the triggers: a change of an object, of what is linked to it, or of the file of an annotation."""
    changed = "INSERT OR IGNORE INTO full_text_changed"
    linked = [root for root in ROOTS if f"{root}AnnotationLink" in MODEL_ENTITIES]
    of_annotation = "; ".join(
        f"{changed} SELECT '{root}', parent FROM \"{root}AnnotationLink\" WHERE child = {{row}}" for root in linked
    )
    actions = {root: f"{changed} VALUES ('{root}', {{row}}.id)" for root in ROOTS}
    actions["Annotation"] += "; " + of_annotation.format(row="{row}.id")
    actions |= {f"{root}AnnotationLink": f"{changed} VALUES ('{root}', {{row}}.parent)" for root in linked}
    actions["Annotation_mapValue"] = f"{changed} VALUES ('Annotation', {{row}}.id); " + of_annotation.format(
        row="{row}.id"
    )
    with_file = 'IN (SELECT id FROM "Annotation" WHERE file = {row}.id)'
    actions["OriginalFile"] += "".join(
        f"; {changed} SELECT '{root}', parent FROM \"{root}AnnotationLink\" WHERE child {with_file}" for root in linked
    )
    made = []
    for table, action in actions.items():
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            body = action.replace("{row}", row)
            made.append(f'CREATE TRIGGER "full_text_{table}_{event}" AFTER {event} ON "{table}" BEGIN {body}; END')
    return made
