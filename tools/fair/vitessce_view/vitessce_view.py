"""Make an interactive view of an image with its label map and measurements: for Vitessce, and as a page to download."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.texts import json_text
from bioimage_suite.core.tool import CONFIG, argument, run_tool, text_file, tool
from bioimage_suite.core.units import MEGABYTE
from bioimage_suite.fair.vitessce.view import Inputs, make_view


@tool(
    __doc__,
    CONFIG,
    argument("--name", type=text_file, required=True, help="file that holds the image's name"),
    argument("--image", type=Path, help="an image; an OME-Zarr as its folder or zip"),
    argument("--labels", type=Path, help="label map, likewise"),
    argument("--table", type=Path, help="measurement table"),
    argument("--viewer", type=Path, help="the viewer's script, to put into the page"),
    argument("--view", type=Path, required=True, help="configuration to write"),
    argument("--page", type=Path, required=True, help="HTML page to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Make, write. The configuration has addresses, features and limits."""
    name = args.name or "image"
    view, page = make_view(args.config, Inputs(name, args.image, args.labels, args.table, args.viewer))
    outputs.file(args.view).write_text(json_text(view), encoding="utf-8")
    outputs.file(args.page).write_text(page, encoding="utf-8")
    print(f"{name}: page of {len(page) / MEGABYTE:.1f} MB, {'with' if args.viewer else 'without'} the viewer")


if __name__ == "__main__":
    run_tool(main)
