"""The definitions in omero-py's generated modules, recorded while these are imported.

IcePy keeps the definitions of classes, sequences and operations in opaque objects.
They are readable only at the moment when the generated modules hand them over, so
IcePy's functions are wrapped for the duration of the first import of omero.
A process that has already imported Ice (a test, for instance) starts a new interpreter to record them.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "::omero::model::"
IOBJECT = MODEL + "IObject"
DEFINERS = {
    "defineClass": "class",
    "declareClass": "class",
    "defineSequence": "sequence",
    "defineDictionary": "dictionary",
    "defineStruct": "struct",
    "defineEnum": "enum",
}


@dataclass(frozen=True)
class Operation:
    """One Slice operation: its numbers of arguments and results, and whether its dispatch is asynchronous."""

    name: str
    asynchronous: bool
    arguments: int
    results: int


@dataclass(frozen=True)
class Member:
    """One data member of a Slice class: `element` is the element type of a sequence."""

    name: str
    kind: str
    type: str
    element: str


@dataclass(frozen=True)
class ModelClass:
    """One class below omero.model.IObject.

    Attributes:
        name: Its name without a namespace.
        base: Its base class; empty when that is IObject itself.
        members: Its own members, without the inherited ones.
        required: The properties, inherited ones included, that the server must not store as null.
    """

    name: str
    base: str
    members: tuple[Member, ...]
    required: tuple[str, ...]


OPERATIONS: dict[int, Operation] = {}
"""Operations by the id() of their IcePy object; filled only when this process recorded them itself."""
_kept: list[Any] = []  # keeps the recorded objects alive, so that no other object gets their id()


@functools.cache
def model_classes() -> dict[str, ModelClass]:
    """Return every entity class of omero.model by name."""
    if "IcePy" not in sys.modules:
        return _record()
    root = Path(__file__).parents[3]
    answer = subprocess.run(
        [sys.executable, "-m", "sandbox.omero.model.introspect"], cwd=root, capture_output=True, text=True, check=True
    )
    return {
        name: ModelClass(name, base, tuple(Member(*member) for member in members), tuple(required))
        for name, (base, members, required) in json.loads(answer.stdout).items()
    }


def _record() -> dict[str, ModelClass]:
    import IcePy

    kinds: dict[int, tuple[str, str]] = {}
    classes: dict[str, tuple[Any, ...]] = {}
    sequences: dict[str, tuple[Any, ...]] = {}
    originals = {name: getattr(IcePy, name) for name in [*DEFINERS, "Operation"]}

    def recording(function: str) -> Any:
        def define(*args: Any) -> Any:
            made = originals[function](*args)
            _kept.append(made)
            kinds[id(made)] = (DEFINERS[function], args[0])
            if function == "defineClass":
                classes[args[0]] = args
            if function == "defineSequence":
                sequences[args[0]] = args
            return made

        return define

    def operation(*args: Any) -> Any:
        made = originals["Operation"](*args)
        _kept.append(made)
        results = len(args[7]) + (args[8] is not None)
        OPERATIONS[id(made)] = Operation(args[0], bool(args[3]), len(args[6]), results)
        return made

    for function in DEFINERS:
        setattr(IcePy, function, recording(function))
    IcePy.Operation = operation
    try:
        import omero
        import omero.all
        import omero.clients
        import omero.cmd  # noqa: F401
    finally:
        for name, original in originals.items():
            setattr(IcePy, name, original)
    return _entities(classes, sequences, kinds)


def _entities(
    classes: dict[str, tuple[Any, ...]], sequences: dict[str, tuple[Any, ...]], kinds: dict[int, tuple[str, str]]
) -> dict[str, ModelClass]:
    def type_of(info: Any) -> tuple[str, str]:
        return kinds.get(id(info), ("primitive", ""))

    def ancestors(name: str) -> list[str]:
        base = classes[name][6]
        above = type_of(base)[1] if base is not None else ""
        return [name, *ancestors(above)] if above in classes else [name]

    found = {}
    for name in classes:
        chain = ancestors(name)
        if not name.startswith(MODEL) or IOBJECT not in chain[1:]:
            continue
        members = []
        for member in classes[name][8]:
            kind, type_name = type_of(member[2])
            element = type_of(sequences[type_name][2])[1] if kind == "sequence" else ""
            members.append(Member(member[0].lstrip("_"), kind, type_name, element))
        base = "" if chain[1] == IOBJECT else chain[1][len(MODEL) :]
        short = name[len(MODEL) :]
        found[short] = ModelClass(short, base, tuple(members), _required(short))
    return found


def _required(name: str) -> tuple[str, ...]:
    """Return the properties that omero-py's own class (concrete ones only) declares as not nullable."""
    import omero.model

    concrete = getattr(omero.model, name + "I", None)
    fields = concrete._field_info._asdict() if concrete is not None else {}
    return tuple(field for field, info in fields.items() if not info.nullable)


if __name__ == "__main__":
    print(
        json.dumps(
            {
                c.name: [c.base, [[m.name, m.kind, m.type, m.element] for m in c.members], c.required]
                for c in model_classes().values()
            }
        )
    )
