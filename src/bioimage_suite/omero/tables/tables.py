"""OMERO.tables: written with typed columns in bounded memory, attached with a mark, and found by that mark."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.stopping import holding
from bioimage_suite.omero.annotations.annotations import annotation_link
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE
from bioimage_suite.omero.objects import CLASSES
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session
from bioimage_suite.omero.tables.feature_table import Feature
from bioimage_suite.omero.tables.opening import limited, open_table, table_resources
from bioimage_suite.omero.tables.reading import BATCH
from bioimage_suite.omero.undo import MadeObjects

TABLE_NAMESPACE = f"{SUITE_NAMESPACE}/tables"
UNFINISHED = f"{TABLE_NAMESPACE}/unfinished"
"""Namespace of a table that is being filled: if a run loses its connection, the next run deletes the table."""
_OWN_TABLES = """
select l.id, l.parent.id, a.id, f.id, a.ns, a.description
from {link} l, FileAnnotation a
join a.file f
where l.child.id = a.id and l.parent.id in (:ids) and a.ns in (:spaces) and f.name = :name and a.details.owner.id = :me
order by a.id
"""
BATCH_BYTES = 64 << 20  # Bytes per call, for wide tables: below Ice's limit for a message, 256 MB.
WORD = 8  # Bytes of a number.


Elements = tuple[tuple[str, int], ...]
"""Identifiers of the files that a table is made from, with the number of rows of each, in the order of the rows."""


@dataclass(frozen=True)
class OwnTable:
    """A table of this user on an object.

    Attributes:
        links: Class and ids of the links: several users may have attached it to the object.
        object_id: The object.
        annotation_id: The annotation, which may be on other objects, too.
        file_id: The table's file.
        is_complete: Whether all rows are in it.
        elements: The files that it is made from; None for what an older version made, which did not note it.
    """

    links: tuple[str, tuple[int, ...]]
    object_id: int
    annotation_id: int
    file_id: int
    is_complete: bool
    elements: Elements | None

    @property
    def ids(self) -> dict[str, list[int]]:
        """Ids by class of what has to go with the table."""
        kind, numbers = self.links
        return {kind: list(numbers), "FileAnnotation": [self.annotation_id], "OriginalFile": [self.file_id]}

    def is_within(self, elements: Elements) -> bool:
        """Tell whether all files that the table is made from are among these."""
        return {name for name, _ in self.elements or ()} <= {name for name, _ in elements}


class TableWriter:
    """A writer of rows to one OMERO.table at a time; leaving its block closes the table."""

    def __init__(self, columns: Sequence[Feature]) -> None:
        self._layout = columns
        self._batch = max(1, min(BATCH, BATCH_BYTES // sum(one.size or WORD for one in columns)))
        self._table: Any = None

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # It is closed already, or the run has failed and the table goes.
            self.close()

    def create(self, session: Session, name: str, made: MadeObjects) -> int:
        """Make an empty table and return the id of its file.

        Raises:
            UserError: The server has no tables service.
        """
        resources = table_resources(session)
        if not resources.areTablesEnabled():
            raise UserError(f"OMERO server {session.address}: its tables service is off. Ask its administrator.")
        repository = resources.repositories().descriptions[0].id.val
        with holding():
            made.stay_alone()
            table = resources.newTable(repository, name)
            if table is None:
                raise UserError(
                    f"OMERO server {session.address}: it cannot make the table {name!r}. Ask its administrator."
                )
            self._table = limited(table)
            file_id = int(self._table.getOriginalFile().id.val)
            made.add("OriginalFile", [file_id])
        self._table.initialize(self._columns())
        return file_id

    def reopen(self, session: Session, file_id: int) -> None:
        """Open a closed table again to append rows."""
        self._table = open_table(session, file_id)

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


def attach_table(
    session: Session, kind: str, object_id: int, file_id: int, made: MadeObjects, *, elements: Elements = ()
) -> int:
    """Attach a table's file to an object, marked as unfinished; return the id of the annotation.

    Args:
        session: An open session.
        kind: Kind of the object, such as "image".
        object_id: Its id.
        file_id: The table's file.
        made: Learns the id of the annotation.
        elements: What the table is made from; OMERO keeps it as the annotation's description.
    """
    import omero.model
    from omero.rtypes import rstring

    annotation = omero.model.FileAnnotationI()
    annotation.ns = rstring(UNFINISHED)
    annotation.description = rstring("".join(f"{count}\t{name}\n" for name, count in elements))
    annotation.file = omero.model.OriginalFileI(file_id, False)
    model = f"{CLASSES[kind]}AnnotationLink"
    link = annotation_link(CLASSES[kind], object_id, annotation)
    with holding():
        # Annotation and link in one transaction: a broken connection leaves no annotation without an object.
        [link_id] = made.save(model, [link])
        hql = f"select l.child.id from {model} l where l.id = :id"  # noqa: S608 (a class of our list)
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

    Only for who has the lease of that name: another run may be about to attach its own.
    """
    rows = session.rows(
        "select f.id from OriginalFile f where f.name = :name and f.mimetype = :kind and f.details.owner.id = :me "
        "and not exists (select a.id from FileAnnotation a where a.file.id = f.id)",
        name=name,
        kind=TABLE_MIMETYPE,
        me=session.user_id,
    )
    return [row[0] for row in rows]


def find_own_tables(session: Session, kind: str, ids: Sequence[int], name: str) -> list[OwnTable]:
    """Find the tables of a name that this user made with this suite on objects, including unfinished ones."""
    link = f"{CLASSES[kind]}AnnotationLink"
    rows = session.rows(
        _OWN_TABLES.format(link=link),
        ids=ids,
        spaces=[TABLE_NAMESPACE, UNFINISHED],
        name=name,
        me=session.user_id,
    )
    several: dict[tuple[Any, ...], list[int]] = {}
    for number, *about in rows:
        several.setdefault(tuple(about), []).append(number)
    return [
        OwnTable((link, tuple(numbers)), place, annotation, file, namespace == TABLE_NAMESPACE, _elements(said))
        for (place, annotation, file, namespace, said), numbers in several.items()
    ]


def _elements(description: str | None) -> Elements | None:
    lines = [line.partition("\t") for line in (description or "").splitlines()]
    return tuple((name, int(count)) for count, _, name in lines) if lines else None
