"""Bad arguments for every operation of the server, by the type of the parameter."""

import importlib
import itertools
import random
from typing import Any

import Ice
import omero.all
from omero.rtypes import rbool, rdouble, rint, rlist, rlong, rmap, rstring, rtime

from tests.omero.slice_signatures import signatures

UNKNOWN = 10**12  # an id that no row will ever have
WORDS = (
    *("", "\0", "ä\U0001f600", "../../etc/passwd", "%", "'", "Image", "Nothing", "ome.model.core.Image", "x" * 70_000),
    *("select i from Image i", "-1", "[", "select i.nothing from Image i", "00000000-0000-0000-0000-000000000000"),
)
PRIMITIVES = {
    "bool": (False, True),
    "byte": (0, 255),
    "short": (0, -1, 2**15 - 1, -(2**15)),
    "int": (0, -1, 1, 7, 2**31 - 1, -(2**31)),
    "long": (0, -1, 1, UNKNOWN, 2**63 - 1, -(2**63)),
    "float": (0.0, -1.0, float("nan"), float("inf"), 3e38),
    "double": (0.0, -1.5, float("nan"), float("-inf"), 1e300),
    "string": WORDS,
}
MODEL = "::omero::model::"
# A value of a class may be of any class below it.
BELOW = {
    "IObject": ("Image", "Dataset", "Experimenter", "ExperimenterGroup", "PixelsType", "ImageAnnotationLink", "Event",
                "Pixels", "Roi", "OriginalFile", "Session", "Fileset", "TagAnnotation"),
    "Annotation": ("TagAnnotation", "FileAnnotation", "MapAnnotation"),
    "TextAnnotation": ("TagAnnotation", "CommentAnnotation"),
    "Job": ("ImportJob", "ScriptJob"),
}  # fmt: skip


def class_of(slice_name):
    module, _, name = slice_name.strip(":").replace("::", ".").rpartition(".")
    return getattr(importlib.import_module(module), name)


def model_objects(name):
    for below in BELOW.get(name, (name,)):
        kind = getattr(omero.model, below + "I")
        yield from (kind(), kind(0, True), kind(UNKNOWN, True))
        yield from (kind(UNKNOWN, False), kind(-1, False), kind(None, False))
    if name == "IObject":
        yield omero.model.ProjectI().linkDataset(omero.model.DatasetI())


def rtypes_of(name):
    everything = {
        "RLong": (rlong(UNKNOWN), rlong(-1)), "RInt": (rint(-1), rint(2**31 - 1), rint(0)),
        "RString": (rstring(""), rstring("\0"), rstring("x" * 70_000), omero.rtypes.RStringI(None)),
        "RTime": (rtime(-1), rtime(2**62)),
    }  # fmt: skip
    if name != "RType":
        return everything[name]
    others = (rbool(True), rdouble(float("nan")), rlist([]), rlist([rlist([])]), rmap({"a": None}), rmap({}))
    return (*others, *itertools.chain.from_iterable(everything.values()), omero.rtypes.robject(omero.model.ImageI()))


def parameters():
    filled = omero.sys.ParametersI().addId(UNKNOWN).addString("name", "x").addLongs("ids", [-1, UNKNOWN])
    paged = omero.sys.ParametersI().page(-5, 2**31 - 1)
    odd = omero.sys.ParametersI()
    odd.map = {"id": None, "ids": rlist([rlong(-1), rstring("x"), rlist([])])}
    empty = omero.sys.Parameters(None, None, None)
    options = omero.sys.ParametersI().exp(UNKNOWN).grp(-7).leaves().orphan()
    return filled, paged, odd, empty, options


def requests():
    cmd = omero.cmd
    targets: tuple[Any, ...] = ({}, None, {"Image": None}, {"Image": [UNKNOWN, -1]}, {"Nothing": [1]}, {"": [0]})
    for kind in (cmd.Delete2, cmd.Chgrp2, cmd.Chown2, cmd.Chmod2, cmd.Duplicate, cmd.SkipHead, cmd.DiskUsage2,
                 cmd.FindParents, cmd.FindChildren):  # fmt: skip
        yield kind()
        yield from (kind(targetObjects=target) for target in targets)
    yield from (kind() for kind in vars(cmd).values() if isinstance(kind, type) and issubclass(kind, cmd.Request))
    yield from (cmd.DoAll([None]), cmd.DoAll([cmd.DoAll([cmd.Delete2()])]), cmd.SkipHead(request=cmd.SkipHead()))


def columns():
    grid = omero.grid
    return (
        *(grid.LongColumn(), grid.LongColumn("", "", []), grid.LongColumn("a", "", [1])),
        *(grid.StringColumn("s", "", -5, ["x"]), grid.StringColumn("s", "", 1, ["\0ä"])),
        *(grid.StringColumn("s", "", 2**31 - 1, []), grid.LongColumn("a", "", None), grid.Column("a", "")),
        *(grid.DoubleArrayColumn("d", "", 0, [[1.0]]), grid.LongArrayColumn("l", "", 2**30, []), grid.MaskColumn()),
    )


def plane_definitions():
    plane = omero.romio.PlaneDef(omero.romio.XY, z=-1, t=UNKNOWN % 2**31)
    plane.region = omero.romio.RegionDef(-3, 0, 2**31 - 1, 5)
    return plane, omero.romio.PlaneDef(7, x=10**6), omero.romio.PlaneDef(omero.romio.ZY, x=-1)


def proxies(client, slice_name):
    kind = class_of(slice_name.rstrip("*") + "Prx") if slice_name != "::Ice::Object*" else Ice.ObjectPrx
    communicator = client.getCommunicator()
    gone = communicator.stringToProxy("nobody/nothing:tcp -h 127.0.0.1 -p 1")
    missing = client.getSession().ice_identity(Ice.Identity("nothing", "nobody"))
    return (gone, missing) if kind is Ice.ObjectPrx else (kind.uncheckedCast(gone), kind.uncheckedCast(missing))


def principals():
    principal = omero.sys.Principal
    return principal(), principal("root", "nothing", "x", None), principal("\0", None, "", None)


SPECIAL = {
    "::omero::sys::Parameters": parameters,
    "::omero::cmd::Request": requests,
    "::omero::grid::Column": columns,
    "::omero::romio::PlaneDef": plane_definitions,
    "::omero::sys::Principal": principals,
    "::omero::model::Permissions": lambda: (omero.model.PermissionsI(), omero.model.PermissionsI("rwrwrw")),
    "::omero::model::Details": lambda: (omero.model.DetailsI(),),
    "::omero::romio::CodomainMapContext": lambda: (omero.romio.ReverseIntensityMapContext(),),
}  # fmt: skip


class Nonsense:
    """Bad values for the parameters of operations, and the calling of them."""

    def __init__(self, client):
        self._client = client
        self._types = signatures().types
        self._cache = {}

    def values(self, kind):
        """Every bad value of a type; the first is as close to nothing as the type allows."""
        if kind not in self._cache:
            self._cache[kind] = list(PRIMITIVES[kind] if kind in PRIMITIVES else self._made(kind))
        return self._cache[kind]

    def _made(self, kind):
        form, parts = self._types[kind]
        if form == "enum":
            yield from class_of(kind)._enumerators.values()
            return
        if form == "struct":
            yield class_of(kind)()
            return
        yield None
        if form == "sequence":
            yield []
            elements = self.values(parts[0])
            yield from ([element] for element in elements)
            yield elements[:3] * 2
            yield elements[-1:] * 5
        elif form == "dictionary":
            keys, values = map(self.values, parts)
            yield {}
            yield {keys[0]: values[0]}
            yield from ({keys[-1]: value} for value in values)
        elif form == "proxy":
            yield from proxies(self._client, kind)
        elif kind in SPECIAL:
            yield from SPECIAL[kind]()
        elif kind.startswith(MODEL):
            yield from model_objects(kind.removeprefix(MODEL))
        elif kind.startswith("::omero::R"):
            yield from rtypes_of(kind.removeprefix("::omero::"))
        else:
            yield class_of(kind)()

    def calls(self, interface, operation, chance: random.Random, most=12):
        """Lists of arguments: nothing at all, then every parameter's bad values, shuffled against each other."""
        pools = [self.values(kind) for kind in signatures().operations[interface][operation]]
        if not pools:
            yield []
            return
        yield [pool[0] for pool in pools]
        shuffled = [chance.sample(pool, len(pool)) for pool in pools]
        for number in range(min(most, max(map(len, pools)))):
            yield [pool[number % len(pool)] for pool in shuffled]
