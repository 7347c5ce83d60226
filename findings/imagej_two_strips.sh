#!/usr/bin/env bash
# ImageJ 1.53t (Debian 12's libij-java), TIFF of tifffile 2026.3.3: a plane in exactly two strips.
#
# Expected: a plain grey TIFF opens however many strips its plane has; TIFF 6.0 leaves their number to the writer.
# Seen:     one strip opens, three and six open, two do not (NegativeArraySizeException), compressed or not. Strips
#           below 64 KiB have lengths that tifffile writes as SHORT; two of them fill the four bytes of the tag itself,
#           where ImageJ seems to look for the address of a table. The same file with lengths as LONG opens: strips of
#           64 KiB or more are one such case, so that small images fail and larger ones do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libij-java 2>apt.txt
dpkg-deb -x libij-java_*.deb ij
jar=$(find ij -name 'ij*.jar' -type f | head -n 1)
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tifffile==2026.3.3 numpy==2.3.5
venv/bin/python - <<'PYTHON'
import numpy as np
import tifffile

small = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
large = np.arange(512 * 512, dtype=np.uint32).reshape(512, 512).astype(np.uint16)
for name, plane in (("small", small), ("large", large)):
    for strips in (1, 2, 3, 6):
        tifffile.imwrite(f"{name}{strips}.tif", plane, rowsperstrip=-(-len(plane) // strips), photometric="minisblack")
        with tifffile.TiffFile(f"{name}{strips}.tif") as tiff:
            assert len(tiff.pages.first.databytecounts) == strips
            assert np.array_equal(tiff.asarray(), plane)
PYTHON
cat > Open.java <<'JAVA'
import ij.ImagePlus;
import ij.io.Opener;

public final class Open {
  public static void main(String[] paths) {
    System.out.println("ImageJ " + ij.IJ.getVersion());
    for (String path : paths) {
      String seen;
      try {
        ImagePlus image = new Opener().openImage(path);
        seen = image == null ? "refused" : image.getWidth() + "x" + image.getHeight() + " " + image.getPixel(3, 2)[0];
      } catch (RuntimeException error) {
        seen = "refused";
      }
      System.out.println(path + " " + seen);
    }
  }
}
JAVA
java -Djava.awt.headless=true -cp "$jar" Open.java {small,large}{1,2,3,6}.tif >seen.txt 2>/dev/null || true
grep -E "^(ImageJ|small|large)" seen.txt >short.txt
cat short.txt
wanted="small1.tif 60x40 123
small2.tif refused
small3.tif 60x40 123
small6.tif 60x40 123
large1.tif 512x512 1027
large2.tif 512x512 1027
large3.tif 512x512 1027
large6.tif 512x512 1027"
[ "$(tail -n +2 short.txt)" = "$wanted" ] || { echo "the behaviour changed"; exit 1; }
echo "as described: two short strips are refused, one or three are not"
