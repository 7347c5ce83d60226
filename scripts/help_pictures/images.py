"""Pictures of the tools for images: what they draw themselves, or their result drawn by `overlay_objects`."""

from pathlib import Path

from scripts.help_pictures.drawing import DATA, IMAGE, LABELS, drawn, listed, run


def segmented(folder: Path, image: Path = IMAGE) -> Path:
    """Return the label map of `segment_objects`."""
    labels = folder / "segmented.ome.tiff"
    run("segment_objects", "--image", image, "--background-radius", 25, "--output", labels)
    return labels


def segment_objects(folder: Path) -> list[Path]:
    """Draw an image, and the objects found in it."""
    return [drawn(folder, IMAGE, "image"), drawn(folder, IMAGE, "objects", segmented(folder))]


def segment_with_model(folder: Path) -> list[Path]:
    """Draw an image, what the network of the tests predicts for it, and the objects that are made of that."""
    labels, prediction = folder / "labels.ome.tiff", folder / "prediction.ome.tiff"
    network = ("--model", DATA / "tiny_model.zip", "--meaning", "foreground", "--threshold", 0.3, "--tile", 96)
    run("segment_with_model", "--image", IMAGE, *network, "--labels", labels, "--prediction", prediction)
    return [
        drawn(folder, IMAGE, "image"),
        drawn(folder, prediction, "probability"),
        drawn(folder, IMAGE, "objects", labels),
    ]


def measure_objects(folder: Path) -> list[Path]:
    """Draw objects with their numbers, as the table has them."""
    return [drawn(folder, IMAGE, "label in the table", segmented(folder), "--edge=420", "--numbers")]


def filter_objects(folder: Path) -> list[Path]:
    """Draw objects before and after small ones are left out."""
    labels, table, kept = segmented(folder), folder / "t.tsv", folder / "kept.ome.tiff"
    run("measure_objects", "--labels", labels, "--output", table)
    outputs = ("--output-labels", kept, "--output-table", folder / "kept.tsv")
    run("filter_objects", "--labels", labels, "--table", table, "--keep", "area_px > 500", *outputs)
    return [drawn(folder, IMAGE, "all", labels), drawn(folder, IMAGE, "area_px > 500", kept)]


def evaluate_segmentation(folder: Path) -> list[Path]:
    """Draw the true objects of an image beside those that were found."""
    image = DATA / "nuclei.ome.tiff"
    return [drawn(folder, image, "true", LABELS), drawn(folder, image, "found", segmented(folder, image))]


def overlay_objects(folder: Path) -> list[Path]:
    """Draw the contact sheet of two images."""
    names = {name: DATA / f"nuclei_{name}.ome.tiff" for name in ("upper_left", "upper_right")}
    labels = {}
    for name, image in names.items():
        labels[name] = folder / f"{name}.ome.tiff"
        run("segment_objects", "--image", image, "--background-radius", 25, "--output", labels[name])
    pages = ("--output-png", folder / "sheet.png", "--output-html", folder / "page.html")
    run("overlay_objects", "--pairs", listed(folder, images=names, labels=labels), *pages, "--edge", 340)
    return [folder / "sheet.png"]


def summarize_measurements(folder: Path) -> list[Path]:
    """Draw the plot of two images."""
    tables = {}
    for name in ("upper_left", "upper_right"):
        labels, tables[name] = folder / "l.ome.tiff", folder / f"{name}.tsv"
        run(
            "segment_objects",
            "--image",
            DATA / f"nuclei_{name}.ome.tiff",
            "--background-radius",
            25,
            "--output",
            labels,
        )
        run(
            "measure_objects", "--labels", labels, "--image", DATA / f"nuclei_{name}.ome.tiff", "--output", tables[name]
        )
    outputs = [
        word for name in ("table-out", "statistics-out", "plot", "report") for word in (f"--{name}", folder / name)
    ]
    given = listed(folder, tables=tables, pictures={})
    run("summarize_measurements", "--inputs", given, "--features", "area_px, mean_Nuclei", *outputs)
    return [folder / "plot"]


def track_objects(folder: Path) -> list[Path]:
    """Draw the figure of a movie."""
    tables = ("--objects-out", folder / "o", "--tracks-out", folder / "t", "--figure", folder / "f.png")
    run("track_objects", "--labels", DATA / "moving_cells.ome.tiff", "--max-distance", 12, "--divisions", *tables)
    return [folder / "f.png"]


def evaluate_tracking(folder: Path) -> list[Path]:
    """Draw the errors of tracks of a movie whose objects may move too little from frame to frame."""
    tracks, tables = folder / "tracks.zip", ("--objects-out", folder / "o", "--tracks-out", folder / "t")
    movie = ("--labels", DATA / "moving_cells.ome.tiff", "--max-distance", 4)
    run("track_objects", *movie, *tables, "--challenge-zip", tracks)
    compared = ("--reference", DATA / "moving_cells_truth.zip", "--result", tracks, "--result-name", "at most 4 px")
    outputs = ("--measures", folder / "m", "--errors", folder / "e", "--figure", folder / "f.png")
    run("evaluate_tracking", *compared, "--reference-name", "made movie", *outputs)
    return [folder / "f.png"]


def analyze_spatial_pattern(folder: Path) -> list[Path]:
    """Draw the figure of the objects of an image."""
    tables = ("--objects-out", folder / "o", "--summary-out", folder / "s", "--curves-out", folder / "c")
    given = ("--labels", LABELS, "--neighbour-distance", 40, "--figure", folder / "f.png")
    run("analyze_spatial_pattern", *given, *tables)
    return [folder / "f.png"]


def quantify_staining(folder: Path) -> list[Path]:
    """Draw the figure of a stained section."""
    tables = ("--table", folder / "t", "--vectors-out", folder / "v", "--figure", folder / "f.png")
    run("quantify_staining", "--image", DATA / "ihc.png", "--stains", "h_dab", *tables)
    return [folder / "f.png"]


MADE = (
    segment_objects, segment_with_model, measure_objects, filter_objects, evaluate_segmentation, overlay_objects,
    summarize_measurements, track_objects, evaluate_tracking, analyze_spatial_pattern, quantify_staining,
)  # fmt: skip
