"""Small DICOM files: images of one or several frames, and whole slides in tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
TILE = 16


def write_dicom(path: Path, frames: np.ndarray, photometric: str = "MONOCHROME2", **said: object) -> None:
    """Write (Z, Y, X) frames, or (Z, Y, X, 3) with `RGB`, uncompressed."""
    from pydicom.uid import ExplicitVRLittleEndian

    data = _data_set(CAPTURE, ExplicitVRLittleEndian)
    _describe_pixels(data, frames.shape[1:3], frames.dtype, photometric)
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    for word, value in said.items():
        setattr(data, word, value)
    data.PixelData = frames.tobytes() + bytes(frames.nbytes % 2)
    data["PixelData"].VR = "OW"
    data.save_as(path, enforce_file_format=True)


def write_slide(path: Path, pixels: np.ndarray) -> None:
    """Write (Y, X, 3) pixels of 0.25 x 0.5 µm as tiles of lossless JPEG 2000."""
    import imagecodecs
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    data = _data_set(WHOLE_SLIDE, JPEG2000Lossless)
    _describe_pixels(data, (TILE, TILE), pixels.dtype, "RGB")
    _describe_slide(data, *pixels.shape[:2])
    padded = np.pad(pixels, [(0, -size % TILE) for size in pixels.shape[:2]] + [(0, 0)])
    tiles = [
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(padded[y : y + TILE, x : x + TILE]),
            codecformat="j2k", reversible=True, level=0, mct=False,
        )
        for y in range(0, padded.shape[0], TILE)
        for x in range(0, padded.shape[1], TILE)
    ]  # fmt: skip
    data.NumberOfFrames = len(tiles)
    data.PixelData = encapsulate(tiles)
    data["PixelData"].is_undefined_length = True
    data.save_as(path, enforce_file_format=True)


def _data_set(kind: str, syntax: str) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import generate_uid

    data, head = Dataset(), FileMetaDataset()
    head.MediaStorageSOPClassUID = data.SOPClassUID = kind
    head.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["made"])
    head.TransferSyntaxUID = syntax
    data.file_meta = head
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    data.PatientID = data.PatientName = "made"
    data.StudyID, data.SeriesNumber, data.InstanceNumber, data.Modality = "1", 1, 1, "OT"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.AcquisitionDateTime, data.Manufacturer, data.ManufacturerModelName = "20240506070809", "Maker", "Model"
    return data


def _describe_pixels(data: Dataset, size: tuple[int, ...], dtype: np.dtype, photometric: str) -> None:
    data.SamplesPerPixel = 3 if photometric == "RGB" else 1
    data.PhotometricInterpretation = photometric
    if photometric == "RGB":
        data.PlanarConfiguration = 0
    data.Rows, data.Columns = size
    data.BitsAllocated = data.BitsStored = 8 * dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(dtype.kind == "i")


def _describe_slide(data: Dataset, height: int, width: int) -> None:
    data.Modality, data.ImageType = "SM", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.TotalPixelMatrixRows, data.TotalPixelMatrixColumns, data.TotalPixelMatrixFocalPlanes = height, width, 1
    data.ImagedVolumeHeight, data.ImagedVolumeWidth, data.ImagedVolumeDepth = height * 5e-4, width * 2.5e-4, 0.001
    data.FocusMethod, data.ExtendedDepthOfField, data.SpecimenLabelInImage = "AUTO", "NO", "NO"
    data.BurnedInAnnotation, data.VolumetricProperties, data.LossyImageCompression = "NO", "VOLUME", "00"
    data.ContainerIdentifier, data.AcquisitionContextSequence = "made", []
    data.DimensionOrganizationType = "TILED_FULL"
    data.DimensionOrganizationSequence = [_item(DimensionOrganizationUID="1.2.3.6")]
    measures = _item(PixelSpacing=[0.0005, 0.00025], SliceThickness=0.001)
    frame = _item(FrameType=data.ImageType)
    shared = _item(PixelMeasuresSequence=[measures], WholeSlideMicroscopyImageFrameTypeSequence=[frame])
    data.SharedFunctionalGroupsSequence = [shared]
    origin = _item(XOffsetInSlideCoordinateSystem=0.0, YOffsetInSlideCoordinateSystem=0.0)
    data.TotalPixelMatrixOriginSequence, data.ImageOrientationSlide = [origin], [0, -1, 0, -1, 0, 0]
    light = _item(CodeValue="111744", CodingSchemeDesignator="DCM", CodeMeaning="Brightfield illumination")
    colour = _item(CodeValue="414298005", CodingSchemeDesignator="SCT", CodeMeaning="Full Spectrum")
    optics = _item(OpticalPathIdentifier="1", IlluminationTypeCodeSequence=[light], ObjectiveLensPower=20,
                   IlluminationColorCodeSequence=[colour])  # fmt: skip
    data.OpticalPathSequence, data.NumberOfOpticalPaths = [optics], 1


def _item(**said: object) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    for word, value in said.items():
        setattr(item, word, value)
    return item
