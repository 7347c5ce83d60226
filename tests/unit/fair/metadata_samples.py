"""Images, templates and findings to check."""

from pathlib import Path

from bioimage_suite.fair.metadata.checks import Validated, validate
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.image_facts import ImageFacts, facts_of_ome_xml, read_images
from bioimage_suite.tables.key_value_dialects import KeyValueFile, read_dialect
from bioimage_suite.tables.reader import read_text_table

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair"
SCOPES = ("study", "biosample", "acquisition", "annotation")
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">{image}'
    '<Pixels DimensionOrder="XYCZT" SizeX="9" SizeY="9" SizeZ="{z}" SizeC="2" SizeT="{t}" {pixels}>'
    "{channels}</Pixels></Image>{rest}</OME>"
)


def ome(*, z: int = 1, t: int = 1, image: str = "", pixels: str = "", channels: str = "", rest: str = "") -> ImageFacts:
    return facts_of_ome_xml(
        OME.format(z=z, t=t, image=image, pixels=pixels, channels=channels, rest=rest), "a.ome.tiff"
    )


def read(text: str, name: str = "t.csv") -> KeyValueFile:
    return read_dialect(read_text_table(text.encode(), name))


def check(*texts: str, images: tuple[str, ...] = (), scopes: tuple[str, ...] = ()) -> Validated:
    fields = template_fields("rembi", scopes) if scopes else ()
    readings = [read(text, f"t{number}.csv") for number, text in enumerate(texts)]
    return validate(readings, [ImageFacts(name) for name in images], fields)


def errors(result: Validated) -> list[tuple[int, str, str]]:
    return [(f.line, f.column, f.found) for f in result.findings if f.level == "error"]


def images() -> list[ImageFacts]:
    return list(read_images([(DATA / f"cells_{letter}.ome.tiff", f"cells_{letter}.ome.tiff") for letter in "ab"]))
