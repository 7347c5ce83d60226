"""Make the pictures of the tools' help from runs of the tools: see `scripts/help_pictures/__init__.py`."""

import sys
import tempfile
from pathlib import Path

from scripts.help_pictures import images, plates
from scripts.help_pictures.drawing import PICTURES, beside, save_small

MADE = {make.__name__: make for make in (*images.MADE, *plates.MADE)}
PHOTOGRAPHS = {
    "segment_objects", "measure_objects", "filter_objects", "evaluate_segmentation", "overlay_objects",
    "correct_illumination", "montage_hits", "export_qupath", "export_spatialdata", "import_measurements",
    "segment_with_model",
}  # fmt: skip


def main(chosen: list[str] | None = None) -> int:
    """Make the pictures of the tools that are named, or all."""
    for tool in chosen or MADE:
        with tempfile.TemporaryDirectory() as folder:
            file = PICTURES / f"{tool}.{'jpg' if tool in PHOTOGRAPHS else 'png'}"
            save_small(beside(MADE[tool](Path(folder))), file)
        print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
