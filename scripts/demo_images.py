"""Import the demo's images into an OMERO server once: a project with two datasets of nuclei, and key-value pairs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omero.gateway import BlitzGateway, MapAnnotationWrapper
from omero.model import DatasetI, ProjectDatasetLinkI, ProjectI
from omero.rtypes import rstring

TEST_DATA = Path(__file__).parents[1] / "test-data"
PROJECT = "Nuclei demo"
CLIENT_KEY_VALUES = "openmicroscopy.org/omero/client/mapAnnotation"
"""Namespace of the key-value pairs that users can edit in OMERO.web."""

KEY_VALUES = [
    ("Imaging method", "fluorescence microscopy"),
    ("Stain", "nuclear"),
    ("Source", "BBBC038 (Data Science Bowl 2018)"),
    ("Licence", "CC0-1.0"),
]


@dataclass(frozen=True)
class DemoDataset:
    """A dataset of the demo: its name in OMERO and the files that go into it."""

    name: str
    files: tuple[Path, ...]


DATASETS = (
    DemoDataset(
        "Nuclei upper half", (TEST_DATA / "nuclei_upper_left.ome.tiff", TEST_DATA / "nuclei_upper_right.ome.tiff")
    ),
    DemoDataset(
        "Nuclei lower half", (TEST_DATA / "nuclei_lower_left.ome.tiff", TEST_DATA / "nuclei_lower_right.ome.tiff")
    ),
)

ImportFiles = Callable[[Any, Sequence[Path], int], Sequence[int]]
"""Function that imports files into a dataset: `(omero.client, paths, dataset id) -> image ids`."""


def put_demo_images(gateway: BlitzGateway, import_files: ImportFiles) -> dict[str, list[int]]:
    """Create the missing parts of the demo's project; a second call changes nothing.

    Args:
        gateway: Open connection as the demo's user.
        import_files: Function that imports the files.

    Returns:
        Image ids by dataset name, in the order of the files.
    """
    project_id = _find_or_create(gateway, "Project", PROJECT, ProjectI)
    image_ids: dict[str, list[int]] = {}
    for dataset in DATASETS:
        dataset_id = _dataset_in_project(gateway, project_id, dataset.name)
        known = {image.getName(): image.getId() for image in gateway.getObject("Dataset", dataset_id).listChildren()}
        missing = [path for path in dataset.files if path.name not in known]
        for path, image_id in zip(
            missing, import_files(gateway.c, missing, dataset_id) if missing else [], strict=True
        ):
            known[path.name] = image_id
            _add_key_values(gateway, image_id, [*KEY_VALUES, ("Region", path.name.split(".")[0].replace("_", " "))])
        image_ids[dataset.name] = [known[path.name] for path in dataset.files]
    return image_ids


def _find_or_create(gateway: BlitzGateway, kind: str, name: str, model: Any) -> int:
    found = gateway.getObject(kind, attributes={"name": name})
    if found is not None:
        return int(found.getId())
    new = model()
    new.setName(rstring(name))
    return int(gateway.getUpdateService().saveAndReturnObject(new, gateway.SERVICE_OPTS).getId().getValue())


def _dataset_in_project(gateway: BlitzGateway, project_id: int, name: str) -> int:
    for dataset in gateway.getObject("Project", project_id).listChildren():
        if dataset.getName() == name:
            return int(dataset.getId())
    link = ProjectDatasetLinkI()
    dataset = DatasetI()
    dataset.setName(rstring(name))
    link.setParent(ProjectI(project_id, False))
    link.setChild(dataset)
    saved = gateway.getUpdateService().saveAndReturnObject(link, gateway.SERVICE_OPTS)
    return int(saved.getChild().getId().getValue())


def _add_key_values(gateway: BlitzGateway, image_id: int, pairs: Sequence[tuple[str, str]]) -> None:
    annotation = MapAnnotationWrapper(gateway)
    annotation.setNs(CLIENT_KEY_VALUES)
    annotation.setValue([list(pair) for pair in pairs])
    annotation.save()
    gateway.getObject("Image", image_id).linkAnnotation(annotation)
