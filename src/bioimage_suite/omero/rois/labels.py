"""Label maps stored in OMERO as images: the convention that links them to their source images.

The convention: the label image carries one MapAnnotation in the namespace
`github.com/bioimage-suite-galaxy/labels/<name>`, where <name> says what the labels are, such as "nuclei". Its pair
`source image id` holds the id of the image that the label map was made from. The label image is linked to a dataset
like any image and is called "<source name> [<name>]".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.omero.files.original_files import SHA1, download_file
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session
from bioimage_suite.omero.undo import MadeObjects

SOURCE_KEY = "source image id"
FILE_KEY = "label map"  # The identifier of the file that a label image is made from.


@dataclass(frozen=True)
class LabelImage:
    """A label map in OMERO and its imported file; `sha1` is None if OMERO has another kind of checksum."""

    source_id: int
    image_id: int
    image_name: str
    owner_id: int
    fileset_id: int
    annotation_id: int
    file_id: int
    file_size: int
    sha1: str | None


def labels_namespace(name: str) -> str:
    """Return the namespace of the key-value pairs on the label images of a set, such as "nuclei"."""
    return f"{SUITE_NAMESPACE}/labels/{name}"


def find_label_images(session: Session, source_ids: Sequence[int], name: str) -> list[LabelImage]:
    """Find the label images of a set that belong to source images, ordered by id (the newest last).

    Args:
        session: An open session.
        source_ids: Ids of the source images.
        name: Name of the set.
    """
    found: list[LabelImage] = []
    for page in batches(source_ids):
        rows = session.rows(
            "select i.id, i.name, i.details.owner.id, f.id, m.id, v.value, o.id, o.size, o.hash, h.value "
            "from ImageAnnotationLink l join l.parent i join i.fileset f join f.usedFiles e join e.originalFile o "
            "left outer join o.hasher h, MapAnnotation m join m.mapValue v "
            "where l.child.id = m.id and m.ns = :ns and v.name = :key and v.value in (:ids) order by i.id",
            ns=labels_namespace(name),
            key=SOURCE_KEY,
            ids=[str(number) for number in page],
        )
        found += [_label_image(row) for row in rows]
    return sorted(found, key=lambda one: one.image_id)


def label_images_among(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Return the ids of the images that are label images, of any set."""
    found: set[int] = set()
    for page in batches(image_ids):
        rows = session.rows(
            "select l.parent.id from ImageAnnotationLink l, MapAnnotation m "
            "where l.child.id = m.id and m.ns like :ns and l.parent.id in (:ids)",
            ns=labels_namespace("%"),
            ids=page,
        )
        found |= {row[0] for row in rows}
    return found


def make_mark(name: str, pairs: Sequence[tuple[str, str]], made: MadeObjects) -> int:
    """Save the annotation that links a label image to its source, before the import; return its id.

    Args:
        name: Name of the set.
        pairs: Key-value pairs, including `SOURCE_KEY` and `FILE_KEY`.
        made: Learns the id.
    """
    from omero.model import MapAnnotationI, NamedValue
    from omero.rtypes import rstring

    mark = MapAnnotationI()
    mark.ns = rstring(labels_namespace(name))
    mark.mapValue = [NamedValue(key, value) for key, value in pairs]
    return made.save("MapAnnotation", [mark])[0]


def find_free_marks(session: Session, source_ids: Sequence[int], name: str) -> list[int]:
    """Find this user's marks for label images of a set that are on no image, left by a run that stopped too early."""
    found: list[int] = []
    for page in batches(source_ids):
        rows = session.rows(
            "select m.id from MapAnnotation m join m.mapValue v where m.ns = :ns and m.details.owner.id = :me "
            "and v.name = :key and v.value in (:ids) "
            "and not exists (select l.id from ImageAnnotationLink l where l.child.id = m.id)",
            ns=labels_namespace(name),
            me=session.user_id,
            key=SOURCE_KEY,
            ids=[str(number) for number in page],
        )
        found += [row[0] for row in rows]
    return found


def download_label_map(session: Session, label_image: LabelImage, path: Path) -> None:
    """Download the imported file of a label map, byte for byte.

    Raises:
        UserError: OMERO cannot deliver the whole file, or its checksum differs.
    """
    download_file(
        session,
        label_image.file_id,
        path,
        size=label_image.file_size,
        sha1=label_image.sha1,
        shown=f"label image {label_image.image_id} {label_image.image_name!r}",
    )


def _label_image(row: Sequence[Any]) -> LabelImage:
    image_id, name, owner_id, fileset_id, annotation_id, source, file_id, size, checksum, hasher = row
    sha1 = checksum if hasher == SHA1 else None
    return LabelImage(int(source), image_id, name, owner_id, fileset_id, annotation_id, file_id, size or 0, sha1)
