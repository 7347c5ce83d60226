"""A few calls of each tool that takes files, on the files of `inputs.py`. All kinds of input occur.

A word of a command line is a text, or an option with a value that a user types: `("--keep", "area_px > 50")`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Word = str | Path | tuple[str, str]
Files = dict[str, Path]


@dataclass(frozen=True)
class Call:
    """A tool with the names of the files that it is given.

    Attributes:
        tool: Its name.
        files: Of `inputs.py`.
        words: Function from these files (copies, maybe changed) and a folder for outputs to the command line.
    """

    tool: str
    files: tuple[str, ...]
    words: Callable[[Files, Path], list[Word]]


IMAGES = (
    "image.tiff", "tiled.tiff", "imagej.tiff", "big.tiff", "image.png", "image.jpg", "image.bmp", "image.jp2",
    "old.zarr", "new.zarr", "image.ozx", "czi", "nd2", "lif", "dv",
)  # fmt: skip
FEW_IMAGES = ("tiled.tiff", "old.zarr", "image.ozx", "image.png")
LABELS_AND_IMAGE = ("labels.tiff", "image.tiff")
FETCHING = {"fetch_archive"}  # Their work is to ask others.
METADATA = ("metadata.tsv", "old.csv", "new.csv", "tidy.tsv", "filled.csv", "filled.xlsx")


def all_calls() -> list[Call]:
    """Return the calls of all tools."""
    kinds = (image_calls, object_calls, plate_calls, exchange_calls, figure_calls, fair_calls, crate_calls, omero_calls)
    return [call for kind in kinds for call in kind()]


def local_calls() -> list[Call]:
    """Return the calls of tools that ask no server."""
    return [call for call in all_calls() if not call.tool.startswith("omero_") and call.tool not in FETCHING]


def listed(files: Files, out: Path, *names: str) -> Path:
    """Write a list of files with their names, as a wrapper does."""
    path = out / "files.json"
    path.write_text(json.dumps([{"path": str(files[name]), "name": name} for name in names]))
    return path


def config(out: Path, **values: Any) -> list[Word]:
    (out / "config.json").write_text(json.dumps(values))
    return ["--config", out / "config.json"]


def image_calls() -> Iterator[Call]:
    """Yield calls of tools that take one image."""
    for image in IMAGES:
        yield Call("image_info", (image,), lambda f, o, i=image: [
            "--image", f[i], "--output", o / "t", "--output-json", o / "j.json", "--output-xml", o / "x"])  # fmt: skip
        for form in ("ome-tiff", "ome-zarr-0.4", "ozx"):
            yield Call("convert_image", (image,), lambda f, o, i=image, form=form: [
                "--image", f[i], "--format", form, "--output", o / "out"])  # fmt: skip
    for image in FEW_IMAGES:
        yield Call("segment_objects", (image,), lambda f, o, i=image: [
            "--image", f[i], "--output", o / "l", ("--channel", "0"), "--min-area=9"])  # fmt: skip
    yield Call("segment_objects", ("volume.tiff",), lambda f, o: [
        "--image", f["volume.tiff"], "--volume", "--output", o / "l", "--min-area=9"])  # fmt: skip
    for image, model in (("image.tiff", "model.zip"), ("old.zarr", "model.zip"), ("image.png", "model.zip")):
        yield Call("segment_with_model", (image, model), lambda f, o, i=image, m=model: [
            "--image", f[i], "--model", f[m], "--meaning", "foreground", ("--channel", "0"), "--labels", o / "l",
            "--prediction", o / "p"])  # fmt: skip
    yield Call("quantify_staining", ("colours.tiff", "colours.png"), lambda f, o: [
        "--image", f["colours.tiff"], "--stains", "h_dab", ("--white", "255"), ("--tissue", "0.1"), "--table", o / "t",
        "--vectors-out", o / "v", "--figure", o / "f.png", "--masks", o / "m"])  # fmt: skip
    yield Call("quantify_staining", ("colours.tiff", "labels.tiff"), lambda f, o: [
        "--image", f["colours.tiff"], "--regions", f["labels.tiff"], "--stains", "own",
        ("--vectors", "a: 0.6, 0.7, 0.2\nb: 0.3, 0.5, 0.8"), "--table", o / "t", "--vectors-out", o / "v"])  # fmt: skip
    yield Call("convert_image", ("image.tiff", "tiled.tiff", "wells.tsv"), lambda f, o: [
        "--images", pairs(o, a=f["image.tiff"], b=f["tiled.tiff"]), "--layout", f["wells.tsv"],
        "--format=ome-zarr-0.5", "--output", o / "out"])  # fmt: skip


def pairs(out: Path, **files: Path) -> Path:
    (out / "pairs.json").write_text(json.dumps([[name, str(path)] for name, path in files.items()]))
    return out / "pairs.json"


def object_calls() -> Iterator[Call]:
    """Yield calls of tools that take label maps or measurement tables."""
    yield Call("evaluate_segmentation", ("labels.tiff", "found.tiff"), lambda f, o: [
        "--true", f["labels.tiff"], "--found", f["found.tiff"], ("--thresholds", "0.5,0.7"), "--output",
        o / "t"])  # fmt: skip
    for result in ("truth.zip", "movie.tiff"):
        yield Call("evaluate_tracking", ("truth.zip", result), lambda f, o, r=result: [
            "--reference", f["truth.zip"], "--result", f[r], "--measures", o / "m", "--errors", o / "e", "--figure",
            o / "f.png"])  # fmt: skip
    yield Call("evaluate_tracking", ("family.tiff", "parents.txt"), lambda f, o: [
        "--reference", f["family.tiff"], "--result", f["family.tiff"], "--result-parents", f["parents.txt"],
        "--measures", o / "m"])  # fmt: skip
    for table in ("objects.tsv",):
        yield Call("filter_objects", ("labels.tiff", table), lambda f, o, t=table: [
            "--labels", f["labels.tiff"], "--table", f[t], ("--keep", "area_px > 50 and mean_DAPI >= 0.1"),
            "--output-labels", o / "l", "--output-table", o / "t"])  # fmt: skip
    for image in ("image.tiff", "old.zarr", "image.png"):
        yield Call("measure_objects", ("labels.tiff", image), lambda f, o, i=image: [
            "--labels", f["labels.tiff"], "--image", f[i], "--texture-channels=all", "--neighbours-within=9",
            "--children", f["labels.tiff"], "--output-summary", o / "s", "--output", o / "t"])  # fmt: skip
    for table in ("points.tsv",):
        yield Call("track_objects", (table,), lambda f, o, t=table: [
            "--table", f[t], ("--frame-column", "when"), "--max-distance=20", "--objects-out", o / "a",
            "--tracks-out", o / "b", "--trackmate-xml", o / "x", "--figure", o / "f.png"])  # fmt: skip
    yield Call("track_objects", ("movie.tiff",), lambda f, o: [
        "--labels", f["movie.tiff"], "--max-distance=20", "--divisions", "--objects-out", o / "a", "--tracks-out",
        o / "b", "--challenge-zip", o / "z.zip", "--relabelled", o / "r"])  # fmt: skip
    for table in ("table.tsv", "table.csv", "table.xlsx"):
        yield Call("analyze_spatial_pattern", (table,), lambda f, o, t=table: [
            "--table", f[t], "--neighbour-distance=10", "--simulations=9", "--radii=5", "--width=200", "--height=200",
            *spatial_outputs(o)[:6]])  # fmt: skip
    yield Call("analyze_spatial_pattern", ("labels.tiff", "found.tiff"), lambda f, o: [
        "--labels", f["labels.tiff"], f["found.tiff"], "--class-names", "a", "b", "--neighbour-distance=10",
        "--region", f["labels.tiff"], "--simulations=9", "--radii=5", *spatial_outputs(o)])  # fmt: skip


def spatial_outputs(out: Path) -> list[Word]:
    return [
        "--objects-out", out / "a", "--summary-out", out / "b", "--curves-out", out / "c", "--figure", out / "f.png",
        "--density-out", out / "d",
    ]  # fmt: skip


def given(files: Files, *names: str) -> list[dict[str, str]]:
    """Return datasets as a form names them."""
    return [{"element_identifier": name, "source_path": str(files[name])} for name in names]


def plate_calls() -> Iterator[Call]:
    """Yield calls of tools that take the images and tables of plates."""
    controls = {"column": "control", "negative": "negative"}
    selection = {"operations": ["drop_na_columns", "correlation_threshold"], "missing": 0.05, "outlier": 500,
                 "variance": 1e-6, "correlation": 0.9}  # fmt: skip
    yield Call("profile_wells", ("plate_cells.tsv", "plate_layout.tsv"), lambda f, o: [
        *config(o, tables=given(f, "plate_cells.tsv"), layout=given(f, "plate_layout.tsv"), features="*", more=["mad"],
                reference={"wells": "negative", **controls}, method="standardize", selection=selection),
        *(f"--{name}={o / name}" for name in ("profiles", "normalized", "features"))])  # fmt: skip
    whole = {"by": "induction", "limit": 3, "share": 0.05, "least_objects": 5}
    one = {"by": "feature", "feature": "mean_GFP", "limit": 5, "side": "both", "least_objects": 1}
    for score in (whole, one):
        yield Call("find_hits", ("plate_profiles.tsv",), lambda f, o, s=score: [
            *config(o, profiles=given(f, "plate_profiles.tsv")[0], **controls, positive="positive", score=s, title="t",
                    replicates="compound", dose={"fit": "yes", "compound": "compound", "dose": "dose_uM"}),
            *(f"--{n}={o / n}" for n in ("hits", "notes", "quality", "curves", "curves-plot", "plates", "report"))
        ])  # fmt: skip
    yield Call("plate_template", ("plate_layout.tsv", "pairs.tsv"), lambda f, o: [
        *config(o, source={"kind": "layout", "layout": given(f, "plate_layout.tsv")}, pairs=given(f, "pairs.tsv")),
        "--workbook", o / "w", "--layout", o / "l"])  # fmt: skip
    fields = ("A1.tiff", "A2.tiff", "B3.tiff")
    yield Call("correct_illumination", fields, lambda f, o: [
        "--images", listed(f, o, *fields), ("--channels", "DAPI"), ("--offset", "50"), ("--smoothing", "0.2"),
        "--folder", o / "corrected", "--flat-fields", o / "f", "--table", o / "t"])  # fmt: skip

    def montage(files: Files, out: Path) -> list[Word]:
        listed = {"images": [[f"made_{name[:2]}.ome.tiff", str(files[name])] for name in fields]}
        for kind in ("layout", "hits"):
            listed[kind] = [["t", str(files[f"plate_{kind}.tsv"])]]
        (out / "in.json").write_text(json.dumps(listed))
        return ["--inputs", out / "in.json", ("--channel", "DAPI"), ("--negative", "negative"), "--most=1",
                "--output", out / "m.png"]  # fmt: skip

    yield Call("montage_hits", (*fields, "plate_layout.tsv", "plate_hits.tsv"), montage)


def exchange_calls() -> Iterator[Call]:
    """Yield calls of tools that read or write files of other programs, and of those that cut lists."""
    for tables in (("Image.csv", "Nuclei.csv"), ("qupath.tsv", "qupath.geojson"), ("cells.parquet",), ("cells.h5ad",)):
        yield Call("import_measurements", tables, lambda f, o, t=tables: [
            *config(o, tables=given(f, *t)), "--output", o / "t"])  # fmt: skip
    yield Call("export_qupath", ("labels.tiff", "objects.tsv"), lambda f, o: [
        "--labels", f["labels.tiff"], ("--name", "a"), "--table", f["objects.tsv"], "--output",
        o / "g.json"])  # fmt: skip

    def spatial_data(files: Files, out: Path) -> list[Word]:
        named = {"images": "image.tiff", "labels": "labels.tiff", "tables": "objects.tsv"}
        (out / "in.json").write_text(json.dumps({kind: [["a", str(files[one])]] for kind, one in named.items()}))
        return ["--inputs", out / "in.json", "--spatialdata", out / "s", "--h5ad", out / "h", "--parquet", out / "p"]

    yield Call("export_spatialdata", ("image.tiff", "labels.tiff", "objects.tsv"), spatial_data)
    yield Call("cut_list", ("names.json",), lambda f, o: [
        "--names", f["names.json"], ("--size", "2"), "--output", o / "t"])  # fmt: skip
    yield Call("cut_list", ("objects.tsv",), lambda f, o: [
        "--table", f["objects.tsv"], ("--size", "2"), "--folder", o / "t"])  # fmt: skip


def figure_calls() -> Iterator[Call]:
    """Yield calls of tools that make pictures and pages."""

    def overlay(files: Files, out: Path, *kinds: tuple[str, str]) -> list[Word]:
        given = {kind: [["a", str(files[name])]] for kind, name in kinds}
        (out / "pairs.json").write_text(json.dumps(given))
        return ["--pairs", out / "pairs.json", "--output-png", out / "s.png", "--output-html", out / "r.html"]

    for kind, name in (("labels", "labels.tiff"), ("rois", "rois.geojson"), ("tracks", "tracks.tsv")):
        yield Call("overlay_objects", ("image.tiff", name), lambda f, o, k=kind, n=name: [
            *overlay(f, o, ("images", "image.tiff"), (k, n)), ("--channel", "0")])  # fmt: skip
    for table in ("table.tsv", "table.csv", "table.xlsx"):

        def summarize(files: Files, out: Path, table: str = table) -> list[Word]:
            given = {"tables": [["a", str(files[table])]], "pictures": [["a", str(files["image.png"])]]}
            (out / "in.json").write_text(json.dumps(given))
            typed = ("--features", "area_px,mean_*")
            words: list[Word] = ["--inputs", out / "in.json", typed, "--sheet", out / "s.png"]
            return [*words, *(f"--{n}={out / n}" for n in ("table-out", "statistics-out", "plot", "report"))]

        yield Call("summarize_measurements", (table, "image.png"), summarize)
    for image in ("image.tiff", "tiled.tiff", "old.zarr", "image.ozx"):
        yield Call("vitessce_view", (image, "labels.tiff", "table.tsv", "name.txt"), lambda f, o, i=image: [
            *config(o, feature_x="", feature_y=""), "--name", f["name.txt"], "--image", f[i], "--labels",
            f["labels.tiff"], "--table", f["table.tsv"], "--view", o / "v.json", "--page", o / "p.html"])  # fmt: skip


def fair_calls() -> Iterator[Call]:
    """Yield calls of tools that take metadata."""
    for images in (("cells_a.tiff", "image.ozx"),):
        yield Call("metadata_template", (*images, "images.tsv"), lambda f, o, i=images: [
            "--images", listed(f, o, *i), "--image-table", f["images.tsv"], "--output", o / "t.xlsx"])  # fmt: skip
        for table in METADATA:
            yield Call("metadata_report", (*images, table), lambda f, o, i=images, t=table: [
                "--images", listed(f, o, *i), "--metadata", f[t], "--image-completeness", o / "a",
                "--field-completeness", o / "b", "--report", o / "r.html"])  # fmt: skip
            yield Call("validate_metadata", (table,), lambda f, o, t=table: [
                "--metadata", listed(f, o, t), "--table", o / "t", "--findings", o / "f", "--report",
                o / "r.html"])  # fmt: skip
    for table in ("metadata.tsv", "old.csv"):
        yield Call("describe_linked_data", ("images.tsv", table), lambda f, o, t=table: [
            *config(o, name="n", address="https://example.org/a"), "--image-table", f["images.tsv"], "--metadata",
            f[t], "--json-ld", o / "j.json", "--turtle", o / "t"])  # fmt: skip
    yield Call("attribute_results", ("results.tsv", "origin.tsv"), lambda f, o: [
        "--results", listed(f, o, "results.tsv"), "--origin", f["origin.tsv"], ("--image-column", "image"),
        "--output", o / "t", "--report", o / "r.html"])  # fmt: skip


def crate_calls() -> Iterator[Call]:
    """Yield calls of tools that take or make RO-Crates."""
    for product in ("gide", "bia", "general", "idr"):
        yield Call("build_crate", ("metadata.tsv", "cells_a.tiff", "table.tsv", "run.zip"), lambda f, o, p=product: [
            "--product", p, "--metadata", f["metadata.tsv"], "--images", listed(f, o, "cells_a.tiff"), "--with-images",
            *(["--workflow-run", f["run.zip"]] if p == "general" else []),
            "--crate" if p == "gide" else "--package", o / "c"])  # fmt: skip
    for crate in ("crate.json", "misspelt.json", "crate.zip", "study.json", "run.zip"):
        yield Call("validate_crate", (crate,), lambda f, o, c=crate: [
            "--crate", f[c], "--findings", o / "f", "--report", o / "r.html", "--mended", o / "m.json"])  # fmt: skip
    for crate in ("study.json", "study.zip"):
        yield Call("search_archives", (crate,), lambda f, o, c=crate: [
            *config(o, text="nuclei", where={"kind": "crates"}), "--crates", listed(f, o, c), "--studies", o / "s",
            "--notes", o / "n"])  # fmt: skip


def named(path: Path) -> dict[str, str]:
    return {"element_identifier": path.name, "source_path": str(path), "ext": path.suffix[1:]}


def omero_calls() -> Iterator[Call]:
    """Yield calls of tools that read files before they write to OMERO: a call ends well when it gets there."""

    by_name = {"by": "name", "dataset": "d", "project": "", "create": True}
    within = {"source": "typed", "kind": "dataset", "by": "name", "objects": "d"}
    for table in ("annotations.csv", "old.csv", "new.csv", "tidy.tsv", "table.xlsx"):
        yield Call("omero_annotate", (table,), lambda f, o, t=table: [
            *config(o, table=named(f[t]), attachments=[], kind="image", mode="merge", within=within, omero_host="h"),
            "--output", o / "out.tsv", "--changes", o / "c"])  # fmt: skip
    yield Call("omero_arrange_plates", ("layout.tsv",), lambda f, o: [
        *config(o, layout=named(f["layout.tsv"]), target=within, plate="p", omero_host="h",
                screen={"by": "name", "screen": "s", "create": True}), "--output", o / "out.tsv"])  # fmt: skip
    for image in ("image.tiff",):
        yield Call("omero_import_images", (image, "words.csv"), lambda f, o, i=image: [
            *config(o, files=[named(f[i])], existing="skip", zip_holds="images", place=by_name, omero_host="h",
                    table=named(f["words.csv"])), "--output", o / "out.tsv"])  # fmt: skip
    for image in ("plate.zip", "image.ozx"):
        yield Call("omero_import_images", (image,), lambda f, o, i=image: [
            *config(o, files=[named(f[i])], existing="skip", zip_holds="images", place=by_name, omero_host="h"),
            "--output", o / "out.tsv"])  # fmt: skip
    for labels in ("labels.tiff", "movie.tiff"):
        yield Call("omero_import_labels", (labels,), lambda f, o, n=labels: [
            *config(o, label_maps=[named(f[n])], match=within, labels_name="n", place=by_name,
                    omero_host="h"), "--output", o / "out.tsv"])  # fmt: skip
    for rois in ("labels.tiff", "cell.geojson", "shapes.tsv"):
        yield Call("omero_import_rois", (rois,), lambda f, o, n=rois: [
            *config(o, label_maps=[named(f[n])], match=within, roi_name="n", shape="auto",
                    omero_host="h"), "--output", o / "out.tsv", "--rois", o / "r"])  # fmt: skip
    for table in ("table.tsv", "table.csv"):
        yield Call("omero_import_table", (table,), lambda f, o, t=table: [
            *config(o, tables=[named(f[t])], match=within, table_name="t", attach="dataset", rois=None,
                    omero_host="h"), "--output", o / "out.tsv", "--merged", o / "m"])  # fmt: skip
    yield Call("omero_transfer", ("transfer.zip",), lambda f, o: [
        *config(o, do={"mode": "unpack", "crate": named(f["transfer.zip"])}, omero_host="h"), "--output", o / "out.tsv",
        "--containers", o / "containers.tsv"])  # fmt: skip
    yield from reading_calls()


def reading_calls() -> Iterator[Call]:
    """Yield calls of tools that a table tells what to read."""
    outputs: dict[str, tuple[str, ...]] = {
        "omero_find": ("--output", "out.tsv"),
        "omero_export_images": ("--folder", "images", "--metadata", "meta.tsv"),
        "omero_export_labels": ("--folder", "labels", "--output", "out.tsv"),
        "omero_export_rois": ("--folder", "rois", "--shapes", "shapes.tsv", "--output", "out.tsv"),
        "omero_export_table": ("--folder", "tables", "--output", "out.tsv"),
        "omero_get_annotations": ("--output", "tidy.tsv", "--wide", "out.tsv", "--folder", "files"),
    }
    form = {"format": {"kind": "ome_tiff"}, "mismatch": "refuse", "labels_name": "n", "missing": "skip",
            "roi_name": "", "form": {"form": "label_map", "overlap": "first"}, "of": "images",
            "types": ["key_value"]}  # fmt: skip
    for tool, words in outputs.items():
        yield Call(tool, ("images.tsv",), lambda f, o, words=words: [
            *config(o, target={"source": "table", "table": named(f["images.tsv"])}, omero_host="h", **form),
            *(word if word.startswith("--") else o / word for word in words)])  # fmt: skip
    for kind, table in (("list", "files.tsv"), ("studies", "studies.tsv")):
        what = {"kind": kind, "base": "https://files.example.org", "address": "https://example.org",
                "files_address": "https://files.example.org"}  # fmt: skip
        yield Call("fetch_archive", (table,), lambda f, o, what=what, t=table: [
            *config(o, what=what), "--table", f[t], "--folder", o / "files", "--provenance", o / "p.tsv"])  # fmt: skip
