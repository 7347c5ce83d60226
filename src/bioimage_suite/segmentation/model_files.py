"""Packages of the BioImage Model Zoo: unpacked safely, and described by what runs here and by nothing else.

Format: https://bioimage-io.github.io/spec-bioimage-io/ (model descriptions 0.4 and 0.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.core.damage import reading
from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
# What a network needs to run and to be tested. The library checks every address that a description holds over the
# network (other weights, samples, covers, names at GitHub), so the description that it gets holds none.
KEPT = ("format_version", "type", "name", "description", "license", "timestamp", "inputs", "outputs", "test_inputs",
        "test_outputs")  # fmt: skip
# Of the free part of a description: how exactly test outputs must be met, and the thresholds of StarDist.
KEPT_CONFIG = {"bioimageio": ("reproducibility_tolerance", "test_kwargs"), "stardist": ("thresholds", "config")}
# Descriptions have some 10 kB, of which the parser takes a fraction of a second; for brackets within brackets, hours.
MAX_SECONDS, MAX_MEMORY, MAX_PARTS = 30, 500 << 20, 100_000
OWN_DESCRIPTION, OWN_TEXT = "only-what-runs.bioimageio.yaml", "only-what-runs.md"


def unpack(package: Path, name: str, folder: Path) -> Path:
    """Unpack a package and return the path of the description that is to be loaded: see `own_description`.

    Args:
        package: Zip file.
        name: Name of the package in messages.
        folder: Empty folder to unpack to.

    Raises:
        UserError: The file is not a zip, has no description, or the model needs another framework or the network.
    """
    return own_description(extract(package, name, folder), name)


def extract(package: Path, name: str, folder: Path) -> Path:
    """Unpack a package as it is, and return the path of its description.

    Args:
        package: Zip file.
        name: Name of the package in messages.
        folder: Empty folder to unpack to.

    Raises:
        UserError: The file is not a zip, or has no description.
    """
    from bioimage_suite.core.untrusted_files import open_zip, unpack_member

    with open_zip(package, name) as archive:
        # The list of members has been checked: no path leaves the folder, and the declared total is below the limit.
        for member in archive.infolist():
            target = folder / member.filename
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            unpack_member(archive, member, target, name)
    found = [file for wanted in DESCRIPTIONS for file in sorted(folder.rglob(wanted))]
    found += sorted(folder.rglob("*.bioimageio.yaml"))
    if not found:
        raise UserError(
            f"Package {name}: no model description in it ({', '.join(DESCRIPTIONS)}). Download a model as zip from "
            "bioimage.io."
        )
    return found[0]


def own_description(path: Path, name: str) -> Path:
    """Write a description of what runs here beside the package's own, and return its path.

    It keeps the ONNX weights and what `KEPT` names; other weights, samples, covers and people are left out.

    Raises:
        UserError: The package does not describe a model, has no ONNX weights, or lacks a part that must be downloaded.
    """
    from ruyaml import YAML

    content = read_description(path, name)
    kept = _what_runs(content, name)
    for what, part in kept.items():
        for file in _files(part):
            _check_file(file, what, path.parent, name)
    kept["config"] = _kept_config(content.get("config"))
    (path.parent / OWN_TEXT).write_text("# Validation\nSee the package.\n", encoding="utf-8")
    kept |= {"authors": [{"name": "see the package"}], "documentation": OWN_TEXT}
    with (path.parent / OWN_DESCRIPTION).open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump(kept, out)
    return path.parent / OWN_DESCRIPTION


def needed_files(path: Path, name: str) -> dict[str, str]:
    """Return the files that a network needs to run and to be tested, with their SHA-256 where the description has it.

    Args:
        path: The package's description.
        name: Name of the package in messages.

    Returns:
        Lower-case hexadecimal digits, or an empty text, by the file's path as it is written there.

    Raises:
        UserError: The file does not describe a model, or it has no ONNX weights.
    """
    kept = _what_runs(read_description(path, name), name)
    return dict.fromkeys(_files(kept), "") | dict(_checksums(kept))


def _what_runs(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the parts of a description that `KEPT` names, and its ONNX weights.

    Raises:
        UserError: There are no ONNX weights.
    """
    weights = content.get("weights") or {}
    if not isinstance(weights, dict) or not isinstance(weights.get("onnx"), dict):
        raise UserError(
            f"Package {name}: its weights are {', '.join(map(str, weights)) or 'none'}; only ONNX weights run here. "
            "Choose a model with ONNX weights, or export them."
        )
    onnx = {key: value for key, value in weights["onnx"].items() if key in ("source", "sha256", "opset_version")}
    kept = {key: _without_samples(content[key]) for key in KEPT if key in content}
    return {"weights": {"onnx": onnx}} | kept


def read_description(path: Path, name: str) -> dict[str, Any]:
    """Return the content of a model's description.

    Raises:
        UserError: It is no YAML, takes too much time or memory, or describes something else.
    """
    import ruyaml  # noqa: F401 (loaded once, not in each child)

    try:
        content = run_apart(_parsed, path, name, seconds=MAX_SECONDS, memory=MAX_MEMORY)
    except ApartError as error:
        raise UserError(f"Package {name}: its {path.name} {error}. Download it again.") from error
    if not isinstance(content, dict) or content.get("type") != "model":
        kind = content.get("type") if isinstance(content, dict) else None
        raise UserError(f"Package {name}: it describes {kind!r}, not a model. Give the package of a model.")
    return content


def _parsed(path: Path, name: str) -> Any:
    from ruyaml import YAML

    with reading(f"Package {name}: its {path.name} is no YAML", "Download it again."):
        content = YAML(typ="safe").load(path)
        _check_parts(content)
    return content


def _check_parts(content: Any) -> None:
    """Refuse what an alias repeats without end, and text that no file can hold.

    An alias costs a few letters, but whoever walks through the content meets all that it stands for each time.

    Raises:
        ValueError: There is such a part.
    """
    left, met = [content], 1
    while left:
        part = left.pop()
        if isinstance(part, str):
            part.encode()
            continue
        inner = [*part, *part.values()] if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ()
        met += len(inner)
        if met > MAX_PARTS:
            raise ValueError(f"more than {MAX_PARTS:,} parts, those that aliases repeat counted each time")
        left += inner


def _without_samples(part: Any) -> Any:
    """Return a part of a description without samples, which are pictures for people."""
    if isinstance(part, dict):
        return {key: _without_samples(value) for key, value in part.items() if key != "sample_tensor"}
    return [_without_samples(one) for one in part] if isinstance(part, list) else part


def _kept_config(config: Any) -> dict[str, dict[str, Any]]:
    """Return the parts of the free `config` that are used here: see `KEPT_CONFIG`."""
    parts = config if isinstance(config, dict) else {}
    own = {whose: parts[whose] for whose in KEPT_CONFIG if isinstance(parts.get(whose), dict)}
    return {whose: {key: part[key] for key in KEPT_CONFIG[whose] if key in part} for whose, part in own.items()}


def _check_file(file: str, what: str, folder: Path, name: str) -> None:
    """Reject a file that is not in the package: the library would look for it elsewhere.

    Raises:
        UserError: It is an address, or there is no such file below the folder.
    """
    if file.lower().startswith(("http:", "https:", "ftp:")):
        raise UserError(
            f"Package {name}: its {what} need {file} from the network, which is not used here. Download the "
            "complete package from bioimage.io."
        )
    place = (folder / file).resolve()
    if not place.is_relative_to(folder.resolve()) or not place.is_file():
        raise UserError(f"Package {name}: its {what} name the file {file}, which is not in it. Download it again.")
    if file.endswith(".py"):
        raise UserError(
            f"Package {name}: its {what} need the program {file}, and programs of packages are not run here. Choose a "
            "model that needs none."
        )


def _files(part: Any) -> Iterator[str]:
    """Yield the files that a part of a description names: values of `source`, and texts in lists of test tensors."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("source", "test_tensor") and isinstance(value, str):
                yield value
            else:
                yield from _files(value) if isinstance(value, (dict, list)) else ()
    elif isinstance(part, list):
        for one in part:
            if isinstance(one, str):
                yield from (one for _ in range(one.lower().endswith(".npy")))
            else:
                yield from _files(one)


def _checksums(part: Any) -> Iterator[tuple[str, str]]:
    """Yield each `source` of a part of a description that has a `sha256` beside it, with that."""
    if isinstance(part, dict):
        if isinstance(part.get("source"), str) and isinstance(part.get("sha256"), str):
            yield part["source"], part["sha256"].strip().lower()
        for value in part.values():
            yield from _checksums(value)
    elif isinstance(part, list):
        for one in part:
            yield from _checksums(one)
