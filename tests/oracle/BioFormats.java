import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import loci.common.DebugTools;
import loci.common.services.ServiceFactory;
import loci.formats.FormatTools;
import loci.formats.ImageReader;
import loci.formats.ome.OMEXMLMetadata;
import loci.formats.services.OMEXMLService;
import ome.units.quantity.Length;
import ome.units.quantity.Time;
import ome.xml.model.primitives.PositiveInteger;

/** Reads paths from standard input, one a line, and answers each with one line of JSON: what Bio-Formats sees. */
public class BioFormats {
  public static void main(String[] arguments) throws Exception {
    DebugTools.enableLogging("OFF");
    BufferedReader paths = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // what a reader prints is no answer
    answers.println("ready");
    for (String path = paths.readLine(); path != null; path = paths.readLine()) {
      Map<String, Object> answer;
      try {
        answer = describe(path);
      } catch (Throwable error) { // also errors of a native decoder: the next file shall be read
        answer = new LinkedHashMap<>();
        answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
      }
      StringBuilder text = new StringBuilder();
      write(answer, text);
      answers.println(text);
    }
  }

  static Map<String, Object> describe(String path) throws Exception {
    OMEXMLMetadata metadata = new ServiceFactory().getInstance(OMEXMLService.class).createOMEXMLMetadata();
    try (ImageReader reader = new ImageReader()) {
      reader.setMetadataStore(metadata);
      reader.setFlattenedResolutions(false); // the levels of a pyramid are no images
      reader.setId(path);
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("format", reader.getFormat());
      List<Object> series = new ArrayList<>();
      for (int number = 0; number < reader.getSeriesCount(); number++) {
        reader.setSeries(number);
        series.add(describeSeries(reader, metadata, number));
      }
      answer.put("series", series);
      return answer;
    }
  }

  static Map<String, Object> describeSeries(ImageReader reader, OMEXMLMetadata metadata, int number) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("name", metadata.getImageName(number));
    found.put("x", reader.getSizeX());
    found.put("y", reader.getSizeY());
    found.put("z", reader.getSizeZ());
    found.put("c", reader.getSizeC());
    found.put("t", reader.getSizeT());
    found.put("pixel_type", FormatTools.getPixelTypeString(reader.getPixelType()));
    found.put("dimension_order", reader.getDimensionOrder());
    found.put("rgb", reader.isRGB());
    found.put("indexed", reader.isIndexed());
    found.put("levels", reader.getResolutionCount());
    found.put("physical_x", length(metadata.getPixelsPhysicalSizeX(number)));
    found.put("physical_y", length(metadata.getPixelsPhysicalSizeY(number)));
    found.put("physical_z", length(metadata.getPixelsPhysicalSizeZ(number)));
    Time step = metadata.getPixelsTimeIncrement(number);
    found.put("time_increment", step == null ? null : List.of(step.value(), step.unit().getSymbol()));
    found.put("acquired", metadata.getImageAcquisitionDate(number) == null
        ? null : metadata.getImageAcquisitionDate(number).getValue());
    List<Object> channels = new ArrayList<>();
    for (int c = 0; c < metadata.getChannelCount(number); c++) {
      channels.add(describeChannel(metadata, number, c));
    }
    found.put("channels", channels);
    List<Object> objectives = new ArrayList<>();
    for (int i = 0; i < metadata.getInstrumentCount(); i++) {
      for (int o = 0; o < metadata.getObjectiveCount(i); o++) {
        Map<String, Object> objective = new LinkedHashMap<>();
        objective.put("model", metadata.getObjectiveModel(i, o));
        objective.put("magnification", metadata.getObjectiveNominalMagnification(i, o));
        objective.put("lens_na", metadata.getObjectiveLensNA(i, o));
        objectives.add(objective);
      }
    }
    found.put("objectives", objectives);
    found.put("planes", checksums(reader));
    return found;
  }

  static Map<String, Object> describeChannel(OMEXMLMetadata metadata, int number, int c) {
    Map<String, Object> channel = new LinkedHashMap<>();
    PositiveInteger samples = metadata.getChannelSamplesPerPixel(number, c);
    channel.put("name", metadata.getChannelName(number, c));
    channel.put("samples", samples == null ? null : samples.getValue());
    channel.put("emission", length(metadata.getChannelEmissionWavelength(number, c)));
    channel.put("excitation", length(metadata.getChannelExcitationWavelength(number, c)));
    channel.put("color", metadata.getChannelColor(number, c) == null
        ? null : metadata.getChannelColor(number, c).getValue());
    return channel;
  }

  static Object length(Length size) {
    return size == null ? null : List.of(size.value(), size.unit().getSymbol());
  }

  /** CRC-32 of the rows of each "t,c,z", little endian; the samples of a colour pixel count as channels. */
  static Map<String, Object> checksums(ImageReader reader) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    int bytes = FormatTools.getBytesPerPixel(reader.getPixelType());
    int samples = reader.getRGBChannelCount();
    int pixels = reader.getSizeX() * reader.getSizeY();
    for (int plane = 0; plane < reader.getImageCount(); plane++) {
      byte[] data = reader.openBytes(plane);
      int[] zct = reader.getZCTCoords(plane);
      for (int sample = 0; sample < samples; sample++) {
        byte[] one = new byte[pixels * bytes];
        for (int pixel = 0; pixel < pixels; pixel++) {
          int from = (reader.isInterleaved() ? pixel * samples + sample : sample * pixels + pixel) * bytes;
          for (int b = 0; b < bytes; b++) {
            one[pixel * bytes + b] = data[from + (reader.isLittleEndian() ? b : bytes - 1 - b)];
          }
        }
        CRC32 sum = new CRC32();
        sum.update(one);
        found.put(zct[2] + "," + (zct[1] * samples + sample) + "," + zct[0], sum.getValue());
      }
    }
    return found;
  }

  static void write(Object value, StringBuilder text) {
    if (value instanceof Map<?, ?> map) {
      String before = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        text.append(before);
        write(entry.getKey(), text);
        text.append(":");
        write(entry.getValue(), text);
        before = ",";
      }
      text.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof List<?> list) {
      String before = "[";
      for (Object one : list) {
        text.append(before);
        write(one, text);
        before = ",";
      }
      text.append(list.isEmpty() ? "[]" : "]");
    } else if (value == null || value instanceof Boolean
        || value instanceof Number number && Double.isFinite(number.doubleValue())) {
      text.append(value);
    } else {
      text.append('"');
      value.toString().chars().forEach(c ->
          text.append(c < 32 || c > 126 || c == '"' || c == '\\' ? String.format("\\u%04x", c) : (char) c));
      text.append('"');
    }
  }
}
