"""OME-XML: older schemas are upgraded, invalid values are left out and named, the rest stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from ome_types import from_xml

from bioimage_suite.images.writers.ome_schema import NotOmeError, _schema, made_valid, upgraded

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
PIXELS = (
    'ID="Pixels:0" Type="uint8" DimensionOrder="XYZCT" SizeX="5" SizeY="4" SizeZ="3" SizeC="1" SizeT="1" '
    'PhysicalSizeX="0.5"'
)


PARTS = ("root", "before", "image", "pixels", "channel", "inside", "after")


def document(**parts: str) -> str:
    root, before, image, pixels, channel, inside, after = (parts.get(name, "") for name in PARTS)
    return (
        f'<OME xmlns="{OME}" xmlns:v="urn:vendor" {root}>{before}<Image ID="Image:0">{image}<Pixels {PIXELS} {pixels}>'
        f'<Channel ID="Channel:0:0" {channel}>{inside}</Channel><TiffData/></Pixels></Image>{after}</OME>'
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"channel": 'AcquisitionMode="Fluorescence"'}, "AcquisitionMode 'Fluorescence' of Channel"),
        ({"channel": 'EmissionWavelength="0"'}, "EmissionWavelength '0' of Channel"),
        ({"channel": 'Color="#FF0000"'}, "Color '#FF0000' of Channel"),
        ({"channel": 'PinholeSize="5" PinholeSizeUnit="furlong"'}, "PinholeSizeUnit 'furlong' of Channel"),
        ({"image": "<AcquisitionDate>06.05.2024 10:00</AcquisitionDate>"}, "AcquisitionDate '06.05.2024 10:00'"),
        ({"image": '<InstrumentRef ID="Instrument:7"/>'}, "InstrumentRef of Image"),
        ({"pixels": 'PhysicalSizeZ="0"'}, "PhysicalSizeZ '0' of Pixels"),
        ({"root": 'v:version="3"'}, "version '3' of OME"),
        ({"before": "<v:Own><v:More>1</v:More></v:Own>"}, "Own is an element of its writer's own"),
        ({"before": '<Instrument ID="Instrument:0"><Objective ID="Objective:0" Correction="Good"/></Instrument>'},
         "Correction 'Good' of Objective"),
        ({"inside": "<Gain>3</Gain>"}, "Gain '3'"),
        ({"before": "<Instrument/>"}, "Instrument of OME"),
        ({"after": "<Nonsense/>"}, "Nonsense of OME"),
    ],
)  # fmt: skip
def test_an_invalid_value_goes_alone(parts, said):
    found, changes = made_valid(document(**parts))
    assert changes == [said]
    assert _schema().validate(etree.fromstring(found.encode()))
    assert from_xml(found).images[0].pixels.physical_size_x == 0.5


def test_a_valid_document_stays_as_it_is():
    found, changes = made_valid(document(channel='Name="DAPI" EmissionWavelength="465.5"'))
    assert not changes
    assert 'Name="DAPI" EmissionWavelength="465.5"' in found


def test_units_are_translated():
    found, changes = made_valid(
        document(channel='EmissionWavelength="0.5" EmissionWavelengthUnit="micron"', pixels='TimeIncrementUnit="sec"')
    )
    assert not changes
    assert 'EmissionWavelengthUnit="µm"' in found
    assert 'TimeIncrementUnit="s"' in found


def test_a_value_goes_with_its_unit():
    """A length without a unit would be one in the schema's default unit."""
    found, _ = made_valid(document(channel='EmissionWavelength="5" EmissionWavelengthUnit="furlong"'))
    assert "EmissionWavelength" not in found


def test_children_are_brought_into_order():
    found, changes = made_valid(
        document(
            after='<Instrument ID="Instrument:0"><Microscope Model="M"/></Instrument>',
            image='<StageLabel Name="a"/><Description>d</Description>',
        )
    )
    assert not changes
    assert from_xml(found).instruments[0].microscope.model == "M"
    assert from_xml(found).images[0].description == "d"


def test_what_stands_in_an_xml_annotation_may_be_of_anybody():
    after = (
        '<StructuredAnnotations><XMLAnnotation ID="Annotation:0"><Value><v:Own a="1"/></Value></XMLAnnotation>'
        "</StructuredAnnotations>"
    )
    found, changes = made_valid(document(after=after))
    assert not changes
    assert "Own" in found


def test_pixels_cannot_go():
    with pytest.raises(NotOmeError, match="Type"):
        made_valid(document().replace('Type="uint8"', ""))


@pytest.mark.parametrize("schema", ["2010-06", "2011-06", "2012-06", "2013-06", "2015-01"])
def test_older_schemas_are_upgraded(schema):
    old = f"http://www.openmicroscopy.org/Schemas/OME/{schema}"
    image = "<AcquisitionDate>2014-05-06T07:08:09</AcquisitionDate>"
    if schema < "2012-06":
        image = image.replace("AcquisitionDate", "AcquiredDate")
    xml = document(
        before='<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4"/></Instrument>',
        image=image,
        channel='EmissionWavelength="509"',
    ).replace(OME, old)
    found, _ = made_valid(upgraded(xml))
    model = from_xml(found)
    assert str(model.images[0].acquisition_date) == "2014-05-06 07:08:09"
    assert model.images[0].pixels.channels[0].emission_wavelength == 509
    assert model.instruments[0].objectives[0].lens_na == 1.4


@pytest.mark.parametrize("xml", ["<a/>", "<OME/>", "", "no xml", '<!DOCTYPE a [<!ENTITY b "c">]><OME/>'])
def test_what_is_no_ome_xml(xml):
    with pytest.raises(NotOmeError):
        upgraded(xml)


@given(st.sampled_from(["Name", "Color", "EmissionWavelength", "PinholeSize", "AcquisitionMode", "Zzz"]),
       st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8))  # fmt: skip
def test_any_value_of_a_channel_ends_valid(name, value):
    root = etree.fromstring(document().encode())
    next(root.iter(f"{{{OME}}}Channel")).set(name, value)
    found, _ = made_valid(etree.tostring(root, encoding="unicode"))
    assert _schema().validate(etree.fromstring(found.encode()))
