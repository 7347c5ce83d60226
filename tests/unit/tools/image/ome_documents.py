"""OME-XML that says much."""

RICH = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Microscope Manufacturer="Zeiss" Model="LSM 880"/>
<Objective ID="Objective:0" Model="10x" NominalMagnification="10"/>
<Objective ID="Objective:1" Model="Plan-Apo" NominalMagnification="63" LensNA="1.4"/></Instrument>
<Image ID="Image:0"><AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate><Description>two\tlines
here</Description><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:1"/>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="8" SizeY="8" SizeC="1" SizeZ="1" SizeT="1"
PhysicalSizeX="108" PhysicalSizeXUnit="nm"><Channel ID="Channel:0:0" SamplesPerPixel="1" Name="488" Fluor="GFP"
EmissionWavelength="509"/><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>"""
