"""Write the compiled loops of spatial patterns in LLVM's language, as Numba translates them for any processor.

`python -m scripts.spatial_kernels` after a change of `pair_sums.py` or `nearest_points.py`; a test compares the files
with what Numba makes of the functions. `bioimage_suite.spatial.machine_code` loads them.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from scripts.suite_files import ROOT

FOLDER = ROOT / "src" / "bioimage_suite" / "spatial" / "kernels"
ANY_PROCESSOR = {
    **{"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": "2"},
    **{"NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0"},
}
"""LLVM takes several pairs at a time when it knows the processor, in the job."""
UNCOUNTED = "define void @{name}(ptr %0) {{\n  ret void\n}}\n"
"""Arrays belong to the caller: nobody counts who uses them."""


def kernels() -> dict[str, Callable[[], Any]]:
    """Return what compiles each kernel, by its name."""
    from bioimage_suite.spatial import nearest_points, pair_sums

    sums = {kind: partial(pair_sums.compiled_sums, kind) for kind in pair_sums.WEIGHTS}
    return {**sums, "nearest": nearest_points.compiled_search}


def text_of(compiled: Any, name: str) -> str:
    """Return a compiled function as the text of a module that depends on nothing of Numba.

    Raises:
        ValueError: It calls something that only Numba has.
    """
    import numba

    (whole,) = compiled.inspect_llvm().values()
    found = re.search(r"^define[^\n]*\{\n.*?^\}\n", whole, re.MULTILINE | re.DOTALL)
    assert found
    body = found.group(0)
    body = body.replace(re.findall(r"@([\w$.]+)\(", body)[0], "kernel", 1)
    called = sorted(set(re.findall(r"@([\w.]+)", body)) - {"kernel"})
    declared = dict(re.findall(r"^declare [^\n]*?@([\w.]+)(\([^\n]*)", whole, re.MULTILINE))
    heads = []
    for one in called:
        if one in ("NRT_incref", "NRT_decref"):
            heads.append(UNCOUNTED.format(name=one))
        elif one.startswith("llvm.") or one in ("acos", "atan2", "sqrt"):
            line = next(line for line in whole.splitlines() if line.startswith("declare") and f"@{one}(" in line)
            heads.append(f"{_plain(line)}\n")
        else:
            raise ValueError(f"{name}: calls {one} of {sorted(declared)}")
    title = f"; {name}: written by scripts.spatial_kernels with Numba {numba.__version__}. Do not edit.\n"
    return "\n".join((title, *heads, _plain(body)))


def _plain(text: str) -> str:
    """Leave out names of attributes and of metadata, and attributes that older and newer versions of LLVM lack."""
    text = re.sub(r" #\d+(?= \{$|$)", "", text, flags=re.MULTILINE)
    text = re.sub(r", ![\w.]+ !\d+", "", text)
    return text.replace(" captures(none)", "").replace(" noundef", "")


def write(folder: Path) -> None:
    """Write all kernels into a folder, each in a Numba that knows no processor."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in kernels():
        command = [sys.executable, "-m", "scripts.spatial_kernels", name]
        env = {**os.environ, **ANY_PROCESSOR, "PYTHONPATH": str(ROOT / "src")}
        made = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
        (folder / f"{name}.ll").write_text(made.stdout, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(text_of(kernels()[sys.argv[1]](), sys.argv[1]))
    else:
        write(FOLDER)
