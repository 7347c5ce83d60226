"""The tools that write to OMERO, as jobs, and what they find in OMERO and on disk."""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import omero
import tifffile

from tests.omero.concurrency.copies import Job, run_one
from tests.omero.tool_support import Lab, named, plate_members, typed

OBJECTS = 2500  # ROIs of a job: three batches.
COUNTED = (
    *("Project", "Dataset", "Screen", "Plate", "Well", "WellSample", "Image", "Fileset", "Roi", "Shape"),
    *("OriginalFile", "MapAnnotation", "TagAnnotation", "CommentAnnotation", "LongAnnotation", "FileAnnotation"),
    *("ProjectDatasetLink", "DatasetImageLink", "ScreenPlateLink", "DatasetAnnotationLink", "ImageAnnotationLink"),
    *("PlateAnnotationLink", "WellAnnotationLink", "RoiAnnotationLink", "AnnotationAnnotationLink"),
    "ProjectAnnotationLink",
)


def everything(lab: Lab) -> dict[str, int]:
    """How many objects of each class there are in the group, key-value pairs and rows of tables too."""
    found = {model: lab.rows(f"select count(o) from {model} o")[0][0] for model in COUNTED}
    found["pairs"] = lab.rows("select count(v) from MapAnnotation m join m.mapValue v")[0][0]
    for (number,) in lab.rows("select f.id from OriginalFile f where f.mimetype = 'OMERO.tables'"):
        table = lab.session.sharedResources().openTable(omero.model.OriginalFileI(number, False))
        with suppress(omero.ApiUsageException):  # Of a run that was killed before the table had its columns.
            found["rows"] = found.get("rows", 0) + table.getNumberOfRows()
        table.close()
    return {model: number for model, number in found.items() if number}


@dataclass(frozen=True)
class Writer:
    """A tool that writes.

    Attributes:
        prepare: Makes what the tool finds in OMERO, and returns what `job` needs to know of it.
        job: The job for one element; several numbers give several elements for one place.
    """

    prepare: Callable[[Lab, Path], Any]
    job: Callable[[Path, Any, int], Job]


def images(lab: Lab, folder: Path, many: int = 8) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(f"i{number}", np.zeros((64, 64), np.uint8), dataset) for number in range(many)]


def annotate(folder: Path, found: Any, number: int) -> Job:
    table = folder / f"words-{number}.csv"
    table.write_text(f"image,dose,TAG,TAGSET,COMMENT\ni{number},{number},x,s,said\n")
    config = {"table": named(table.name, table), "attachments": [], "kind": "image", "mode": "merge"}
    config |= {"within": typed("dataset", "d")}
    return Job("omero_annotate", config, {"output": "out.tsv", "changes": "changes.tsv"})


def label_map(folder: Path, number: int, many: int) -> Path:
    path = folder / f"labels-{number}-{many}.tif"
    if not path.exists():
        labels = np.zeros((64, 64), np.int32)
        labels.flat[:many] = np.arange(1, many + 1) + number
        tifffile.imwrite(path, labels)
    return path


def rois(folder: Path, found: list[int], number: int, many: int = OBJECTS) -> Job:
    files = [named(f"Image_{found[number]}_i{number}", label_map(folder, number, many))]
    config = {"label_maps": files, "match": {"source": "identifier"}, "roi_name": "n", "shape": "auto"}
    return Job("omero_import_rois", config, {"output": "out.tsv", "rois": "rois.tsv"})


def labels(folder: Path, found: list[int], number: int) -> Job:
    files = [named(f"Image_{found[number]}_i{number}", label_map(folder, number, 100))]
    place = {"by": "name", "dataset": "labels", "project": "", "create": True}
    config = {"label_maps": files, "match": {"source": "identifier"}, "labels_name": "n", "place": place}
    return Job("omero_import_labels", config, {"output": "out.tsv"})


def table(folder: Path, found: list[int], number: int, **config: Any) -> Job:
    path = folder / f"measured-{number}.tsv"
    path.write_text("image\tlabel\tarea_px\n" + "".join(f"i{number}\t{label}\t{label}\n" for label in range(1, 2001)))
    config = {"tables": [named(f"i{number}", path)], "match": typed("dataset", "d"), "table_name": "t", **config}
    config = {"attach": "dataset", "rois": None, **config}
    return Job("omero_import_table", config, {"output": "out.tsv", "merged": "merged.tsv"})


def nothing(lab: Lab, folder: Path) -> None:
    return None


def import_image(folder: Path, found: None, number: int) -> Job:
    path = folder / f"{number}.tif"
    if not path.exists():
        tifffile.imwrite(path, np.full((20, 30), number, np.uint16))
    words = folder / f"words-{number}.csv"
    words.write_text(f"image,dose,TAG\nf{number},{number},x\n")
    config = {"files": [named(f"f{number}", path) | {"ext": "tiff"}], "existing": "skip", "zip_holds": "images"}
    config |= {"place": {"by": "name", "dataset": "new", "project": "p", "create": True}}
    return Job("omero_import_images", {**config, "table": named(words.name, words)}, {"output": "out.tsv"})


def plate(folder: Path, found: list[int], number: int) -> Job:
    layout = folder / f"layout-{number}.tsv"
    layout.write_text(f"image\twell\tplate\ni{number}\tA1\tp{number}\n")
    config = {"layout": named("layout", layout), "target": typed("dataset", "d"), "plate": ""}
    config |= {"screen": {"by": "name", "screen": "s", "create": True}}
    return Job("omero_arrange_plates", config, {"output": "out.tsv"})


def several(folder: Path, found: None, number: int) -> Job:
    """A list in one job, of which two have the same content; the jobs' lists overlap."""
    job = import_image(folder, found, number)
    [own], [other] = (import_image(folder, found, one).config["files"] for one in (number, number + 1))
    return replace(job, config={**job.config, "files": [own, other, own | {"element_identifier": "x"}]})


def import_plate(folder: Path, found: None, number: int) -> Job:
    path = folder / f"plate-{number}.zip"
    if not path.exists():
        made = folder / f"plate-{number}"
        made.mkdir()
        wells = {well: [np.full((20, 30), 10 * number + n, np.uint16)] for n, well in enumerate(("A/1", "B/2"))}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in plate_members(wells, made).items():
                archive.writestr(name, data)
    files = [named(f"p{number}.zip", path) | {"ext": "zip"}]
    config = {"files": files, "existing": "skip", "zip_holds": "fileset"}
    return Job("omero_import_images", {**config, "place": {"by": "screen", "screen": "s", "create": True}},
               {"output": "out.tsv"})  # fmt: skip


def datasets(lab: Lab, folder: Path) -> None:
    for number in range(8):
        lab.image(f"i{number}", np.zeros((64, 64), np.uint8), lab.container("Dataset", f"d{number}"))


def emptied(folder: Path, found: None, number: int) -> Job:
    """A plate of all images of a dataset, which goes."""
    job = plate(folder, [], number)
    afterwards = {"dataset": "delete", "sure": True}
    return replace(job, config={**job.config, "target": typed("dataset", f"d{number}"), "afterwards": afterwards})


def wells(lab: Lab, folder: Path) -> None:
    """A plate of eight wells."""
    images(lab, folder)
    layout = folder / "wells.tsv"
    layout.write_text("image\twell\n" + "".join(f"i{number}\tA{number + 1}\n" for number in range(8)))
    job = plate(folder, [], 0)
    whole = {**job.config, "layout": named("layout", layout), "plate": "p"}
    done = run_one(lab, folder, replace(job, config=whole))
    assert done.code == 0, done.error


def annotate_wells(folder: Path, found: None, number: int) -> Job:
    """What find_hits says of a well."""
    table = folder / f"hits-{number}.tsv"
    table.write_text(f"plate\twell\tscore\thit\tTAG\np\tA{number + 1}\t{number}.5\tyes\thit\n")
    config = {"table": named(table.name, table), "attachments": [], "kind": "well", "mode": "merge"}
    return Job("omero_annotate", {**config, "within": typed("plate", "p")}, {"output": "out.tsv", "changes": "c.tsv"})


def annotate_new(folder: Path, found: None, number: int) -> Job:
    """Words for a dataset that the first job makes; a key of each job."""
    table = folder / f"new-{number}.csv"
    table.write_text(f"dataset,k{number}\nnew,{number}\n")
    config = {"table": named(table.name, table), "attachments": [], "kind": "dataset", "mode": "merge", "make": True}
    return Job("omero_annotate", {**config, "within": {"source": "group"}}, {"output": "out.tsv", "changes": "c.tsv"})


def append(folder: Path, found: list[int], number: int) -> Job:
    return table(folder, found, number, existing="append")


def attach_files(folder: Path, found: list[int], number: int) -> Job:
    """Files of an image, one of which all jobs attach; enough bytes for several calls."""
    files = []
    for name, size in (("shared.dat", 70_000), (f"own-{number}.dat", 3_000_000), ("empty.dat", 0)):
        path = folder / name
        path.write_bytes(bytes([number if name.startswith("own") else 9]) * size)
        files.append(named(name, path))
    table = folder / f"files-{number}.csv"
    table.write_text("image,ATTACHMENT,ATTACHMENT,ATTACHMENT\n" + f"i{number}," + ",".join(
        one["element_identifier"] for one in files) + "\n")  # fmt: skip
    config = {"table": named(table.name, table), "attachments": files, "kind": "image", "mode": "replace"}
    config |= {"within": typed("dataset", "d")}
    return Job("omero_annotate", config, {"output": "out.tsv", "changes": "changes.tsv"})


def rois_of_list(folder: Path, found: list[int], number: int) -> Job:
    """Several label maps in one job, some of which all jobs have."""
    jobs = [rois(folder, found, one, 300) for one in dict.fromkeys((0, number, 7))]
    files = [file for job in jobs for file in job.config["label_maps"]]
    return replace(jobs[0], config={**jobs[0].config, "label_maps": files})


def tables_of_images(folder: Path, found: list[int], number: int) -> Job:
    """Tables of two images in one job, each attached to its image; the second is that of the next job, too."""
    jobs = [table(folder, found, one % 8, attach="image") for one in (number, number + 1)]
    tables = [file for job in jobs for file in job.config["tables"]]
    return replace(jobs[0], config={**jobs[0].config, "tables": tables})


def table_of_wells(folder: Path, found: None, number: int) -> Job:
    """Rows of wells, attached to their plate."""
    path = folder / f"wells-{number}.tsv"
    path.write_text("plate\twell\tcount\n" + "".join(f"p\tA{well}\t{well + number}\n" for well in range(1, 9)))
    config = {"tables": [named(f"wells-{number}", path)], "match": typed("plate", "p"), "table_name": "w"}
    return Job("omero_import_table", {**config, "attach": "container"}, {"output": "out.tsv", "merged": "merged.tsv"})


def crates(lab: Lab, folder: Path) -> list[Path]:
    """Crates of another user, one an image with a key-value pair, a tag, ROIs and a file, all of one dataset."""
    import omero
    from omero.rtypes import rstring

    source, packed = lab.stranger(), []
    project, dataset = source.container("Project", "p"), source.container("Dataset", "d")
    link = omero.model.ProjectDatasetLinkI()
    link.parent, link.child = omero.model.ProjectI(project, False), omero.model.DatasetI(dataset, False)
    source.save(link)
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("x")
    tag_id = source.save(tag)
    for number in range(8):
        image = source.image(f"i{number}", np.full((64, 64), number, np.uint8), dataset)
        pairs = omero.model.MapAnnotationI()
        pairs.mapValue = [omero.model.NamedValue("dose", str(number))]
        source.annotate(image, pairs)
        tagged = omero.model.ImageAnnotationLinkI()
        tagged.parent, tagged.child = omero.model.ImageI(image, False), omero.model.TagAnnotationI(tag_id, False)
        source.save(tagged)
        path = folder / f"text-{number}"
        path.write_text(f"text {number}")
        attach(source, image, path)
        job = rois(folder, {number: image}, number, 20)  # type: ignore[arg-type]
        assert run_one(source, folder, job).code == 0
        do = {"mode": "pack", "target": typed("image", image, "id")}
        job = Job("omero_transfer", {"do": do}, {"output": "out.tsv", "crate": str(folder / f"crate-{number}.zip")})
        done = run_one(source, folder, job)
        assert done.code == 0, done.error
        packed.append(folder / f"crate-{number}.zip")
    return packed


def attach(lab: Lab, image: int, path: Path) -> None:
    made = lab.client.upload(str(path))
    import omero

    annotation = omero.model.FileAnnotationI()
    annotation.file = omero.model.OriginalFileI(made.id.val, False)
    lab.annotate(image, annotation)


def unpack(folder: Path, found: list[Path], number: int) -> Job:
    do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(found[number])}}
    return Job("omero_transfer", {"do": do}, {"output": "out.tsv", "containers": "containers.tsv"})


WRITERS = {
    "annotate": Writer(images, annotate),
    "rois": Writer(images, rois),
    "labels": Writer(images, labels),
    "table": Writer(images, table),
    "images": Writer(nothing, import_image),
    "plate": Writer(images, plate),
    "transfer": Writer(crates, unpack),
    "several": Writer(nothing, several),
    "screen": Writer(nothing, import_plate),
    "emptied": Writer(datasets, emptied),
    "wells": Writer(wells, annotate_wells),
    "new": Writer(nothing, annotate_new),
    "append": Writer(images, append),
    "files": Writer(images, attach_files),
    "list": Writer(images, rois_of_list),
    "tables": Writer(images, tables_of_images),
    "well table": Writer(wells, table_of_wells),
}
