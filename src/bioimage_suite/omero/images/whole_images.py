"""Export of whole images as OME-TIFF, for tools that need no choices of omero_export_images."""

from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.ome_tiff import tile_side, write_ome_tiff
from bioimage_suite.omero.images.pixels import TILE, fetch_tiles
from bioimage_suite.omero.images.views import view_tiles, whole_view
from bioimage_suite.omero.session import Session


def export_images(session: Session, images: Sequence[ImageDetails], folder: Path) -> None:
    """Write each image to `folder` as `Image_<id>_<name>.ome.tiff`; the caller removes them if anything fails.

    Raises:
        UserError: The server cannot deliver an image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        export_image(session, image, folder / f"{image_identifier(image.image_id, image.name)}.ome.tiff")


def export_image(session: Session, image: ImageDetails, path: Path) -> None:
    """Write an image to a file; see `export_images`."""
    side = tile_side(image, TILE)
    tiles = fetch_tiles(session, view_tiles(whole_view(image), side))
    try:
        write_ome_tiff(path, image, tiles, side, f"{session.address}/image/{image.image_id}")
    finally:
        tiles.close()
