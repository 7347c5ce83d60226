"""Packages of the BioImage Model Zoo with tiny ONNX networks, for tests."""

import zipfile

import numpy as np

DESCRIPTION = """
format_version: 0.5.4
type: model
name: Tiny network
description: Brightness to probability, and a boundary
authors: [{{name: Nobody}}]
cite: [{{text: none, doi: 10.1234/abcd}}]
license: CC0-1.0
inputs:
- id: raw
  axes: [{leading_in}, {{type: channel, channel_names: {channels_in}}}, {space_in}]
  test_tensor: {{source: in.npy}}
  data: {{type: float32}}
  preprocessing: {preprocessing}
outputs:
- id: prediction
  axes: [{leading_out}, {{type: channel, channel_names: {channels_out}}}, {space_out}]
  test_tensor: {{source: out.npy}}
  data: {{type: float32}}
  postprocessing: {postprocessing}
weights:
  {weights}
{more}
"""
DEFAULT_FILES = "documentation: README.md\ncovers: [cover.png]"
SPACE_IN = "{{type: space, id: {a}, size: {{min: 16, step: 16}}}}"
SPACE_OUT = "{{type: space, id: {a}, size: {{tensor_id: raw, axis_id: {a}}}}}"
BATCH = "{type: batch}"
PLANE_IN = "{type: space, id: z, size: {min: 1, step: 1}}"


def make_package(
    path,
    axes="yx",
    weights="onnx: {source: weights.onnx, opset_version: 13}",
    preprocessing="[]",
    spoil=(),
    postprocessing="[]",
    more=DEFAULT_FILES,
):
    """A package whose network is a mean over 3 pixels along each axis, then sigmoid(8 v - 4), and 1 minus that."""
    from onnx import helper

    kernel = np.full((1, 1, *(3,) * len(axes)), 1 / 3 ** len(axes), np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["smooth"], pads=[1] * (2 * len(axes))),
        helper.make_node("Mul", ["smooth", "eight"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "four"], ["shifted"]),
        helper.make_node("Sigmoid", ["shifted"], ["fg"]),
        helper.make_node("Sub", ["one", "fg"], ["edge"]),
        helper.make_node("Concat", ["fg", "edge"], ["y"], axis=1),
    ]
    constants = {"kernel": kernel, "eight": np.float32(8), "four": np.float32(4), "one": np.float32(1)}
    test = np.random.default_rng(0).random((1, 1, *(32,) * len(axes))).astype(np.float32)
    out = np.concatenate([run_by_hand(test[0, 0]), 1 - run_by_hand(test[0, 0])]).reshape(1, 2, *test.shape[2:])
    space_in, space_out = (", ".join(template.format(a=a) for a in axes) for template in (SPACE_IN, SPACE_OUT))
    text = DESCRIPTION.format(
        leading_in=BATCH, leading_out=BATCH, channels_in="[c0]", channels_out="[fg, edge]", space_in=space_in,
        space_out=space_out, weights=weights, preprocessing=preprocessing,
        postprocessing=postprocessing, more=more,
    )  # fmt: skip
    return _written(path, text, nodes, constants, (test, out + ("output" in spoil)))


def make_passing_package(path, channels, leading="batch", more=DEFAULT_FILES, spoil=None, axes="yx", space=SPACE_IN):
    """A package whose network passes on what it gets, or gives NaN; `leading` z takes planes as Cellpose's do."""
    from onnx import helper

    test = np.random.default_rng(0).random((1, channels, *(32,) * len(axes))).astype(np.float32)
    space_in, space_out = (", ".join(template.format(a=a) for a in axes) for template in (space, SPACE_OUT))
    names = [f"c{number}" for number in range(channels)]
    ends = (BATCH, BATCH) if leading == "batch" else (PLANE_IN, SPACE_OUT.format(a="z"))
    text = DESCRIPTION.format(
        leading_in=ends[0], leading_out=ends[1], channels_in=names, channels_out=names, space_in=space_in,
        space_out=space_out, weights="onnx: {source: weights.onnx, opset_version: 13}", preprocessing="[]", more=more,
        postprocessing="[]",
    )  # fmt: skip
    if spoil == "nan":
        node = helper.make_node("Mul", ["x", "nan"], ["y"])
        return _written(path, text, [node], {"nan": np.float32("nan")}, (test, test * np.nan))
    return _written(path, text, [helper.make_node("Identity", ["x"], ["y"])], {}, (test, test))


def make_stain_package(path, weights, more=DEFAULT_FILES, radius=5, rays=32):
    """A package of StarDist's kind for H&E: of red, green and blue the darkness as probability, and equal distances."""
    from onnx import helper

    kernel = np.zeros((1 + rays, 3, 1, 1), np.float32)
    kernel[0] = -1 / 3
    bias = np.full(1 + rays, radius, np.float32)
    bias[0] = 1
    test = np.random.default_rng(0).random((1, 3, 32, 32)).astype(np.float32)
    out = np.full((1, 1 + rays, 32, 32), radius, np.float32)
    out[0, 0] = 1 - test[0].mean(axis=0)
    space_in, space_out = (", ".join(template.format(a=a) for a in "yx") for template in (SPACE_IN, SPACE_OUT))
    text = DESCRIPTION.format(
        leading_in=BATCH, leading_out=BATCH, channels_in="[r, g, b]", channels_out=[f"c{n}" for n in range(1 + rays)],
        space_in=space_in, space_out=space_out, weights=weights, more=more, postprocessing="[]",
        preprocessing="[{id: scale_linear, kwargs: {gain: 0.00392156862745098, offset: 0.0}}]",
    )  # fmt: skip
    nodes = [helper.make_node("Conv", ["x", "kernel", "bias"], ["y"])]
    return _written(path, text, nodes, {"kernel": kernel, "bias": bias}, (test * 255, out))


def _written(path, description, nodes, constants, tests):
    """Make the zip from a description, a graph from x to y with constants, and test input and output."""
    import imageio.v3
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", test.shape[1], *"zyx"[5 - test.ndim :]])
        for name, test in zip("xy", tests, strict=True)
    ]
    known = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    folder = path.parent / (path.stem + "-files")
    folder.mkdir()
    onnx.save(model, folder / "weights.onnx")
    for name, test in zip(("in", "out"), tests, strict=True):
        np.save(folder / f"{name}.npy", test)
    (folder / "rdf.yaml").write_text(description)
    (folder / "README.md").write_text("# Tiny\n\n# Validation\nnone\n")
    imageio.v3.imwrite(folder / "cover.png", np.zeros((32, 64, 3), np.uint8))
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def run_by_hand(image):
    from scipy.ndimage import uniform_filter

    # Not output=float32: its running sum drifts.
    smooth = uniform_filter(image.astype(np.float64), 3, mode="constant")
    return (1 / (1 + np.exp(-(8 * smooth - 4)))).astype(np.float32)
