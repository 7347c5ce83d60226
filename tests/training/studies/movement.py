"""How fast do telomeres move, and how rarely may one look? A real movie, followed with fewer and fewer frames."""

import statistics
from pathlib import Path

import numpy as np

from tests.training.studies.data import Study, rows, run_tool, wheel

FRAMES = 100
STEPS = (1, 2, 5, 10)
PIXEL_UM, FRAME_S, LARGEST_UM = 0.11, 0.05, 0.3


def study(folder: Path) -> Study:
    """Segment and track the first hundred frames, then every second, fifth and tenth."""
    import tifffile

    movie = tifffile.imread(wheel("spotiflow") / "spotiflow/sample_data/images/timelapse_telomeres_2d.tif")
    numbers: dict[str, float] = {"frames": FRAMES}
    speeds, lengths = [], []
    for step in STEPS:
        tracks = _tracks(movie[:FRAMES:step], step, folder)
        speeds.append(statistics.median(float(one["mean_speed_um_per_s"]) for one in tracks))
        lengths.append(statistics.fmean(float(one["objects"]) for one in tracks) * step / FRAMES)
        numbers |= {
            f"tracks_every_{step}": len(tracks),
            f"median_speed_every_{step}": speeds[-1],
            f"share_of_movie_every_{step}": 100 * lengths[-1],
        }
    return Study(numbers, {"movement-speed": _plot(speeds, folder)})


def _tracks(frames: np.ndarray, step: int, folder: Path) -> list[dict[str, str]]:
    """Return the tracks of frames (T, Y, X) of which every `step`-th was kept."""
    import tifffile

    image, labels, table = folder / "movie.ome.tiff", folder / "labels.ome.tiff", folder / "tracks.tsv"
    sizes = {"PhysicalSizeX": PIXEL_UM, "PhysicalSizeY": PIXEL_UM, "TimeIncrement": FRAME_S * step}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm", "TimeIncrementUnit": "s"}
    tifffile.imwrite(image, frames, metadata={"axes": "TYX", **sizes, **units})
    options = ["--background-radius", 6, "--method", "otsu", "--seeds", "distance", "--seed-distance", 3]
    run_tool("segment_objects", "--image", image, "--output", labels, *options, "--seed-smoothing", 1, "--min-area", 5)
    run_tool(
        "track_objects", "--labels", labels, "--objects-out", folder / "objects.tsv", "--tracks-out", table,
        "--unit", "um", "--max-distance", LARGEST_UM * step**0.5, "--min-objects", 3,
    )  # fmt: skip
    return rows(table)


def _plot(speeds: list[float], folder: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="every n-th frame", ylabel="median speed (µm/s)", xscale="log", yscale="log")
    axes.plot(STEPS, speeds, "o-", label="measured")
    axes.plot(STEPS, [speeds[0] / step**0.5 for step in STEPS], "--", label="random walk: 1/√n")
    axes.set_xticks(STEPS, [str(step) for step in STEPS])
    axes.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    axes.minorticks_off()
    axes.legend()
    figure.savefig(folder / "speed.png", dpi=110)
    return folder / "speed.png"
