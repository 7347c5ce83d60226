"""Run every call once and print the SHA-256 of each output: `python -m tests.fuzz.outputs FOLDER INPUTS`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import warnings
from pathlib import Path

from tests.fuzz.calls import local_calls
from tests.fuzz.mutants import copy
from tests.fuzz.run import command_line, tool_main


def digests(folder: Path, inputs: Path) -> dict[str, str]:
    """Return the digest of each output by call and path, made in a new folder of what `make_inputs` left in another."""
    copy(inputs, folder / "made")
    files = {path.name: path for path in (folder / "made").iterdir()}
    found = {}
    for number, call in enumerate(local_calls()):
        out = folder / f"{number}"
        out.mkdir()
        line = command_line(call, {name: files[name] for name in call.files}, out, None)
        # What the call itself writes for a tool names this folder.
        given = set(out.iterdir())
        with contextlib.redirect_stdout(io.StringIO()):
            tool_main(call.tool)(line)
        for path in sorted(out.rglob("*")):
            if path.is_file() and path not in given:
                place = f"{number} {call.tool} {', '.join(call.files)}: {path.relative_to(out)}"
                found[place] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(digests(Path(sys.argv[1]), Path(sys.argv[2])), sys.stdout)
