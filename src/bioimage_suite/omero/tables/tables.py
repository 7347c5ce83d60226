"""OMERO.tables: written with typed columns in bounded memory, attached with a mark, and found by that mark."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.annotations import annotation_link
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE
from bioimage_suite.omero.objects import CLASSES
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session
from bioimage_suite.omero.tables.feature_table import Feature
from bioimage_suite.omero.tables.reading import BATCH
from bioimage_suite.omero.undo import MadeObjects

TABLE_NAMESPACE = f"{SUITE_NAMESPACE}/tables"
UNFINISHED = f"{TABLE_NAMESPACE}/unfinished"
"""Namespace of a table that is being filled: if a run loses its connection, the next run deletes the table."""
_OWN_TABLES = """
select l.parent.id, a.id, f.id
from {kind}AnnotationLink l, FileAnnotation a
join a.file f
where l.child.id = a.id and l.parent.id in (:ids) and a.ns in (:spaces) and f.name = :name and a.details.owner.id = :me
order by a.id
"""
FREE_AFTER = timedelta(hours=1)
BATCH_BYTES = 64 << 20  # Bytes per call, for wide tables: below Ice's limit for a message, 256 MB.
WORD = 8  # Bytes of a number.


class TableWriter:
    """A writer of rows to one OMERO.table at a time."""

    def __init__(self, columns: Sequence[Feature]) -> None:
        self._layout = columns
        self._batch = max(1, min(BATCH, BATCH_BYTES // sum(one.size or WORD for one in columns)))
        self._table: Any = None

    def create(self, session: Session, name: str) -> int:
        """Make an empty table and return the id of its file.

        Raises:
            UserError: The server has no tables service.
        """
        resources = session.client.getSession().sharedResources()
        if not resources.areTablesEnabled():
            raise UserError(f"OMERO server {session.address}: its tables service is off. Ask its administrator.")
        repository = resources.repositories().descriptions[0].id.val
        self._table = resources.newTable(repository, name)
        if self._table is None:
            raise UserError(
                f"OMERO server {session.address}: it cannot make the table {name!r}. Ask its administrator."
            )
        self._table.initialize(self._columns())
        return int(self._table.getOriginalFile().id.val)

    def reopen(self, session: Session, file_id: int) -> None:
        """Open a closed table again to append rows."""
        from omero.model import OriginalFileI

        self._table = session.client.getSession().sharedResources().openTable(OriginalFileI(file_id, False))

    def write(self, rows: Iterable[Sequence[Any]]) -> int:
        """Append rows, each with one value per column in the column's type; return the number of rows."""
        rows, count = iter(rows), 0
        while batch := list(islice(rows, self._batch)):
            columns = self._columns()
            for column, values in zip(columns, zip(*batch, strict=True), strict=True):
                column.values = list(values)
            self._table.addData(columns)
            count += len(batch)
        return count

    def close(self) -> None:
        """Let the server finish the file."""
        if self._table is not None:
            self._table.close()
            self._table = None

    def _columns(self) -> list[Any]:
        import omero.grid

        columns = []
        for one in self._layout:
            kind = getattr(omero.grid, f"{one.kind.capitalize()}Column")
            size = [one.size] if one.kind == "string" else []
            columns.append(kind(one.name, one.description, *size, []))
        return columns


def attach_table(session: Session, kind: str, object_id: int, file_id: int, made: MadeObjects) -> int:
    """Attach a table's file to an object, marked as unfinished; return the id of the annotation."""
    import omero.model
    from omero.rtypes import rstring

    annotation = omero.model.FileAnnotationI()
    annotation.ns = rstring(UNFINISHED)
    annotation.file = omero.model.OriginalFileI(file_id, False)
    link = annotation_link(CLASSES[kind], object_id, annotation)
    # Annotation and link in one transaction: a broken connection leaves no annotation without an object.
    [link_id] = session.update.saveAndReturnIds([link])
    hql = f"select l.child.id from {CLASSES[kind]}AnnotationLink l where l.id = :id"  # noqa: S608 (a class of our list)
    [[annotation_id]] = session.rows(hql, id=link_id)
    made.add("FileAnnotation", [annotation_id])
    return int(annotation_id)


def finish_tables(session: Session, annotation_ids: Sequence[int]) -> None:
    """Mark all tables as complete, in one transaction."""
    from omero.rtypes import rstring

    annotations = session.objects("select a from FileAnnotation a where a.id in (:ids)", ids=annotation_ids)
    for annotation in annotations:
        annotation.ns = rstring(TABLE_NAMESPACE)
    session.update.saveArray(annotations)


def find_free_tables(session: Session, name: str) -> list[int]:
    """Find the files of this user's tables of a name that are not attached, left by a run that stopped too early.

    Only files older than an hour: another run may be about to attach its own.
    """
    rows = session.rows(
        "select f.id from OriginalFile f where f.name = :name and f.mimetype = :kind and f.details.owner.id = :me "
        "and f.details.creationEvent.time < :before "
        "and not exists (select a.id from FileAnnotation a where a.file.id = f.id)",
        name=name,
        kind=TABLE_MIMETYPE,
        me=session.user_id,
        before=datetime.now(UTC) - FREE_AFTER,
    )
    return [row[0] for row in rows]


def find_own_tables(session: Session, kind: str, ids: Sequence[int], name: str) -> dict[int, dict[str, list[int]]]:
    """Find the tables of a name that this user made with this suite, including unfinished ones.

    Returns:
        For each object with such tables: ids by class ("FileAnnotation" and "OriginalFile").
    """
    rows = session.rows(
        _OWN_TABLES.format(kind=CLASSES[kind]),
        ids=ids,
        spaces=[TABLE_NAMESPACE, UNFINISHED],
        name=name,
        me=session.user_id,
    )
    found: dict[int, dict[str, list[int]]] = {}
    for object_id, annotation_id, file_id in rows:
        own = found.setdefault(object_id, {"FileAnnotation": [], "OriginalFile": []})
        own["FileAnnotation"].append(annotation_id)
        own["OriginalFile"].append(file_id)
    return found
