"""What the headers of CZI and LIF say of their images: names, wavelengths, colours, instrument, dates, axes."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.readers.czi_metadata import metadata_of
from bioimage_suite.images.readers.lif import Dimension, _channels, _facts, layout_of
from bioimage_suite.images.writers.display_settings import channel_displays
from bioimage_suite.images.writers.ome_document import ome_document

CZI = """<ImageDocument><Metadata><Information>
<Document><Description>Three nuclei</Description><UserName>ada</UserName></Document>
<User><DisplayName>Ada L.</DisplayName></User>
<Image><AcquisitionDateAndTime>{date}</AcquisitionDateAndTime>
<ObjectiveSettings><ObjectiveRef Id="Objective:2"/></ObjectiveSettings><Dimensions>
<Channels><Channel Id="Channel:0" Name="DAPI"><EmissionWavelength>460</EmissionWavelength>
<AcquisitionMode>WideField</AcquisitionMode></Channel>
<Channel Id="Channel:1"><EmissionWavelength>520.5</EmissionWavelength></Channel></Channels>
<T><Positions><Interval><Increment>2.5</Increment></Interval></Positions></T>
<S><Scenes><Scene Index="0" Name="P1"><Shape Name="A1"/></Scene><Scene Index="4" Name="P2"/></Scenes></S></Dimensions>
</Image>
<Instrument><Microscopes><Microscope Name="Axio">
<Manufacturer><Manufacturer>Zeiss</Manufacturer></Manufacturer></Microscope></Microscopes>
<Objectives><Objective Id="Objective:1" Name="5x"/>
<Objective Id="Objective:2" Name="63x"><LensNA>1.4</LensNA></Objective></Objectives>
<Detectors><Detector><Manufacturer><Model>Axiocam</Model></Manufacturer></Detector></Detectors></Instrument></Information>
<Scaling><Items><Distance Id="X"><Value>1e-7</Value></Distance><Distance Id="Y"><Value>0</Value></Distance>
<Distance Id="Z"><Value>odd</Value></Distance></Items></Scaling>
<DisplaySetting><Channels><Channel><Color>#FF0000FF</Color><DyeMaxEmission>465</DyeMaxEmission></Channel>
<Channel Name="GFP"><Color>#00FF00</Color></Channel></Channels></DisplaySetting></Metadata></ImageDocument>"""


def test_what_a_czi_says():
    said = metadata_of(CZI.format(date="2024-05-06T07:08:09.1234567+02:00"))
    facts = {fact[:2]: fact[2:] for fact in said.facts}
    assert said.channels == ["DAPI", "GFP"]
    assert said.scenes == {0: "P1-A1", 4: "P2"}
    assert said.lengths == {"x": (pytest.approx(0.1), "µm"), "z": ("odd", "m")}
    assert said.interval == (2.5, "s")
    assert facts["image", "AcquisitionDate"][0] == "2024-05-06T05:08:09.123456Z"
    assert facts["image", "Experimenter"][0] == "Ada L."
    assert (facts["objective", "Model"][0], facts["objective", "LensNA"][0]) == ("63x", "1.4")
    assert facts["channel 0", "EmissionWavelength"] == ("465", "nm")  # of the dye
    assert facts["channel 1", "EmissionWavelength"] == ("520.5", "nm")
    assert [int(facts[f"channel {n}", "Color"][0]) & 0xFFFFFFFF for n in (0, 1)] == [0x0000FFFF, 0x00FF00FF]


@pytest.mark.parametrize("xml", ["", " ", "<ImageDocument/>", CZI.format(date="yesterday")])
def test_a_czi_that_says_little(xml: str):
    assert not [fact for fact in metadata_of(xml).facts if fact[1] == "AcquisitionDate"]


def test_it_stands_in_what_is_written():
    facts = metadata_of(CZI.format(date="2024-05-06T07:08:09Z")).facts
    image = ImageFile(
        name="a", size_t=1, size_c=2, size_z=1, size_y=9, size_x=9, dtype=np.dtype("u2"), channels=("DAPI", "GFP"),
        physical_size={}, time_increment=None, read_region=lambda *_: np.zeros((9, 9), "u2"), details={"facts": facts},
    )  # fmt: skip
    displays = channel_displays(image)
    assert [one.color for one in displays] == ["0000FF", "00FF00"]
    root = ET.fromstring(ome_document(image, displays, samples=1, in_tiff=True))
    assert root.findtext("{*}Image/{*}Description") == "Three nuclei"
    assert root.findtext("{*}Image/{*}AcquisitionDate") == "2024-05-06T07:08:09Z"
    assert root.find("{*}Instrument/{*}Detector").get("Model") == "Axiocam"
    assert root.find("{*}Instrument/{*}Microscope").get("Manufacturer") == "Zeiss"
    first = root.find("{*}Image/{*}Pixels/{*}Channel")
    assert (first.get("AcquisitionMode"), first.get("EmissionWavelength"), first.get("Color")) == (
        "WideField", "465", "65535",
    )  # fmt: skip


def test_date_and_names_of_a_lif():
    image = ET.fromstring(
        '<Image><ImageDescription><Channels><ChannelDescription Resolution="12" LUTName="Green" BytesInc="512"/>'
        '<ChannelDescription Resolution="12" LUTName="Blue" BytesInc="0"/></Channels></ImageDescription>'
        '<WideFieldChannelInfo LUT="Blue" ContrastingMethodName="FLUO" FluoCubeName="A4"/></Image>'
    )
    found = _channels(image)
    assert [(one.name, one.offset, one.dtype) for one in found] == [("Blue--FLUO--A4", 0, "<u2"), ("Green", 512, "<u2")]
    times = np.array(["2024-05-06T07:08:09.123"], "datetime64[ms]")
    assert _facts(image, image, times) == [("image", "AcquisitionDate", "2024-05-06T07:08:09.123Z", "")]
    assert _facts(image, image, np.zeros(1, "datetime64[ms]")) == _facts(image, image, None) == []


@pytest.mark.parametrize(
    ("order", "rows", "times", "planes"),
    [
        ("XYZT", "Y", "T", "Z"), ("XYTZ", "Y", "T", "Z"), ("XZ", "Z", "", ""), ("XZT", "Z", "T", ""),
        ("XT", "T", "", ""), ("XTY", "T", "Y", ""), ("XZY", "Z", "", "Y"), ("XYL", "Y", "L", ""), ("XZL", "Z", "", "L"),
        ("XYTL", "Y", "LT", ""), ("X", "", "", ""),
    ],
)  # fmt: skip
def test_roles_of_the_axes_of_a_lif(order: str, rows: str, times: str, planes: str):
    found = layout_of([Dimension(letter, 3, 1.0, "m", 2 * 3**at) for at, letter in enumerate(order)])
    assert (found.rows.letter if found.rows else "") == rows
    assert ("".join(one.letter for one in found.times), "".join(one.letter for one in found.planes)) == (times, planes)
