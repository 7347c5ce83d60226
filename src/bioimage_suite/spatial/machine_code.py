"""The compiled loops of this room without Numba: from what Numba made of them, which LLVM turns into machine code.

Each file of `kernels` is a function of `pair_sums.py` or `nearest_points.py` in LLVM's language, as Numba translated it
for any processor (`python -m scripts.spatial_kernels` writes them). Numba alone takes a second to load and translate it
again in each job; LLVM takes a tenth for the last step, the machine code for the processor at hand. The numbers are the
same to the last bit.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

KERNELS = "kernels"
ENTRY = "kernel"
"""Name of the function in each file."""
_ONE_AT_A_TIME = threading.Lock()


def machine_code(name: str, vectors: bool = True) -> Callable[..., None] | None:
    """Return a kernel as a function of arrays, tuples of numbers and numbers; it runs without Python's lock.

    Args:
        name: Name of the file without its extension.
        vectors: Whether its loops are made to take several numbers at a time, which doubles the time to translate it.

    Returns:
        The function; None where LLVM is missing or of a version that cannot read the file.
    """
    with _ONE_AT_A_TIME:
        return _loaded(name, vectors)


@cache
def _loaded(name: str, vectors: bool) -> Callable[..., None] | None:
    file = Path(__file__).with_name(KERNELS) / f"{name}.ll"
    try:
        engine = _engine(file.read_text(encoding="utf-8"), vectors)
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
    address, called = engine.get_function_address(ENTRY), {}

    def call(*given: Any) -> None:
        types, values = _flat(given)
        # The engine must live as long as its code.
        if types not in called:
            called[types] = ctypes.CFUNCTYPE(ctypes.c_int32, *types)(address), engine
        called[types][0](*values)

    return call


def _engine(text: str, vectors: bool) -> Any:
    """Return LLVM's engine with the machine code of a module for this processor."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    host = {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    machine = llvm.Target.from_default_triple().create_target_machine(opt=3 if vectors else 1, **host)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = llvm.get_default_triple(), str(machine.target_data)
    if vectors:
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization = tuning.slp_vectorization = True
        builder = llvm.create_pass_builder(machine, tuning)
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine


def _flat(given: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """Return types and values as Numba passes them: places of the result and of an error, then the arguments.

    An array is its owner, its parent, size, bytes of an item, data, shape and strides.
    """
    types: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]
    values: list[Any] = [ctypes.byref(ctypes.c_void_p()), ctypes.byref(ctypes.c_void_p())]
    for one in given:
        if isinstance(one, np.ndarray):
            types += [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
            types += [ctypes.c_int64] * (2 * one.ndim)
            values += [None, None, one.size, one.itemsize, one.ctypes.data, *one.shape, *one.strides]
        elif isinstance(one, tuple):
            types += [ctypes.c_double] * len(one)
            values += one
        else:
            types.append(ctypes.c_int64 if isinstance(one, int) else ctypes.c_double)
            values.append(one)
    return tuple(types), values
