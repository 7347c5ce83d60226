"""OMERO.tables: made with typed columns in bounded memory, attached, marked as ours, found again by the mark."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from feature_table import Feature, convert
from omero_session import NAMESPACE, Session
from omero_undo import MadeObjects
from tool_errors import UserError

TABLE_NAMESPACE = f"{NAMESPACE}/tables"
_OWN_TABLES = """
select l.parent.id, a.id, f.id
from {kind}AnnotationLink l, FileAnnotation a
join a.file f
where l.child.id = a.id and l.parent.id in (:ids) and a.ns = :ns and f.name = :name and a.details.owner.id = :me
order by a.id
"""
BATCH = 10_000  # Rows a call: with 50 columns 4 MB.


class TableWriter:
    """Writes rows to one OMERO.table at a time.

    Columns: `Image` (ImageColumn, the id), `Image Name`, `Roi` (RoiColumn) if asked for, then one a feature. These
    three names are those of omero-metadata, so that OMERO.web, OMERO.parade and OMERO.iviewer know what they mean.
    """

    def __init__(self, features: Sequence[Feature], name_size: int, rois: bool) -> None:
        self._features, self._name_size, self._rois = features, name_size, rois
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
        return self._table.getOriginalFile().id.val

    def reopen(self, session: Session, file_id: int) -> None:
        """Go on with a table that was closed."""
        from omero.model import OriginalFileI

        self._table = session.client.getSession().sharedResources().openTable(OriginalFileI(file_id, False))

    def write(self, rows: Iterable[tuple[int, str, int, Sequence[str]]]) -> int:
        """Append rows of (image id, image name, ROI id or -1, one text a feature); returns how many."""
        rows, count = iter(rows), 0
        while batch := list(islice(rows, BATCH)):
            columns = self._columns()
            columns[0].values = [row[0] for row in batch]
            columns[1].values = [row[1] for row in batch]
            if self._rois:
                columns[2].values = [row[2] for row in batch]
            first = len(columns) - len(self._features)
            for number, feature in enumerate(self._features):
                columns[first + number].values = [convert(feature.kind, row[3][number]) for row in batch]
            self._table.addData(columns)
            count += len(batch)
        return count

    def close(self) -> None:
        """Let the server finish the file."""
        if self._table is not None:
            self._table.close()
            self._table = None

    def _columns(self) -> list[Any]:
        from omero.grid import BoolColumn, DoubleColumn, ImageColumn, LongColumn, RoiColumn, StringColumn

        plain = {"long": LongColumn, "double": DoubleColumn, "bool": BoolColumn}
        columns = [ImageColumn("Image", "", []), StringColumn("Image Name", "", self._name_size, [])]
        if self._rois:
            columns.append(RoiColumn("Roi", "", []))
        for feature in self._features:
            if feature.kind == "string":
                columns.append(StringColumn(feature.name, "", feature.size, []))
            else:
                columns.append(plain[feature.kind](feature.name, "", []))
        return columns


def attach_table(session: Session, kind: str, object_id: int, file_id: int, made: MadeObjects) -> int:
    """Attach a table's file to an image or a dataset, marked as ours; returns the id of the annotation."""
    import omero.model
    from omero.rtypes import rstring

    annotation = omero.model.FileAnnotationI()
    annotation.ns = rstring(TABLE_NAMESPACE)
    annotation.file = omero.model.OriginalFileI(file_id, False)
    annotation_id = session.update.saveAndReturnIds([annotation])[0]
    made.add("FileAnnotation", [annotation_id])
    link = getattr(omero.model, f"{kind.capitalize()}AnnotationLinkI")()
    link.parent = getattr(omero.model, f"{kind.capitalize()}I")(object_id, False)
    link.child = omero.model.FileAnnotationI(annotation_id, False)
    session.update.saveObject(link)
    return annotation_id


def find_own_tables(session: Session, kind: str, ids: Sequence[int], name: str) -> dict[int, dict[str, list[int]]]:
    """Find the tables of a name that this user made with this suite.

    Returns:
        For each object that has any: ids by class ("FileAnnotation" and "OriginalFile").
    """
    rows = session.rows(
        _OWN_TABLES.format(kind=kind.capitalize()),
        ids=ids,
        ns=TABLE_NAMESPACE,
        name=name,
        me=session.user_id,
    )
    found: dict[int, dict[str, list[int]]] = {}
    for object_id, annotation_id, file_id in rows:
        own = found.setdefault(object_id, {"FileAnnotation": [], "OriginalFile": []})
        own["FileAnnotation"].append(annotation_id)
        own["OriginalFile"].append(file_id)
    return found
