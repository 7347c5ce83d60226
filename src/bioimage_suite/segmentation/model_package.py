"""Networks of the BioImage Model Zoo: loaded, checked against their own test data, and run tile by tile.

Format: https://bioimage-io.github.io/spec-bioimage-io/ (model description 0.5; 0.4 is read through the library's own
conversion). Networks run in onnxruntime through bioimageio.core.
"""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.damage import reading
from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

SPACE = ("z", "y", "x")
AGAIN = "Download it again."
IN_MEMORY = 1 << 24  # up to as many predicted numbers are kept in memory


@dataclass(frozen=True)
class Network:
    """A loaded model, ready to run.

    Attributes:
        name: Name in the description.
        pipeline: Loaded prediction pipeline of the library.
        axes: Names of the input's axes in order: `batch`, `channel`, `z`, `y`, `x`.
        channels: Number of channels of the input.
        space: Spatial axes of the input: (y, x) or (z, y, x).
        least: Smallest tile along each spatial axis, px.
        step: Increment of the tile size along each spatial axis, px; 0 where the size is fixed.
        output: Name of the output tensor to use.
        output_axes: Names of the output's axes in order.
        thresholds: StarDist's `prob` and `nms`, if the package has them.
        anisotropy: Of StarDist's rays in 3D, z, y, x; 1 where the package says nothing.
    """

    name: str
    pipeline: Any
    axes: tuple[str, ...]
    channels: int
    space: tuple[str, ...]
    least: tuple[int, ...]
    step: tuple[int, ...]
    output: str
    output_axes: tuple[str, ...]
    thresholds: dict[str, float] = field(default_factory=dict)
    anisotropy: tuple[float, ...] = (1.0, 1.0, 1.0)


def quiet_library(folder: Path) -> None:
    """Keep the library's cache in the job's folder and its log to errors; call this before its import."""
    os.environ.setdefault("BIOIMAGEIO_CACHE_PATH", str(folder / "cache"))
    from loguru import logger

    logger.remove()


def load_network(description: Path, name: str, run_test: bool, output: str | None = None) -> Network:
    """Load a model and check it against its own test data.

    "Passed" of the library is not enough: it takes an output that is no number as one that does not differ.

    Args:
        description: The unpacked description.
        name: Name of the package in messages.
        run_test: Whether the network must reproduce its test outputs.
        output: Name of the output tensor; None for the first.

    Raises:
        UserError: The description is invalid, the test fails, or inputs or outputs are not of a kind that runs here.
    """
    from bioimageio.core import create_prediction_pipeline, load_description, test_description
    from bioimageio.spec.model.v0_5 import ModelDescr

    # With perform_io_checks the library would look up a missing relative path in the model zoo.
    with reading(f"Package {name}, its description", AGAIN):
        model = load_description(description, perform_io_checks=False, format_version="latest")
    if not isinstance(model, ModelDescr):
        raise UserError(f"Package {name}: its description is invalid. {_problems(model.validation_summary)}")
    if run_test:
        with reading(f"Package {name}, its test data", AGAIN):
            summary = test_description(model, weight_format="onnx")
        # For a model that loads but gives other values the library reports "valid-format".
        if summary.status != "passed":
            raise UserError(
                f"Package {name}: the network does not reproduce the package's own test data. {_problems(summary)} "
                "Download it again, choose another model, or leave the check out."
            )
    network = _described(model, name, output)
    with reading(f"Package {name}, its network", AGAIN):
        pipeline = create_prediction_pipeline(model, weights_format="onnx")
        pipeline.load()
    if run_test:
        _check_numbers(pipeline, model, name)
    return Network(str(model.name), pipeline, *network)


def _check_numbers(pipeline: Any, model: Any, name: str) -> None:
    """Reject a network that gives NaN or infinity for the package's own test input.

    Raises:
        UserError: An output has such values.
    """
    from bioimageio.core.digest_spec import get_test_input_sample

    # The network gets the test input as it is: a fixed size leaves no room for padding.
    found = pipeline.predict_sample_without_blocking(
        get_test_input_sample(model), skip_input_padding=True, skip_output_cropping=True
    )
    for member, tensor in found.members.items():
        wrong = int((~np.isfinite(np.asarray(tensor.data, np.float64))).sum())
        if wrong:
            raise UserError(
                f"Package {name}: the network gives {wrong} values that are no finite numbers in its output {member} "
                "for the package's own test data. Choose another model."
            )


def _thresholds(model: Any) -> dict[str, float]:
    """Return the thresholds that StarDist writes into a package: `config: stardist: thresholds`."""
    found = _of_stardist(model, "thresholds")
    return {name: float(value) for name, value in found.items() if isinstance(value, (int, float))}


def _anisotropy(model: Any, name: str) -> tuple[float, ...]:
    """Return the anisotropy of the rays that StarDist writes into a package: `config: stardist: config: rays_json`.

    Raises:
        UserError: The rays are others than those of the golden spiral, or the anisotropy is not three sizes.
    """
    rays = _of_stardist(model, "config", "rays_json")
    kind, given = rays.get("name", "Rays_GoldenSpiral"), (rays.get("kwargs") or {}).get("anisotropy")
    if kind != "Rays_GoldenSpiral":
        raise UserError(
            f"Package {name}: its rays are {kind!r}. Only StarDist's default, Rays_GoldenSpiral, runs here."
        )
    sizes = (1.0, 1.0, 1.0) if given is None else tuple(given) if isinstance(given, (list, tuple)) else ()
    if len(sizes) != 3 or not all(isinstance(one, (int, float)) and 0 < one < math.inf for one in sizes):
        raise UserError(f"Package {name}: the anisotropy of its rays is {given!r}, not three sizes above 0. {AGAIN}")
    return tuple(map(float, sizes))


def _of_stardist(model: Any, *keys: str) -> dict[str, Any]:
    """Return what StarDist writes into a package below `config: stardist`; nothing where it has another form."""
    found = model.config.model_dump().get("stardist")
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _problems(summary: Any) -> str:
    """Return the first errors of a validation summary in one line."""
    found = [f"{'.'.join(map(str, e.loc))}: {e.msg}" for detail in summary.details for e in detail.errors]
    return " ".join("; ".join(found[:3]).split())[:400]


def _described(model: Any, name: str, wanted: str | None) -> tuple[Any, ...]:
    """Return the parts of the description that are needed to feed the network: see Network."""
    if len(model.inputs) != 1:
        raise UserError(f"Package {name}: the model has {len(model.inputs)} inputs; only models with one run here.")
    source = model.inputs[0]
    outputs = {str(one.id): one for one in model.outputs}
    if wanted is not None and wanted not in outputs:
        raise UserError(f"Package {name}: the model has no output {wanted!r}. Choose one of: {', '.join(outputs)}.")
    target = outputs[wanted] if wanted is not None else model.outputs[0]
    axes = tuple(str(axis.id) for axis in source.axes)
    space = tuple(axis for axis in axes if axis in SPACE)
    unknown = set(axes) - {"batch", "channel", *SPACE}
    if unknown or space not in (("y", "x"), ("z", "y", "x")):
        raise UserError(
            f"Package {name}: the model's input has the axes {', '.join(axes)}. Only models with the axes batch, "
            "channel, (z,) y, x run here."
        )
    least, step = [], []
    for axis in source.axes:
        if str(axis.id) in SPACE:
            size: Any = axis.size
            least.append(int(getattr(size, "min", size)))
            step.append(int(getattr(size, "step", 0)))
    channels = next((len(axis.channel_names) for axis in source.axes if str(axis.id) == "channel"), 1)
    output_axes = tuple(str(axis.id) for axis in target.axes)
    if tuple(axis for axis in output_axes if axis in SPACE) != space:
        raise UserError(f"Package {name}: output {target.id} has the axes {', '.join(output_axes)}, the input has "
                        f"{', '.join(axes)}. Only models that give an image of the same size run here.")  # fmt: skip
    return (axes, channels, space, tuple(least), tuple(step), str(target.id), output_axes, _thresholds(model),
            _anisotropy(model, name))  # fmt: skip


def tile_sizes(network: Network, shape: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Choose tile sizes that the network accepts: the whole image up to `longest`, else about `longest`."""
    sizes = []
    for length, least, step in zip(shape, network.least, network.step, strict=True):
        steps = max(0, -(-(min(length, longest) - least) // step)) if step else 0
        sizes.append(least + steps * step)
    return tuple(sizes)


def predict(network: Network, image: np.ndarray, longest: int = 512, overlap: int = 32) -> np.ndarray:
    """Run the network on an image of any size; nothing is kept from the images before.

    Preprocessing runs on the whole image (as for zero mean, unit variance). Statistics that the description asks of the
    whole data set are those of this image: the library's running ones would make a plane depend on those before it. The
    network then runs on tiles, whose outer margin of `overlap` pixels is discarded. Postprocessing runs on the whole
    result.

    Args:
        network: The model.
        image: (C, Y, X) or (C, Z, Y, X) array.
        longest: Approximate longest side of a tile, px.
        overlap: Pixels at each side of a tile to discard, at most about a quarter of the tile.

    Returns:
        (channels, Y, X) or (channels, Z, Y, X) float32.

    Raises:
        UserError: The output of the network differs in size from its input, or has values that are no numbers.
    """
    from bioimageio.core import Sample, Tensor
    from bioimageio.core.proc_setup import get_pre_and_postprocessing

    shape = image.shape[1:]
    tile = tile_sizes(network, shape, longest)
    member = network.pipeline.model_descr.inputs[0].id
    whole = Sample(members={member: _tensor(network, image)}, stat={}, id="image")
    processing = get_pre_and_postprocessing(network.pipeline.model_descr, dataset_for_initial_statistics=())
    processing.pre(whole)
    ready = _plain(whole.members[member], network.axes)
    margin = tuple(
        min(overlap, (size - 1) // 4) if size < length else 0 for size, length in zip(tile, shape, strict=True)
    )
    padding = [(m, max(size - length - m, m)) for m, size, length in zip(margin, tile, shape, strict=True)]
    # Source indices of the padded image: tiles are gathered from them, so the padded image is never in memory.
    mirrored = [np.pad(np.arange(length), pad, mode="symmetric") for length, pad in zip(shape, padding, strict=True)]
    result: np.ndarray | None = None
    starts = [_starts(length, size - 2 * m) for length, size, m in zip(shape, tile, margin, strict=True)]
    for corner in itertools.product(*starts):
        window = [from_[at : at + size] for from_, at, size in zip(mirrored, corner, tile, strict=True)]
        pixels = ready[np.ix_(np.arange(len(ready)), *window)]
        part = Sample(members={member: _tensor(network, pixels)}, stat=whole.stat, id="tile")
        found = network.pipeline.predict_sample_without_blocking(
            part, skip_preprocessing=True, skip_postprocessing=True, skip_input_padding=True, skip_output_cropping=True
        )
        values = _plain(found.members[network.output], network.output_axes)
        if values.shape[1:] != tile:
            raise UserError(
                f"Model {network.name}: gives {values.shape[1:]} for a tile of {tile}. Only models that give an image "
                "of the same size run here."
            )
        if result is None:
            result = _zeros((len(values), *shape))
        inner = tuple(slice(m, m + min(size - 2 * m, length - at))
                      for m, size, length, at in zip(margin, tile, shape, corner, strict=True))  # fmt: skip
        place = tuple(slice(at, at + s.stop - s.start) for at, s in zip(corner, inner, strict=True))
        result[:, *place] = values[:, *inner]
    assert result is not None
    _check_finite(result, network)
    target = next(one.id for one in network.pipeline.model_descr.outputs if str(one.id) == network.output)
    tensor = Tensor.from_numpy(_to_axes(result, network.output_axes), dims=network.output_axes)
    done = Sample(members={target: tensor}, stat=whole.stat, id="result")
    processing.post(done)
    return _plain(done.members[target], network.output_axes)


def _check_finite(result: np.ndarray, network: Network) -> None:
    """Reject a prediction with NaN or infinity: no threshold can be above or below them.

    Raises:
        UserError: The prediction has such values.
    """
    wrong = sum(int((~np.isfinite(channel)).sum()) for channel in result)
    if wrong:
        raise UserError(
            f"Model {network.name}: {wrong} of {result.size} predicted values are no finite numbers. Check that the "
            "image's grey levels are in the range that the model expects, or choose another model."
        )


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Return float32 zeros, in a temporary file if they are many: StarDist's networks predict 33 channels."""
    from bioimage_suite.core.scratch import on_disk

    return on_disk(shape, np.float32) if math.prod(shape) > IN_MEMORY else np.zeros(shape, np.float32)


def _starts(length: int, core: int) -> list[int]:
    """Return the starts of tiles whose cores cover a side; the last ones overlap to stay inside the image."""
    return sorted({min(at, max(length - core, 0)) for at in range(0, length, core)})


def _to_axes(array: np.ndarray, axes: tuple[str, ...]) -> np.ndarray:
    """Transpose (C, space...) to the order of `axes`, with a batch of one."""
    order = ["channel", *(axis for axis in SPACE if axis in axes)]
    if "channel" not in axes:
        array, order = array[0], order[1:]
    wanted = [axis for axis in axes if axis != "batch"]
    array = array.transpose([order.index(axis) for axis in wanted])
    return array[tuple(None if axis == "batch" else slice(None) for axis in axes)]


def _tensor(network: Network, image: np.ndarray) -> Any:
    from bioimageio.core import Tensor

    return Tensor.from_numpy(np.ascontiguousarray(_to_axes(image, network.axes)), dims=network.axes)


def _plain(tensor: Any, axes: tuple[str, ...]) -> np.ndarray:
    """Return a tensor as (C, space...) float32."""
    array = np.asarray(tensor.data, np.float32)
    order = [axis for axis in ("batch", "channel", *SPACE) if axis in axes]
    array = array.transpose([axes.index(axis) for axis in order])
    array = array[0] if "batch" in axes else array
    return array if "channel" in axes else array[None]
