"""An import reads what OME-XML says into the model: microscope, settings, planes, ROIs and annotations."""

import base64
import zlib

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")
from omero.rtypes import unwrap

from sandbox.omero.client_import import import_files

MASK = base64.b64encode(zlib.compress(bytes([0b10100000]))).decode()
DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0">
 <Microscope Manufacturer="Maker" Model="M1" Type="Inverted" SerialNumber="S1"/>
 <Laser ID="LightSource:0" Model="pump" Type="Gas" LaserMedium="Ar"/>
 <Laser ID="LightSource:1" Model="L" Type="SolidState" LaserMedium="Other" Wavelength="488" Power="5"
  RepetitionRate="80" RepetitionRateUnit="MHz">
  <Pump ID="LightSource:0"/></Laser>
 <LightEmittingDiode ID="LightSource:2" Model="LED"/>
 <Detector ID="Detector:0" Model="D" Type="EMCCD" Gain="2.5" Offset="1.5" Voltage="300" VoltageUnit="mV"/>
 <Objective ID="Objective:0" Model="Plan" NominalMagnification="63" LensNA="1.4" Immersion="Honey"
  WorkingDistance="0.19" WorkingDistanceUnit="mm" Iris="false"/>
 <FilterSet ID="FilterSet:0" Model="FS"><ExcitationFilterRef ID="Filter:0"/><DichroicRef ID="Dichroic:0"/>
  <EmissionFilterRef ID="Filter:1"/></FilterSet>
 <Filter ID="Filter:0" Model="ex" Type="BandPass"><TransmittanceRange CutIn="470" CutOut="490"/></Filter>
 <Filter ID="Filter:1" Model="em"/><Dichroic ID="Dichroic:0" Model="DM"/>
</Instrument>
<Image ID="Image:0" Name="first"><InstrumentRef ID="Instrument:0"/>
 <ObjectiveSettings ID="Objective:0" Medium="Oil" RefractiveIndex="1.518" CorrectionCollar="0.17"/>
 <ImagingEnvironment Temperature="37" AirPressure="1013" CO2Percent="0.05" Humidity="0.9"/>
 <StageLabel Name="place" X="1.5" XUnit="mm" Y="-2"/>
 <Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="8" SizeY="6" SizeZ="1" SizeC="2" SizeT="1"
   SignificantBits="12">
  <Channel ID="Channel:0:0" Name="GFP" AcquisitionMode="SpinningDiskConfocal" IlluminationType="Epifluorescence"
    ContrastMethod="Fluorescence" PinholeSize="1.2" NDFilter="0.5">
   <LightSourceSettings ID="LightSource:1" Attenuation="0.3" Wavelength="488"/>
   <DetectorSettings ID="Detector:0" Binning="2x2" Gain="3"/><FilterSetRef ID="FilterSet:0"/>
   <LightPath><ExcitationFilterRef ID="Filter:0"/><DichroicRef ID="Dichroic:0"/><EmissionFilterRef ID="Filter:1"/>
    <EmissionFilterRef ID="Filter:1"/></LightPath></Channel>
  <Channel ID="Channel:0:1" PinholeSize="nonsense"/><TiffData PlaneCount="2"/>
  <Plane TheZ="0" TheT="0" TheC="0" DeltaT="1.5" ExposureTime="20" ExposureTimeUnit="ms" PositionX="7"
    PositionXUnit="µm"/>
  <Plane TheZ="0" TheT="0" TheC="1"/><Plane TheZ="1" TheT="0" TheC="1" DeltaT="3"/>
 </Pixels>
 <ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/><AnnotationRef ID="Annotation:0"/>
 <AnnotationRef ID="Annotation:1"/><AnnotationRef ID="Annotation:3"/><AnnotationRef ID="Annotation:4"/>
 <AnnotationRef ID="Annotation:5"/><AnnotationRef ID="Annotation:9"/></Image>
<Image ID="Image:1" Name="second"><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>
 <Pixels ID="Pixels:1" DimensionOrder="XYCZT" Type="uint16" SizeX="8" SizeY="6" SizeZ="1" SizeC="1" SizeT="1">
  <Channel ID="Channel:1:0"/><TiffData IFD="2" PlaneCount="1"/></Pixels><AnnotationRef ID="Annotation:0"/></Image>
<StructuredAnnotations>
 <MapAnnotation ID="Annotation:0" Namespace="ns"><Description>why</Description>
  <Value><M K="gene">TP53</M><M K="gene">X</M></Value></MapAnnotation>
 <TagAnnotation ID="Annotation:1"><AnnotationRef ID="Annotation:2"/><Value>set</Value></TagAnnotation>
 <TagAnnotation ID="Annotation:2"><Value>inner</Value></TagAnnotation>
 <XMLAnnotation ID="Annotation:3" Namespace="x"><Value><a b="1">t</a></Value></XMLAnnotation>
 <XMLAnnotation ID="Annotation:4" Namespace="openmicroscopy.org/OriginalMetadata"><Value><a/></Value></XMLAnnotation>
 <TimestampAnnotation ID="Annotation:5"><Value>2020-01-02T03:04:05</Value></TimestampAnnotation>
 <LongAnnotation ID="Annotation:6" Namespace="on the roi"><Value>7</Value></LongAnnotation>
</StructuredAnnotations>
<ROI ID="ROI:0" Name="cell"><AnnotationRef ID="Annotation:6"/><Union>
 <Rectangle ID="Shape:0" X="1" Y="2" Width="3" Height="2.5" TheZ="0" Text="box" StrokeColor="-16776961"/>
 <Polygon ID="Shape:1" Points="0,0 4,0 4,4"><Transform A00="1" A01="0" A02="5" A10="0" A11="1" A12="6"/></Polygon>
 <Mask ID="Shape:2" X="0" Y="0" Width="4" Height="2"><BinData BigEndian="false" Length="1" Compression="zlib"
  >{MASK}</BinData></Mask><Point ID="Shape:3" X="1" Y="1"/><Ellipse ID="Shape:4" X="3" Y="3" RadiusX="2" RadiusY="1"/>
</Union><Description>about</Description></ROI></OME>"""


@pytest.fixture
def images(gateway, tmp_path) -> list[int]:
    with tifffile.TiffWriter(tmp_path / "m.ome.tif") as writer:
        for number in range(3):
            description = DOCUMENT.encode() if number == 0 else None
            plane = np.full((6, 8), number, np.uint16)
            writer.write(plane, description=description, metadata=None, photometric="minisblack")
    return import_files(gateway.c, [tmp_path / "m.ome.tif"])


def rows(gateway, query: str) -> list[list]:
    return unwrap(gateway.getQueryService().projection(query, None))


def value(quantity) -> tuple[float, str]:
    return quantity.getValue(), quantity.getSymbol()


def test_microscope_and_settings(gateway, images):
    first, second = (gateway.getObject("Image", number) for number in images)
    instrument = first.getInstrument()
    assert instrument.getId() == second.getInstrument().getId()
    assert (instrument.getMicroscope().model, instrument.getMicroscope().serialNumber) == ("M1", "S1")
    (objective,) = instrument.getObjectives()
    assert (objective.getImmersion().value, objective.getCorrection().value) == ("Honey", "Unknown")
    assert value(objective._obj.workingDistance) == (0.19, "mm")
    assert (objective.nominalMagnification, objective._obj.iris.val) == (63, False)
    settings = first.getObjectiveSettings()
    assert (settings.getMedium().value, settings.refractiveIndex, settings.correctionCollar) == ("Oil", 1.518, 0.17)
    assert second.getObjectiveSettings().getObjective().getId() == objective.getId()
    (detector,) = instrument.getDetectors()
    assert (detector.getDetectorType().value, detector.gain, detector.offsetValue) == ("EMCCD", 2.5, 1.5)
    assert value(detector._obj.voltage) == (300, "mV")
    laser = next(source for source in instrument.getLightSources() if source.model == "L")
    assert laser.getLaserMedium().value == "Other"
    assert laser.getPump().model == "pump"
    assert (value(laser._obj.wavelength), value(laser._obj.power)) == ((488, "nm"), (5, "mW"))
    assert sorted(source.model for source in instrument.getLightSources()) == ["L", "LED", "pump"]
    query = "select f.model, r.cutIn.value, r.cutOut.value from Filter f left join f.transmittanceRange r order by f.id"
    assert rows(gateway, query) == [["ex", 470, 490], ["em", None, None]]
    environment, label = first.getImagingEnvironment(), first.getStageLabel()
    assert (value(environment._obj.airPressure), value(laser._obj.repetitionRate)) == ((1013, "mbar"), (80, "MHz"))
    assert (value(environment._obj.temperature), environment.co2percent) == ((37, "°C"), 0.05)
    assert (label.name, value(label._obj.positionX)) == ("place", (1.5, "mm"))
    assert value(label._obj.positionY) == (-2, "reference frame")


def test_channels_and_planes(gateway, images):
    first = gateway.getObject("Image", images[0])
    green, other = (channel.getLogicalChannel() for channel in first.getChannels(noRE=True))
    assert [unwrap(entry.value) for entry in (green._obj.mode, green._obj.illumination, green._obj.contrastMethod)] == [
        "SpinningDiskConfocal",
        "Epifluorescence",
        "Fluorescence",
    ]
    assert (green.ndFilter, value(green._obj.pinHoleSize)) == (0.5, (1.2, "µm"))
    assert other._obj.pinHoleSize is None
    path = green.getLightPath()
    assert [f.model for f in path.getExcitationFilters()] == ["ex"]
    assert [f.model for f in path.getEmissionFilters()] == ["em"]
    assert green.getLightSourceSettings().getLightSource().model == "L"
    query = "select d.binning.value, d.gain, d.detector.model from DetectorSettings d"
    assert rows(gateway, query) == [["2x2", 3, "D"]]
    query = "select s.model, d.model, x.child.model from FilterSet s join s.dichroic d join s.excitationFilterLink x"
    assert rows(gateway, query) == [["FS", "DM", "ex"]]
    (plane,) = first.getPrimaryPixels().copyPlaneInfo()
    assert (plane.getDeltaT(), plane.theC) == (1.5, 0)
    assert value(plane._obj.exposureTime) == (20, "ms")
    assert value(plane._obj.positionX) == (7, "µm")
    assert first.getPrimaryPixels().significantBits == 12


def test_rois_and_annotations(gateway, images):
    first, second = (gateway.getObject("Image", number) for number in images)
    (roi,) = gateway.getRoiService().findByImage(images[0], None).rois
    assert (roi.name.val, roi.description.val) == ("cell", "about")
    box, polygon, mask, point, ellipse = roi.copyShapes()
    assert (box.x.val, box.height.val, box.theZ.val, box.textValue.val) == (1, 2.5, 0, "box")
    assert (box.strokeColor.val, box.theT) == (-16776961, None)
    assert (polygon.points.val, polygon.transform.a02.val) == ("0,0 4,0 4,4", 5)
    assert bytes(mask.bytes) == bytes([0b10100000])
    assert (point.y.val, ellipse.radiusX.val) == (1, 2)
    assert rows(gateway, "select a.ns, a.longValue from RoiAnnotationLink l join l.child a") == [["on the roi", 7]]
    found = {type(a).__name__: a for a in first.listAnnotations()}
    assert sorted(found) == [f"{kind}AnnotationWrapper" for kind in ("Map", "Tag", "Timestamp", "Xml")]
    pairs = found["MapAnnotationWrapper"]
    assert (pairs.getValue(), pairs.getNs(), pairs.getDescription()) == ([("gene", "TP53"), ("gene", "X")], "ns", "why")
    assert [a.getId() for a in second.listAnnotations()] == [pairs.getId()]
    assert "t</" in found["XmlAnnotationWrapper"].getValue()
    assert found["TimestampAnnotationWrapper"].getValue().year == 2020
    query = "select l.parent.textValue, l.child.textValue from AnnotationAnnotationLink l"
    assert rows(gateway, query) == [["set", "inner"]]


def test_all_of_it_goes_with_the_images(gateway, images):
    gateway.deleteObjects("Image", images, deleteAnns=True, wait=True)
    for kind in ("Instrument", "Objective", "PlaneInfo", "Roi", "StageLabel", "ObjectiveSettings", "LightPath"):
        assert rows(gateway, f"select count(x.id) from {kind} x") == [[0]], kind
