"""The parameters of every operation that the server offers, read from omero-py's generated modules.

IcePy shows them only while the modules define them, so `signatures()` asks a fresh interpreter, which runs this file.
"""

import functools
import importlib
import json
import subprocess
import sys
from dataclasses import dataclass

INTERFACES = (
    *(f"omero.api.{name}" for name in (
        "IAdmin", "IConfig", "IContainer", "ILdap", "IMetadata", "IPixels", "IProjection", "IQuery",
        "IRenderingSettings", "IRepositoryInfo", "IRoi", "IScript", "ISession", "IShare", "ITimeline", "ITypes",
        "IUpdate", "Exporter", "JobHandle", "RawFileStore", "RawPixelsStore", "RenderingEngine",
        "Search", "ServiceFactory", "ThumbnailStore",
    )),
    *(f"omero.grid.{name}" for name in ("ImportProcess", "ManagedRepository", "SharedResources", "Table")),
    "omero.cmd.Handle",
    "Glacier2.Router",
)  # fmt: skip


@dataclass(frozen=True)
class Signatures:
    """What the Slice definitions say.

    Attributes:
        operations: Of an interface, by name of the operation, the types of its parameters, in order.
        types: Kind of a type and the types it is made of: `("sequence", ["long"])`, `("class", [])`.
    """

    operations: dict[str, dict[str, list[str]]]
    types: dict[str, tuple[str, list[str]]]


@functools.cache
def signatures() -> Signatures:
    answer = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    return Signatures(**json.loads(answer.stdout))


def record() -> Signatures:
    import IcePy

    names = {
        id(getattr(IcePy, f"_t_{kind}")): kind
        for kind in ("bool", "byte", "short", "int", "long", "float", "double", "string")
    }
    types: dict[str, tuple[str, list[str]]] = {}
    parameters: dict[int, list[str]] = {}
    kept = []  # so that no id() is given twice

    def recording(kind, original, parts):
        def define(*arguments):
            made = original(*arguments)
            kept.append(made)
            # A proxy is named as its class.
            name = names[id(made)] = arguments[0] + ("*" if kind == "proxy" else "")
            types[name] = (kind, [names[id(part)] for part in parts(arguments)])
            return made

        return define

    def operation(*arguments):
        made = Operation(*arguments)
        kept.append(made)
        parameters[id(made)] = [names[id(parameter[1])] for parameter in arguments[6]]
        return made

    Operation = IcePy.Operation
    IcePy.Operation = operation
    for function, kind, parts in (
        ("declareClass", "class", lambda _: []),
        ("defineClass", "class", lambda _: []),
        ("declareProxy", "proxy", lambda _: []),
        ("defineProxy", "proxy", lambda _: []),
        ("defineSequence", "sequence", lambda arguments: [arguments[2]]),
        ("defineDictionary", "dictionary", lambda arguments: [arguments[2], arguments[3]]),
        ("defineStruct", "struct", lambda _: []),
        ("defineEnum", "enum", lambda _: []),
    ):
        setattr(IcePy, function, recording(kind, getattr(IcePy, function), parts))
    importlib.import_module("omero.all")
    found = {}
    for interface in INTERFACES:
        module, _, name = interface.rpartition(".")
        base = getattr(importlib.import_module(module), name)
        operations = (o for o in dir(base) if o.startswith("_op_") and not o.startswith("_op_ice_"))
        found[interface] = {o.removeprefix("_op_"): parameters[id(getattr(base, o))] for o in operations}
    return Signatures(found, types)


if __name__ == "__main__":
    recorded = record()
    print(json.dumps({"operations": recorded.operations, "types": recorded.types}))
