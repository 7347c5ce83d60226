"""Do nuclei keep apart? Ripley's L of found and of annotated nuclei of one real image."""

from pathlib import Path

from tests.training.studies.data import TEST_DATA, Study, rows, run_tool

IMAGE, TRUTH = TEST_DATA / "nuclei.ome.tiff", TEST_DATA / "nuclei_truth.ome.tiff"


def study(folder: Path) -> Study:
    """Compare the pattern of centres in an annotation with that of two segmentations."""
    maps = {"annotated": TRUTH, "split": folder / "split.ome.tiff", "merged": folder / "merged.ome.tiff"}
    run_tool("segment_objects", "--image", IMAGE, "--output", maps["split"], "--method", "local_otsu")
    none = ["--method", "otsu", "--seeds", "none", "--min-area", 20]
    run_tool("segment_objects", "--image", IMAGE, "--output", maps["merged"], *none)
    numbers: dict[str, float] = {}
    curves = {}
    for name, labels in maps.items():
        summary, curves[name] = _analyse(name, labels, folder)
        numbers |= {
            f"objects_{name}": float(summary["from_objects"]),
            f"nearest_{name}": float(summary["mean_nearest_px"]),
            f"nearest_ratio_{name}": float(summary["nearest_ratio"]),
            f"p_{name}": float(summary["L_p"]),
            f"deviation_{name}": float(summary["largest_deviation_L_px"]),
        }
    return Study(numbers, {"pattern-l": _plot(curves, folder)})


def _analyse(name: str, labels: Path, folder: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    table, summary, curves = (folder / f"{name}_{what}.tsv" for what in ("measured", "summary", "curves"))
    run_tool("measure_objects", "--labels", labels, "--image", IMAGE, "--output", table)
    outputs = ["--objects-out", folder / "o.tsv", "--summary-out", summary, "--curves-out", curves]
    given = ["--table", table, "--window-image", IMAGE, "--neighbour-distance", 30, "--max-radius", 60]
    run_tool("analyze_spatial_pattern", *given, *outputs)
    return rows(summary)[0], rows(curves)


def _plot(curves: dict[str, list[dict[str, str]]], folder: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot(xlabel="distance r (px)", ylabel="L(r) - r (px)")
    for name, points in curves.items():
        radii = [float(one["r_px"]) for one in points]
        axes.plot(radii, [float(one["L_px"]) - radius for one, radius in zip(points, radii, strict=True)], label=name)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.legend()
    figure.savefig(folder / "l.png", dpi=110)
    return folder / "l.png"
