"""Pictures of the tools for plates, and for what other programs measured."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.help_pictures.drawing import DATA, IMAGE, below, form, given, listed, run
from scripts.help_pictures.images import segmented
from scripts.suite_files import tool_script

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

PROFILES = tool_script("find_hits").parent / "test-data" / "translocation_profiles.tabular"
"""What `profile_wells` made of a public plate: docs/case-studies/plate-translocation.md."""
FIELDS, SIDE, DARKEST, SEED = 150, 240, 0.35, 7
"""Of made fields: how many, pixels along an edge, light in a corner beside that in the middle, seed."""
ZOOM = 2
Ring = list[tuple[float, float]]


def find_hits(folder: Path) -> list[Path]:
    """Draw the plate and the curves of a public screen."""
    score = {"by": "feature", "feature": "nuclei_ratio_GFP", "limit": 10, "side": "above", "least_objects": 20}
    values = {"profiles": given(PROFILES), "column": "control", "negative": "negative", "positive": "positive"}
    values |= {"score": score, "title": "BBBC013", "dose": {"fit": "yes", "compound": "compound", "dose": "dose_nM"}}
    form(folder, "find_hits", values, "hits", "notes", "quality", "plates", "report", "curves", "curves-plot")
    return [below(folder / "plates_and_curves.png", [folder / "plates", folder / "curves-plot"])]


def profile_wells(folder: Path) -> list[Path]:
    """Draw two features of the normalized profiles of a public plate, each well in its place."""
    import numpy as np

    from bioimage_suite.plates.controls import find_controls
    from bioimage_suite.plates.pictures import heat_maps
    from bioimage_suite.plates.profiles import read_profiles

    profiles = read_profiles(PROFILES, "profiles")
    controls = find_controls(profiles, "control", "negative", "positive")
    shown = [(name, profiles.column(name)) for name in ("nuclei_ratio_GFP", "area_px")]
    file = folder / "profiles.png"
    file.write_bytes(heat_maps(profiles, controls, shown, np.zeros(len(profiles.wells), bool)))
    return [file]


def montage_hits(folder: Path) -> list[Path]:
    """Draw the hits of the made plate beside its controls."""
    images = {file.name: file for file in sorted((DATA / "plate").glob("made_*.ome.tiff"))}
    tables = {"layout": {"layout": DATA / "plate_layout.tabular"}, "hits": {"hits": DATA / "plate_hits.tabular"}}
    shown = ("--channel", "GFP", "--positive", "positive", "--output", folder / "montage.png")
    run("montage_hits", "--inputs", listed(folder, images=images, **tables), *shown)
    return [folder / "montage.png"]


def correct_illumination(folder: Path) -> list[Path]:
    """Draw a field whose corners are dark, the flat field that is found, and the corrected field."""
    fields = [shaded(folder / f"field {number:02}.ome.tiff", number) for number in range(FIELDS)]
    entries = folder / "images.json"
    entries.write_text(json.dumps([{"path": str(file), "name": file.name} for file in fields]))
    outputs = ("--folder", folder / "corrected", "--flat-fields", folder / "flat.ome.tiff", "--table", folder / "t")
    run("correct_illumination", "--images", entries, *outputs)
    name = fields[0].name
    before, flat, after = (
        pixels(file) for file in (fields[0], folder / "flat.ome.tiff", folder / "corrected" / f"{name}.ome.tiff")
    )
    limits = limits_of(before)
    shown = {"1": grey(before, limits), "2": grey(flat, (0.0, float(flat.max()))), "3": grey(after, limits)}
    return [saved(folder / f"shown{number}.png", picture) for number, picture in shown.items()]


def shaded(file: Path, number: int) -> Path:
    """Write a part of the image of nuclei as a microscope with dark corners would take it; return the file."""
    import numpy as np
    import tifffile

    whole = tifffile.imread(DATA / "nuclei.ome.tiff")
    generator = np.random.default_rng(SEED + number)
    top, left = (int(generator.integers(0, length - SIDE)) for length in whole.shape[-2:])
    part = np.rot90(whole[..., top : top + SIDE, left : left + SIDE].reshape(SIDE, SIDE), int(generator.integers(4)))
    tifffile.imwrite(file, (part * light()).astype(whole.dtype), metadata={"axes": "YX"}, photometric="minisblack")
    return file


def light() -> "np.ndarray":
    """Return the (SIDE, SIDE) light of a microscope: 1 in the middle, DARKEST in the corners."""
    import numpy as np

    place = np.linspace(-1, 1, SIDE)
    return 1 - (1 - DARKEST) * (place[:, None] ** 2 + place[None, :] ** 2) / 2


def export_qupath(folder: Path) -> list[Path]:
    """Draw the objects of the GeoJSON on their image."""
    return [outlined(folder, exported(folder))]


def import_measurements(folder: Path) -> list[Path]:
    """Draw the objects of a GeoJSON, and the label map that is made of them."""
    objects = exported(folder)
    images = folder / "images.json"
    images.write_text(json.dumps([{"path": str(IMAGE), "name": IMAGE.name}]))
    (folder / "form.json").write_text(json.dumps({"tables": [given(objects)]}))
    outputs = ("--images", images, "--labels", folder / "labels", "--output", folder / "imported")
    run("import_measurements", "--config", folder / "form.json", *outputs)
    (labels,) = (folder / "labels").iterdir()
    return [outlined(folder, objects), coloured(folder, labels)]


def export_spatialdata(folder: Path) -> list[Path]:
    """Draw the outlines of a SpatialData on their image, coloured by a feature of its table."""
    import anndata
    import geopandas

    labels, table, packed = segmented(folder), folder / "table.tsv", folder / "spatialdata.zip"
    run("measure_objects", "--labels", labels, "--image", IMAGE, "--output", table)
    inputs = listed(folder, images={"nuclei": IMAGE}, labels={"nuclei": labels}, tables={"nuclei": table})
    others = ("--h5ad", folder / "table.h5ad", "--parquet", folder / "table.parquet")
    run("export_spatialdata", "--inputs", inputs, "--spatialdata", packed, *others)
    with zipfile.ZipFile(packed) as archive:
        shapes = geopandas.read_parquet(archive.extract("shapes/nuclei_shapes/shapes.parquet", folder))
    cells = anndata.read_h5ad(folder / "table.h5ad")
    value_of = dict(zip(cells.obs["label"], cells[:, "mean_Nuclei"].X[:, 0], strict=True))
    polygons = [[list(ring.coords) for ring in (shape.exterior, *shape.interiors)] for shape in shapes.geometry]
    return [ringed(folder, polygons, [float(value_of[label]) for label in shapes.index])]


def exported(folder: Path) -> Path:
    """Return the objects of an image as `export_qupath` writes them."""
    labels, table, objects = segmented(folder), folder / "table.tsv", folder / "objects.geojson"
    run("measure_objects", "--labels", labels, "--image", IMAGE, "--output", table)
    named = ("--kind", "detection", "--name", IMAGE.name)
    run("export_qupath", "--labels", labels, "--table", table, "--output", objects, *named)
    return objects


def outlined(folder: Path, objects: Path) -> Path:
    """Draw the polygons of a GeoJSON on their image, from yellow to red by their area; return the PNG."""
    features = json.loads(objects.read_text())["features"]
    areas = [one["properties"]["measurements"]["area_px"] for one in features]
    return ringed(folder, [one["geometry"]["coordinates"] for one in features], areas)


def ringed(folder: Path, polygons: list[list[Ring]], values: list[float]) -> Path:
    """Draw polygons, each a list of rings, on the image, from yellow to red by the rank of a value; return the PNG."""
    from PIL import ImageDraw

    plane = pixels(IMAGE)
    picture = grey(plane, limits_of(plane)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    ordered = sorted(values)
    for rings, value in zip(polygons, values, strict=True):
        rank = ordered.index(value) / len(ordered)
        for ring in rings:
            pen.line([(x * ZOOM, y * ZOOM) for x, y in ring], fill=(255, round(220 * (1 - rank)), 0), width=2)
    return saved(folder / "outlines.png", picture)


def coloured(folder: Path, labels: Path) -> Path:
    """Draw a label map with a colour for each object; return the PNG."""
    import numpy as np
    from PIL import Image

    plane = pixels(labels).astype(int)
    colours = np.random.default_rng(SEED).integers(60, 256, (plane.max() + 1, 3), np.uint8)
    colours[0] = 0
    picture = Image.fromarray(colours[plane])
    return saved(folder / "coloured.png", picture.resize((picture.width * ZOOM, picture.height * ZOOM), 0))


def pixels(file: Path) -> "np.ndarray":
    """Return the (Y, X) float64 pixels of the first plane of an image."""
    from bioimage_suite.images.readers.opening import open_image

    return open_image(file).read_plane().astype(float)


def limits_of(plane: "np.ndarray") -> tuple[float, float]:
    """Return the grey levels that are drawn black and white."""
    import numpy as np

    low, high = np.percentile(plane, (1, 99.8))
    return float(low), float(high)


def grey(plane: "np.ndarray", limits: tuple[float, float]) -> "Image.Image":
    """Return a plane as a picture, ZOOM times as large."""
    import numpy as np
    from PIL import Image

    low, high = limits
    picture = Image.fromarray((np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8))
    return picture.resize((picture.width * ZOOM, picture.height * ZOOM))


def saved(file: Path, picture: "Image.Image") -> Path:
    """Write a picture; return its file."""
    picture.save(file)
    return file


MADE = (
    find_hits, profile_wells, montage_hits, correct_illumination, export_qupath, export_spatialdata,
    import_measurements,
)  # fmt: skip
