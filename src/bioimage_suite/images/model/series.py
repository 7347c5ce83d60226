"""The choices that a file may leave open: which of its images is meant, and what its pages are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

PAGES = ("auto", "t", "z")
"""What the pages of a TIFF without axes are: time points, as for Bio-Formats, or z-planes; `auto`: see `reading_of`."""


@dataclass(frozen=True)
class Reading:
    """Choices for a file that leaves something open.

    Attributes:
        series: Name or index (as text or number), counted from 0, of one of several images; empty where there is one.
        pages: Axis of the pages of a TIFF that has no axes: `t` or `z`.
    """

    series: str | int = ""
    pages: str = "t"


ONLY_ONE = Reading()


READING = (
    argument("--series", default="", help="one of several images in the file: name, or index from 0"),
    argument("--pages", choices=PAGES, default="auto", help="pages of a TIFF without axes; auto: t, in 3D z"),
)
"""Arguments of a tool that reads images."""


def reading_of(args: Namespace) -> Reading:
    """Return the choices for the image that a tool works on."""
    return Reading(args.series, _pages(args))


def beside(args: Namespace) -> Reading:
    """Return the choices for what belongs to that image, such as its label map: a file of one image."""
    return Reading(pages=_pages(args))


def _pages(args: Namespace) -> str:
    """Return what was chosen; else z if the tool works along z, and t, as for Bio-Formats, if not."""
    along_z = getattr(args, "volume", False) or getattr(args, "frames_along", "t") == "z"
    return str(args.pages) if args.pages != "auto" else "z" if along_z else "t"


def choose_series(names: Sequence[str], wanted: str | int, image: str) -> int:
    """Find one of the images of a file.

    Args:
        names: Their names, empty ones where they have none.
        wanted: Name or index, counted from 0; empty: the only one.
        image: What messages call the file.

    Returns:
        The index.

    Raises:
        UserError: None or several fit; the message lists the images.
    """
    if isinstance(wanted, int):
        return wanted
    wanted = wanted.strip()
    same = [number for number, name in enumerate(names) if name == wanted]
    same = same or [number for number, name in enumerate(names) if name.casefold() == wanted.casefold()]
    if wanted and len(same) == 1:
        return same[0]
    if wanted.isdecimal() and int(wanted) < len(names) and not same:
        return int(wanted)
    if not wanted and len(names) == 1:
        return 0
    listed = "; ".join(f"{number}: {name or 'without a name'}" for number, name in enumerate(names[:50]))
    if not wanted:
        problem = f"it holds {len(names)} images and none was chosen"
    else:
        problem = f"{wanted!r} is {'the name of several' if same else 'none'} of its {len(names)} images"
    more = "" if len(names) <= 50 else f"; and {len(names) - 50} more"
    raise UserError(
        f"Image {image}: {problem}. Choose one as `series`, by its name or by its index counted from 0: "
        f"{listed}{more}; "
        "or make a list of all with convert_image."
    )


class SeriesDocuments:
    """The OME-XML of each image of a document, which is parsed once: a plate may have thousands."""

    def __init__(self, xml: str | None) -> None:
        """Take a document.

        Args:
            xml: OME-XML; None or empty where there is none.

        Raises:
            xml.etree.ElementTree.ParseError: It is no XML.
        """
        self._whole = xml or None
        # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
        self._root = ET.fromstring(xml) if xml else ET.Element("OME")  # noqa: S314
        self._images = self._root.findall("{*}Image")
        if len(self._images) < 2:
            return
        self._places = []
        others = 0
        for child in list(self._root):
            if child.tag.endswith("}Image"):
                self._places.append(others)
                self._root.remove(child)
            else:
                others += 1

    def of(self, number: int) -> str | None:
        """Return the document with one of its images alone, counted from 0; whole, where there is no such choice."""
        if len(self._images) < 2 or number >= len(self._images):
            return self._whole
        image = self._images[number]
        self._root.insert(self._places[number], image)
        text = ET.tostring(self._root, encoding="unicode")
        self._root.remove(image)
        return text
