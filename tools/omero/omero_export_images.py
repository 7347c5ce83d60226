"""Export images from OMERO as OME-TIFF, with a table of their metadata."""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from image_names import image_identifier
from object_table import write_table
from ome_tiff import tile_side, write_ome_tiff
from omero_image_details import ImageDetails, Length, load_image_details
from omero_objects import find_nonempty_images, read_target
from omero_pixels import TILE, Tile, fetch_tiles, image_tiles, pixel_dtype
from omero_session import Session, open_session
from tool_errors import run_tool

METADATA_COLUMNS = (
    "image_id",
    "image_name",
    "image",
    "size_x",
    "size_y",
    "size_z",
    "size_c",
    "size_t",
    "pixel_type",
    "physical_size_x_um",
    "physical_size_y_um",
    "physical_size_z_um",
    "channel_names",
    "acquisition_date",
)


def export_images(session: Session, images: Sequence[ImageDetails], folder: Path) -> None:
    """Write each image to `folder` as `Image_<id>_<name>.ome.tiff`; on failure remove what was written.

    Raises:
        UserError: The server cannot deliver an image.
    """
    for image in images:
        pixel_dtype(image)  # Refuses what cannot be written before the first file is made.
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    # One stream over all images: requests for the next image are on their way while this one is written.
    tiles = fetch_tiles(session, _all_tiles(images))
    try:
        for number, image in enumerate(images, 1):
            made.append(folder / f"{image_identifier(image.image_id, image.name)}.ome.tiff")
            side = tile_side(image, TILE)
            count = sum(1 for _ in image_tiles(image, side))
            write_ome_tiff(made[-1], image, islice(tiles, count), side, f"{session.address}/image/{image.image_id}")
            print(f"{number}/{len(images)} {made[-1].name}", flush=True)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    finally:
        tiles.close()


def metadata_rows(images: Sequence[ImageDetails]) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows of the metadata table: `METADATA_COLUMNS`, then one column for each key of the key-value pairs.

    A key that an image has several times gives its values joined by "; ". A key that has a fixed column's name gets
    "key " before it. Physical sizes are in micrometres, empty where the unit has no length (such as pixels).
    """
    keys = list(dict.fromkeys(key for image in images for key, _ in image.pairs))
    columns = [*METADATA_COLUMNS, *(f"key {key}" if key in METADATA_COLUMNS else key for key in keys)]
    return columns, (_metadata_row(image, keys) for image in images)


def main() -> None:
    """Parse the command line, export, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, omero_group, target")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the images")
    parser.add_argument("--metadata", type=Path, required=True, help="metadata table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        records = find_nonempty_images(session, read_target(config["target"]))
        images = load_image_details(session, [record.image_id for record in records])
        export_images(session, images, args.folder)
    write_table(args.metadata, *metadata_rows(images))


def _all_tiles(images: Iterable[ImageDetails]) -> Iterator[Tile]:
    for image in images:
        yield from image_tiles(image, tile_side(image, TILE))


def _metadata_row(image: ImageDetails, keys: Iterable[str]) -> list[Any]:
    def micrometre(length: Length | None) -> float | None:
        return None if length is None else length.micrometre

    return [
        image.image_id,
        image.name,
        image_identifier(image.image_id, image.name),
        image.size_x,
        image.size_y,
        image.size_z,
        image.size_c,
        image.size_t,
        image.pixel_type,
        micrometre(image.physical_x),
        micrometre(image.physical_y),
        micrometre(image.physical_z),
        "; ".join(channel.name or "" for channel in image.channels),
        None if image.acquired is None else image.acquired.strftime("%Y-%m-%dT%H:%M:%SZ"),
        *("; ".join(value for name, value in image.pairs if name == key) for key in keys),
    ]


if __name__ == "__main__":
    run_tool(main)
