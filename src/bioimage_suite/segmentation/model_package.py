"""BioImage Model Zoo packages: unpacked safely, checked without network access, and run tile by tile.

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

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
SPACE = ("z", "y", "x")
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


def unpack(package: Path, name: str, folder: Path) -> Path:
    """Unpack a package and return the path of its description.

    Args:
        package: Zip file.
        name: Name of the package in messages.
        folder: Empty folder to unpack to.

    Raises:
        UserError: The file is not a zip, has no description, or the model needs another framework or the network.
    """
    from bioimage_suite.core.untrusted_files import MAX_UNPACKED_BYTES, open_zip

    with open_zip(package, name) as archive:
        # The list of members has been checked: no path leaves the folder, and the declared total is below the limit.
        unpacked = 0
        for member in archive.infolist():
            target = folder / member.filename
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as out:
                while part := source.read(1 << 20):
                    unpacked += len(part)
                    if unpacked > MAX_UNPACKED_BYTES:
                        raise UserError(f"Package {name}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes.")
                    out.write(part)
    found = [file for wanted in DESCRIPTIONS for file in sorted(folder.rglob(wanted))]
    found += sorted(folder.rglob("*.bioimageio.yaml"))
    if not found:
        raise UserError(
            f"Package {name}: no model description in it ({', '.join(DESCRIPTIONS)}). Download a model as zip from "
            "bioimage.io."
        )
    check_description(found[0], name)
    return found[0]


def check_description(path: Path, name: str) -> None:
    """Reject what cannot run here, before the library could try to download it.

    Raises:
        UserError: The package does not describe a model, has no ONNX weights, or lacks a part that must be downloaded.
    """
    from ruyaml import YAML
    from ruyaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(path)
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"Package {name}: its {path.name} is no YAML ({error}). Download it again.") from error
    if not isinstance(content, dict) or content.get("type") != "model":
        kind = content.get("type") if isinstance(content, dict) else None
        raise UserError(f"Package {name}: it describes {kind!r}, not a model. Give the package of a model.")
    weights = content.get("weights") or {}
    if not isinstance(weights, dict) or "onnx" not in weights:
        raise UserError(
            f"Package {name}: its weights are {', '.join(weights) or 'none'}; only ONNX weights run here. Choose a "
            "model with ONNX weights, or export them."
        )
    parts = {"weights": weights["onnx"]}
    parts |= {what: content.get(what) for what in ("inputs", "outputs", "test_inputs", "test_outputs")}
    for what, part in parts.items():
        for address in _addresses(part):
            raise UserError(
                f"Package {name}: its {what} need {address} from the network, which is not used here. Download the "
                "complete package from bioimage.io."
            )


def _addresses(part: Any) -> Iterator[str]:
    """Yield network addresses in place of files: values of `source`, and file names in lists."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("source", "test_tensor", "sample_tensor") and isinstance(value, str):
                yield from (value for _ in range(value.lower().startswith(("http:", "https:", "ftp:"))))
            else:
                yield from _addresses(value)
    elif isinstance(part, list):
        for one in part:
            if isinstance(one, str) and one.lower().startswith(("http:", "https:", "ftp:")):
                yield one
            yield from _addresses(one)


def quiet_library(folder: Path) -> None:
    """Keep the library's cache in the job's folder and its log to errors; call this before its import."""
    os.environ.setdefault("BIOIMAGEIO_CACHE_PATH", str(folder / "cache"))
    from loguru import logger

    logger.remove()


def load_network(description: Path, name: str, run_test: bool, output: str | None = None) -> Network:
    """Load a model and check it against its own test data.

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
    model = load_description(description, perform_io_checks=False, format_version="latest")
    if not isinstance(model, ModelDescr):
        raise UserError(f"Package {name}: its description is invalid. {_problems(model.validation_summary)}")
    if run_test:
        summary = test_description(model, weight_format="onnx")
        # For a model that loads but gives other values the library reports "valid-format".
        if summary.status != "passed":
            raise UserError(
                f"Package {name}: the network does not reproduce the package's own test data. {_problems(summary)} "
                "Download it again, choose another model, or leave the check out."
            )
    network = _described(model, name, output)
    pipeline = create_prediction_pipeline(model, weights_format="onnx")
    pipeline.load()
    return Network(str(model.name), pipeline, *network)


def _thresholds(model: Any) -> dict[str, float]:
    """Return the thresholds that StarDist writes into a package: `config: stardist: thresholds`."""
    own = model.config.model_dump().get("stardist")
    given = own.get("thresholds") if isinstance(own, dict) else None
    found = given if isinstance(given, dict) else {}
    return {name: float(value) for name, value in found.items() if isinstance(value, (int, float))}


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
    return axes, channels, space, tuple(least), tuple(step), str(target.id), output_axes, _thresholds(model)


def tile_sizes(network: Network, shape: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Choose tile sizes that the network accepts: the whole image up to `longest`, else about `longest`."""
    sizes = []
    for length, least, step in zip(shape, network.least, network.step, strict=True):
        steps = max(0, -(-(min(length, longest) - least) // step)) if step else 0
        sizes.append(least + steps * step)
    return tuple(sizes)


def predict(network: Network, image: np.ndarray, longest: int = 512, overlap: int = 32) -> np.ndarray:
    """Run the network on an image of any size.

    Preprocessing runs on the whole image (as for zero mean, unit variance). The network then runs on tiles, whose
    outer margin of `overlap` pixels is discarded. Postprocessing runs on the whole result.

    Args:
        network: The model.
        image: (C, Y, X) or (C, Z, Y, X) array.
        longest: Approximate longest side of a tile, px.
        overlap: Pixels at each side of a tile to discard, at most about a quarter of the tile.

    Returns:
        (channels, Y, X) or (channels, Z, Y, X) float32.

    Raises:
        UserError: The output of the network differs in size from its input.
    """
    from bioimageio.core import Sample, Tensor

    shape = image.shape[1:]
    tile = tile_sizes(network, shape, longest)
    member = network.pipeline.model_descr.inputs[0].id
    whole = Sample(members={member: _tensor(network, image)}, stat={}, id="image")
    network.pipeline.apply_preprocessing(whole)
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
    target = next(one.id for one in network.pipeline.model_descr.outputs if str(one.id) == network.output)
    tensor = Tensor.from_numpy(_to_axes(result, network.output_axes), dims=network.output_axes)
    done = Sample(members={target: tensor}, stat=whole.stat, id="result")
    network.pipeline.apply_postprocessing(done)
    return _plain(done.members[target], network.output_axes)


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
