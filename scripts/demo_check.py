"""Count what a workflow made in OMERO: ROIs of each image, and rows of each image in the tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from omero.gateway import BlitzGateway
from omero.model import OriginalFileI
from omero.rtypes import unwrap
from omero.sys import ParametersI

SUITE_NAMESPACE = "github.com/bioimage-suite-galaxy/"


@dataclass(frozen=True)
class CameBack:
    """Number of ROIs and table rows that OMERO holds for one image after a run."""

    image_id: int
    roi_count: int
    table_row_count: int


def read_what_came_back(gateway: BlitzGateway, dataset_id: int, image_ids: Sequence[int]) -> list[CameBack]:
    """Count the ROIs of each image, and its rows in tables on it or on its dataset; only what the suite made counts."""
    rois = _count_rois(gateway, image_ids)
    rows = _count_table_rows(gateway, _suite_table_files(gateway, dataset_id, image_ids))
    return [CameBack(image_id, rois.get(image_id, 0), rows.get(image_id, 0)) for image_id in image_ids]


def _query(gateway: BlitzGateway, hql: str, **lists: Iterable[int]) -> list[list[Any]]:
    parameters = ParametersI()
    for name, ids in lists.items():
        parameters.addLongs(name, list(ids))
    rows = gateway.getQueryService().projection(hql, parameters, gateway.SERVICE_OPTS)
    return [[unwrap(value) for value in row] for row in rows]


def _count_rois(gateway: BlitzGateway, image_ids: Sequence[int]) -> dict[int, int]:
    rows = _query(
        gateway,
        "select i.id, r.id from Roi r join r.image i join r.annotationLinks l join l.child a "
        f"where i.id in (:ids) and a.ns like '{SUITE_NAMESPACE}rois/%'",
        ids=image_ids,
    )
    counts: dict[int, int] = {}
    for image_id, _ in {tuple(row) for row in rows}:
        counts[image_id] = counts.get(image_id, 0) + 1
    return counts


def _suite_table_files(gateway: BlitzGateway, dataset_id: int, image_ids: Sequence[int]) -> list[int]:
    """Return the file ids of the tables that the suite attached to the dataset or to its images."""
    found = []
    for kind, ids in (("Dataset", [dataset_id]), ("Image", image_ids)):
        found += _query(
            gateway,
            f"select a.file.id from {kind}AnnotationLink l, FileAnnotation a "
            f"where l.child.id = a.id and l.parent.id in (:ids) and a.ns like '{SUITE_NAMESPACE}tables%'",
            ids=ids,
        )
    return sorted({row[0] for row in found})


def _count_table_rows(gateway: BlitzGateway, file_ids: Sequence[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for file_id in file_ids:
        table = gateway.c.sf.sharedResources().openTable(OriginalFileI(file_id, False), gateway.SERVICE_OPTS)
        try:
            column = next(n for n, header in enumerate(table.getHeaders()) if header.name == "Image")
            for image_id in table.read([column], 0, table.getNumberOfRows()).columns[0].values:
                counts[image_id] = counts.get(image_id, 0) + 1
        finally:
            table.close()
    return counts
