"""Make the synthetic files for the tests of tracking, spatial analysis, staining and models.

Run `python test-data/make_analysis_test_data.py`; every run gives identical files. README.md in this folder lists them.
"""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

HERE = Path(__file__).parent


def main() -> None:
    """Write every file."""
    moving_cells()
    two_classes()
    immunohistochemistry()
    tiny_model()
    passing_model()


def save(name: str, pixels: np.ndarray, axes: str, *channels: str, **sizes: Any) -> None:
    """Write an OME-TIFF without timestamp or random id."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    metadata = {"axes": axes, "UUID": identity, "Channel": {"Name": [*channels]}, **sizes}
    tifffile.imwrite(HERE / name, pixels, ome=True, photometric="minisblack", compression="zlib", metadata=metadata)


def zip_file(name: str, members: dict[str, bytes]) -> None:
    """Write a zip without timestamps."""
    with zipfile.ZipFile(HERE / name, "w") as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def moving_cells() -> None:
    """Write a movie of six cells, of which one divides after frame 4 and one is missing in frame 5.

    `moving_cells.ome.tiff` has different labels in every frame, like a segmentation; `moving_cells_truth.zip` is the
    same movie in the Cell Tracking Challenge's ground-truth layout (TRA/man_track000.tif ..., man_track.txt).
    """
    rng = np.random.default_rng(5)
    frames, size = 10, 128
    centre = np.array([[20, 20], [24, 60], [30, 100], [70, 24], [74, 70], [104, 104]], float)
    step = rng.normal(0, 1.5, (6, 2))
    truth = np.zeros((frames, size, size), np.uint16)
    for t in range(frames):
        centre += step + rng.normal(0, 0.5, centre.shape)
        for cell, middle in enumerate(centre):
            if cell == 4 and t > 4:
                apart = np.array([0, 4 + 1.5 * (t - 5)])
                disk(truth[t], middle - apart, 4, 7)
                disk(truth[t], middle + apart, 4, 8)
            elif not (cell == 1 and t == 5):
                disk(truth[t], middle, 6, cell + 1)
    labels = np.zeros_like(truth)
    for t in range(frames):
        ids = np.unique(truth[t])[1:]
        for new, old in enumerate(rng.permutation(ids), 1):
            labels[t][truth[t] == old] = new
    save(
        "moving_cells.ome.tiff", labels, "TYX", "Labels", PhysicalSizeX=0.5, PhysicalSizeXUnit="µm", PhysicalSizeY=0.5,
        PhysicalSizeYUnit="µm", TimeIncrement=60.0, TimeIncrementUnit="s",
    )  # fmt: skip
    # In the challenge's layout a track with a missing frame is two tracks; the first is the parent of the second.
    truth[6:][truth[6:] == 2] = 9
    lines = ["1 0 9 0", "2 0 4 0", "3 0 9 0", "4 0 9 0", "5 0 4 0", "6 0 9 0", "7 5 9 5", "8 5 9 5", "9 6 9 2"]
    members = {"TRA/man_track.txt": ("\n".join(lines) + "\n").encode()}
    for t in range(frames):
        stream = io.BytesIO()
        tifffile.imwrite(stream, truth[t], photometric="minisblack", compression="zlib")
        members[f"TRA/man_track{t:03}.tif"] = stream.getvalue()
    zip_file("moving_cells_truth.zip", members)


def two_classes() -> None:
    """Write `two_classes.tabular`: 40 random points of class A, each with a point of class B at distance 2."""
    rng = np.random.default_rng(1)
    first = rng.uniform(4, 96, (40, 2))
    angle = rng.uniform(0, 2 * np.pi, 40)
    second = first + 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    lines = ["image\tlabel\tcentroid_x_um\tcentroid_y_um\ttype"]
    for number, (kind, (x, y)) in enumerate([("A", p) for p in first] + [("B", p) for p in second], 1):
        lines.append(f"points\t{number}\t{x:.3f}\t{y:.3f}\t{kind}")
    (HERE / "two_classes.tabular").write_text("\n".join(lines) + "\n", encoding="utf-8")


def immunohistochemistry() -> None:
    """Write `ihc.png`: the upper left quarter of scikit-image's `immunohistochemistry` (hematoxylin and DAB)."""
    import skimage.data
    from skimage.io import imsave

    imsave(HERE / "ihc.png", skimage.data.immunohistochemistry()[:256, :256], check_contrast=False)


def tiny_model() -> None:
    """Write `tiny_model.zip`: BioImage Model Zoo package of a network that scales, smooths and applies a sigmoid."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "kernel": np.full((1, 1, 3, 3), 1 / 9),
        "gain": np.array(24.0),
        "half": np.array(6.0),
        "one": np.array(1.0),
    }
    steps = [("Conv", "x", "kernel", "smooth"), ("Mul", "smooth", "gain", "high"), ("Sub", "high", "half", "shifted")]
    nodes = [helper.make_node(kind, [a, b], [out]) for kind, a, b, out in steps]
    nodes[0] = helper.make_node("Conv", ["x", "kernel"], ["smooth"], pads=[1] * 4)
    nodes += [
        helper.make_node("Sigmoid", ["shifted"], ["object"]),
        helper.make_node("Sub", ["one", "object"], ["edge"]),
        helper.make_node("Concat", ["object", "edge"], ["y"], axis=1),
    ]
    shape: list[str | int] = ["b", 1, "h", "w"]
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 2, "h", "w"])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    test = np.random.default_rng(0).random((1, 1, 32, 32)).astype(np.float32)
    # The package scales its input to 0..1; with these two pixels the test input already has that range.
    test[0, 0, 0, 0], test[0, 0, 0, 1] = 0, 1
    padded = np.pad(test[0, 0], 1)
    smooth = np.mean([padded[y : y + 32, x : x + 32] for y in range(3) for x in range(3)], axis=0)
    found = 1 / (1 + np.exp(6 - 24 * smooth))
    zip_file(
        "tiny_model.zip",
        {
            "rdf.yaml": TINY_MODEL.encode(),
            "weights.onnx": model.SerializeToString(),
            "in.npy": npy(test),
            "out.npy": npy(np.stack([found, 1 - found])[None].astype(np.float32)),
            "README.md": b"# Tiny network\n\n# Validation\nFor tests only.\n",
        },
    )


def passing_model() -> None:
    """Write a network that returns its three input channels, and an image of Cellpose's flows for three cells."""
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 3, "h", "w"]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "passing", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    test = npy(np.random.default_rng(0).random((1, 3, 32, 32)).astype(np.float32))
    description = TINY_MODEL.replace("Tiny", "Passing").replace("Brightness to probability", "Passes on its input")
    description = description.replace("[grey]", "[c0, c1, c2]").replace("[object, edge]", "[c0, c1, c2]")
    lines = [line for line in description.splitlines(keepends=True) if "preprocessing" not in line]
    readme = b"# Passing network\n\n# Validation\nFor tests only.\n"
    members = {"rdf.yaml": "".join(lines).encode(), "weights.onnx": model.SerializeToString(), "README.md": readme}
    zip_file("passing_model.zip", members | {"in.npy": test, "out.npy": test})
    y, x = np.indices((64, 80))
    flows = np.zeros((3, 64, 80), np.float32)
    flows[2] = -6
    for row, column, radius in ((20, 20, 10), (20, 42, 11), (46, 30, 8)):
        inside = np.hypot(y - row, x - column) <= radius
        to = np.stack([row - y[inside], column - x[inside]])
        flows[:2, inside], flows[2, inside] = 5 * to / np.maximum(np.hypot(*to), 1), 6
    save("flows.ome.tiff", flows, "CYX", "Flow along y", "Flow along x", "Probability")


def npy(array: np.ndarray) -> bytes:
    """Return an array as the bytes of a .npy file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


TINY_MODEL = """format_version: 0.5.4
type: model
name: Tiny network
description: Brightness to probability, for tests
authors: [{name: Bioimage Suite for Galaxy}]
cite: [{text: none, doi: 10.1234/abcd}]
license: MIT
documentation: README.md
inputs:
- id: raw
  axes:
  - {type: batch}
  - {type: channel, channel_names: [grey]}
  - {type: space, id: y, size: {min: 16, step: 16}}
  - {type: space, id: x, size: {min: 16, step: 16}}
  test_tensor: {source: in.npy}
  data: {type: float32}
  preprocessing: [{id: scale_range, kwargs: {axes: [channel, y, x]}}]
outputs:
- id: prediction
  axes:
  - {type: batch}
  - {type: channel, channel_names: [object, edge]}
  - {type: space, id: y, size: {tensor_id: raw, axis_id: y}}
  - {type: space, id: x, size: {tensor_id: raw, axis_id: x}}
  test_tensor: {source: out.npy}
  data: {type: float32}
weights:
  onnx: {source: weights.onnx, opset_version: 13}
"""


def disk(plane: np.ndarray, middle: np.ndarray, radius: float, label: int) -> None:
    """Draw a disk in place."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    plane[(y - middle[0]) ** 2 + (x - middle[1]) ** 2 <= radius**2] = label


if __name__ == "__main__":
    main()
