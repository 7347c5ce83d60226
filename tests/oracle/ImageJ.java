import ij.ImagePlus;
import ij.io.Opener;
import ij.measure.Calibration;

/** Prints what ImageJ's own opener, without Bio-Formats, sees in each file: sizes, and a pixel with its unit. */
public final class ImageJ {
  public static void main(String[] paths) {
    for (String path : paths) {
      ImagePlus image = new Opener().openImage(path);
      if (image == null) {
        System.out.println("-");
        continue;
      }
      Calibration scale = image.getCalibration();
      System.out.println(String.join("\t",
          "" + image.getWidth(), "" + image.getHeight(), "" + image.getStackSize(), "" + image.getBitDepth(),
          "" + scale.pixelWidth, "" + scale.pixelHeight, scale.getUnit(), "" + image.getProcessor().getf(3, 2)));
    }
  }
}
