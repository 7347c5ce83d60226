"""Small valid files of every kind that a tool takes, made in a folder."""

from __future__ import annotations

import csv
import shutil
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

DATA = Path(__file__).parents[2] / "test-data"
TABLE_ROWS = 12
COPIED = {
    "czi": "made.czi", "nd2": "made.nd2", "lif": "made.lif", "dv": "made.dv", "colours.png": "ihc.png",
    "movie.tiff": "moving_cells.ome.tiff", "truth.zip": "moving_cells_truth.zip", "points.tsv": "moving_points.tabular",
    "classes.tsv": "two_classes.tabular", "model.zip": "tiny_model.zip", "flows.zip": "passing_model.zip",
    "rois.geojson": "two_rois.geojson", "volume.tiff": "volume_cells.ome.tiff", "cells_a.tiff": "fair/cells_a.ome.tiff",
    "images.tsv": "fair/image_table.tsv", "metadata.tsv": "fair/metadata.tsv", "filled.csv": "fair/template_rembi.csv",
    "run.zip": "fair/workflow_run.crate.zip", "crate.json": "fair/gide_good.jsonld",
    "misspelt.json": "fair/gide_misspelt.jsonld", "origin.tsv": "fair_archives/origin.tabular",
    "results.tsv": "fair_archives/measured_cells.tabular",
    "study.json": "fair_archives/crates/S-TEST5-ro-crate-metadata.json", "old.csv": "fair/key_values_old_scripts.csv",
    "new.csv": "fair/key_values_new_scripts.csv", "tidy.tsv": "fair/key_values_tidy.tsv",
    **{f"{well}.tiff": f"plate/made_{well}.ome.tiff" for well in ("A1", "A2", "B3")},
    **{f"plate_{kind}.tsv": f"plate_{kind}.tabular" for kind in ("cells", "layout", "profiles", "hits")},
}  # fmt: skip
# Of tools for plates.
PLATE_COPIED = {
    "Image.csv": "import_measurements/test-data/cellprofiler_Image.csv",
    "Nuclei.csv": "import_measurements/test-data/cellprofiler_Nuclei.csv",
    "qupath.tsv": "import_measurements/test-data/qupath.tsv",
    "qupath.geojson": "import_measurements/test-data/qupath.geojson",
    "pairs.tsv": "plate_template/test-data/mihcsme_pairs.tabular",
}
# Of tools that work on a server.
OMERO_COPIED = {
    "annotations.csv": "omero_annotate/test-data/annotations.csv",
    "layout.tsv": "omero_arrange_plates/test-data/plate_layout.tabular",
    "shapes.tsv": "omero_import_rois/test-data/shapes.tabular",
    "cell.geojson": "omero_import_rois/test-data/cell_1.geojson",
    "plate.zip": "omero_import_images/test-data/import_plate.zip",
    "transfer.zip": "omero_transfer/test-data/transfer_crate.zip",
}  # fmt: skip


def pixels() -> np.ndarray:
    """Four disks in two channels, 2 x 64 x 64."""
    y, x = np.indices((64, 64))
    disks: np.ndarray = sum((np.hypot(y - row, x - column) <= 7) * 900 for row in (16, 46) for column in (15, 44))
    noise = np.random.default_rng(0).integers(50, 90, (2, 64, 64))
    made: np.ndarray = (noise + np.stack([disks, disks // 2])).astype(np.uint16)
    return made


def label_map() -> np.ndarray:
    """The four disks, numbered."""
    y, x = np.indices((64, 64))
    places = [(row, column) for row in (16, 46) for column in (15, 44)]
    made = np.zeros((64, 64), np.uint16)
    for number, (row, column) in enumerate(places, 1):
        made[np.hypot(y - row, x - column) <= 7] = number
    return made


@cache
def make_inputs(folder: Path) -> dict[str, Path]:
    """Make every input; return their paths by name."""
    for name, source in COPIED.items():
        shutil.copyfile(DATA / source, folder / name)
    for group, copied in (("omero", OMERO_COPIED), ("plate", PLATE_COPIED)):
        for name, source in copied.items():
            shutil.copyfile(DATA.parent / "tools" / group / source, folder / name)
    _images(folder)
    _zarrs(folder)
    _tables(folder)
    _binary_tables(folder)
    with zipfile.ZipFile(folder / "crate.zip", "w") as archive:
        archive.writestr("ro-crate-metadata.json", (DATA / "fair/gide_good.jsonld").read_bytes())
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        archive.writestr("a/ro-crate-metadata.json", (folder / "study.json").read_bytes())
    return {path.name: path for path in folder.iterdir()}


def _images(folder: Path) -> None:
    import imagecodecs

    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    named = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}, **sizes}
    tifffile.imwrite(folder / "image.tiff", pixels(), ome=True, photometric="minisblack", metadata=named)
    tifffile.imwrite(
        folder / "tiled.tiff", pixels(), tile=(16, 16), compression="zlib", photometric="minisblack", ome=True,
        metadata=named,
    )  # fmt: skip
    tifffile.imwrite(folder / "imagej.tiff", pixels(), imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(folder / "big.tiff", pixels(), bigtiff=True, compression="lzw", photometric="minisblack")
    (folder / "image.png").write_bytes(imagecodecs.png_encode(pixels()[0]))
    (folder / "image.jpg").write_bytes(imagecodecs.jpeg8_encode((pixels()[0] // 4).astype(np.uint8)))
    (folder / "image.bmp").write_bytes(imagecodecs.bmp_encode((pixels()[0] // 4).astype(np.uint8)))
    (folder / "image.jp2").write_bytes(imagecodecs.jpeg2k_encode(pixels()[0], level=0))
    colours = np.random.default_rng(1).integers(90, 250, (64, 64, 3), dtype=np.uint8)
    tifffile.imwrite(folder / "colours.tiff", colours, photometric="rgb", compression="zlib")
    for name, found in (("labels.tiff", label_map()), ("found.tiff", np.roll(label_map(), 2, axis=1))):
        tifffile.imwrite(folder / name, found, ome=True, compression="zlib", metadata={"axes": "YX", **sizes})


def _zarrs(folder: Path) -> None:
    import numcodecs
    import zarr

    from bioimage_suite.images.ome_zarr.archive import pack

    axes = [{"name": "c", "type": "channel"}, *({"name": a, "type": "space", "unit": "micrometer"} for a in "yx")]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.5, 0.5]}]}
    channels = {"channels": [{"label": "DAPI", "color": "0000FF"}, {"label": "GFP", "color": "00FF00"}]}
    kinds: list[tuple[str, Any, Any]] = [
        ("old.zarr", 2, numcodecs.Blosc("lz4", shuffle=0)), ("new.zarr", 3, "auto"),
    ]  # fmt: skip
    for name, new, codec in kinds:
        group = zarr.open_group(folder / name, mode="w", zarr_format=new)
        multiscale = {"version": "0.4", "name": "n", "axes": axes, "datasets": [level]}
        described: dict[str, Any] = {"multiscales": [multiscale], "omero": channels}
        group.attrs.update(described if new == 2 else {"ome": {"version": "0.5", **described}})
        shards = (1, 32, 32) if new == 3 else None
        group.create_array("0", data=pixels(), chunks=(1, 16, 16), shards=shards, compressors=codec)
    pack(folder / "new.zarr", folder / "image.ozx")


def _tables(folder: Path) -> None:
    import openpyxl

    rows = [["image", "label", "area_px", "centroid_x_px", "centroid_y_px", "mean_DAPI"]]
    rows += [["a", str(n), str(100 + n), str(5.5 * n), str(3.25 * n), repr(n / 3)] for n in range(1, TABLE_ROWS + 1)]
    (folder / "table.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    (folder / "table.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "table.xlsx")
    filled = openpyxl.Workbook()
    for row in csv.reader((folder / "filled.csv").read_text(encoding="utf-8").splitlines()):
        filled.active.append(row)
    filled.save(folder / "filled.xlsx")
    few = [rows[0], *rows[1:5]]
    (folder / "objects.tsv").write_text("".join("\t".join(row) + "\n" for row in few))
    (folder / "wells.tsv").write_text("image\twell\tplate\tfield\na\tA1\tp\t1\nb\tA2\tp\t1\n")
    family = tifffile.imread(folder / "movie.tiff")
    family[6:][family[6:] == 2] = 0  # Object 7 begins there.
    tifffile.imwrite(folder / "family.tiff", family, ome=True, metadata={"axes": "TYX"})
    (folder / "parents.txt").write_text("2 0 5 0\n7 6 9 2\n")
    (folder / "words.csv").write_text("image,dose,TAG\nimage.tiff,1,x\n")
    (folder / "name.txt").write_text("a")
    sums = f"{'0' * 32}\t{'1' * 40}"
    (folder / "files.tsv").write_text(f"path\tsize\tmd5\tsha1\tlicence\na/b.tiff\t12\t{sums}\tCC0\nc.png\t\t\t\t\n")
    (folder / "studies.tsv").write_text("accession\ttitle\tarchive\nS-BIAD1\ta\tBioStudies\nS-BSST2\tb\tBioStudies\n")
    (folder / "names.json").write_text('["a", "b", "c"]')
    tracks = "".join(f"a\t{1 + n % 2}\t{n}\t{3 * n}\t{2 * n}\n" for n in range(8))
    (folder / "tracks.tsv").write_text(f"image\ttrack\tframe\tcentroid_x_px\tcentroid_y_px\n{tracks}")


def _binary_tables(folder: Path) -> None:
    from bioimage_suite.exchange.annotated_data import to_anndata, write_h5ad, write_parquet
    from bioimage_suite.exchange.typed_columns import typed
    from bioimage_suite.tables.measurement_table import read_measurement_table

    tables = [("labels", "a", typed(read_measurement_table(folder / "table.tsv", "a")))]
    write_parquet(folder / "cells.parquet", tables)
    write_h5ad(folder / "cells.h5ad", to_anndata(tables))
