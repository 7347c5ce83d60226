"""Nonsense to every operation of the pixel and file services: each answers with an OMERO exception, or does it."""

import random
import re

import numpy as np
import pytest

pytest.importorskip("omero.clients")
import Ice
import omero.all
from omero.rtypes import rint, rlong, rstring

CALLS = 25
ENDING = {"close", "activate", "passivate", "getCurrentEventContext"}


def values(seed):
    """Values of every kind that an operation may take, mostly bad ones."""
    plane = omero.romio.PlaneDef(omero.romio.XY, z=seed % 3 - 1, t=0)
    plane.region = omero.romio.RegionDef(seed % 7 - 3, 0, seed % 90, 5)
    kind = omero.model.PixelsTypeI()
    kind.value = rstring("uint99")
    family = omero.model.FamilyI()
    model = omero.model.RenderingModelI(10**9, False)
    return [
        *(0, 1, -1, 7, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 10**6),
        *(0.0, -1.5, float("nan"), float("inf"), 1e300),
        *(None, True, False, "", "\0", "../../x", "Image", "nonsense " * 50, "ä\U0001f600"),
        *(b"", b"abc", [], [0], [-1], [2**31 - 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [-1] * 5, [2**30] * 5),
        *([None], [""], ["0" * 40], {}, {"a": None}, {"a": rlong(1)}),
        *(rint(-1), rint(0), rint(20), rint(2**31 - 1), rlong(-1), rstring("x")),
        *(plane, omero.romio.PlaneDef(2, x=10**6), omero.romio.ReverseIntensityMapContext()),
        *(kind, family, model, omero.model.PixelsTypeI(10**9, False), omero.model.PixelsI(), omero.model.RoiI()),
        *(omero.model.OriginalFileI(), omero.model.OriginalFileI(-1, False), omero.model.RenderingDefI()),
        *(omero.model.FilesetI(), omero.grid.ImportSettings(), omero.model.ChecksumAlgorithmI()),
        *([omero.model.ChecksumAlgorithmI(), None], [omero.grid.LongColumn("a", "", [1])], [None, None]),
        *([omero.grid.LongColumn("", "", [])], [omero.grid.StringColumn("s", "", -5, ["x"])]),
        *(omero.grid.Data(), omero.grid.Data(0, [0], [None]), omero.model.ImportJobI()),
        *omero.constants.projection.ProjectionType._enumerators.values(),
    ]


def arity_of(method):
    return method.__func__.__code__.co_argcount - 2  # without self and _ctx


def call(proxy, operation, chance, pool):
    """Call with random arguments; what the client itself refuses to send is replaced one by one."""
    method = getattr(proxy, operation)
    arity = arity_of(method)
    arguments = [chance.choice(pool) for _ in range(arity)]
    for _ in range(40 * (arity + 1)):
        try:
            return method(*arguments)
        except (ValueError, TypeError, AttributeError, OverflowError, SystemError, UnicodeError) as error:
            found = re.search(r"argument (\d+)", str(error))
            index = int(found.group(1)) - 1 if found else chance.randrange(max(arity, 1))
            if index >= arity:
                return None
            arguments[index] = chance.choice(pool)
    return None


def image_of(gateway):
    planes = iter([np.arange(600, dtype=np.uint16).reshape(20, 30)] * 2)
    return gateway.createImageFromNumpySeq(planes, "nonsense", 1, 2, 1)


def new_file(gateway):
    file = omero.model.OriginalFileI()
    file.name, file.path = rstring("f"), rstring("/")
    return gateway.getUpdateService().saveAndReturnObject(file).id.val


def raw_pixels(gateway):
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(pixels_id(gateway), True)
    return store


def pixels_id(gateway):
    return image_of(gateway).getPrimaryPixels().getId()


def raw_file(gateway):
    store = gateway.c.sf.createRawFileStore()
    store.setFileId(new_file(gateway))
    return store


def rendering_engine(gateway):
    engine, pixels = gateway.c.sf.createRenderingEngine(), pixels_id(gateway)
    engine.lookupPixels(pixels)
    engine.resetDefaultSettings(True)
    return engine


def thumbnail_store(gateway):
    store = gateway.c.sf.createThumbnailStore()
    store.setPixelsId(pixels_id(gateway))
    return store


def table(gateway):
    made = gateway.c.sf.sharedResources().newTable(0, "nonsense.h5")
    made.initialize([omero.grid.LongColumn("a", "", [])])
    made.addData([omero.grid.LongColumn("a", "", [1, 2, 3])])
    return made


def repository(gateway):
    from sandbox.omero.client_import import managed_repository

    return managed_repository(gateway.c)


def import_process(gateway):
    from pathlib import Path

    from sandbox.omero.client_import import _fileset, _settings

    return repository(gateway).importFileset(_fileset([Path("nonsense.tif")]), _settings(None))


SERVICES = {
    "RawPixelsStore": lambda gateway: gateway.c.sf.createRawPixelsStore(),
    "RawPixelsStore with pixels": raw_pixels,
    "RawFileStore": lambda gateway: gateway.c.sf.createRawFileStore(),
    "RawFileStore with file": raw_file,
    "RenderingEngine": lambda gateway: gateway.c.sf.createRenderingEngine(),
    "RenderingEngine with pixels": rendering_engine,
    "ThumbnailStore": lambda gateway: gateway.c.sf.createThumbnailStore(),
    "ThumbnailStore with pixels": thumbnail_store,
    "Pixels": lambda gateway: gateway.c.sf.getPixelsService(),
    "Projection": lambda gateway: gateway.c.sf.getProjectionService(),
    "RenderingSettings": lambda gateway: gateway.c.sf.getRenderingSettingsService(),
    "RepositoryInfo": lambda gateway: gateway.c.sf.getRepositoryInfoService(),
    "SharedResources": lambda gateway: gateway.c.sf.sharedResources(),
    "Table": table,
    "ManagedRepository": repository,
    "ImportProcess": import_process,
}


def operations(proxy):
    """Names of the interface's operations."""
    names = (name for kind in type(proxy).__mro__ for name in vars(kind))
    found = {name for name in names if f"begin_{name}" in dir(proxy) and not name.startswith(("ice_", "begin_"))}
    return sorted(found - ENDING)


@pytest.mark.parametrize("service", SERVICES)
def test_nonsense(gateway, service):
    chance, pool = random.Random(service), values(len(service))
    proxy = SERVICES[service](gateway)
    internal = []
    for operation in operations(proxy):
        for _ in range(CALLS):
            try:
                call(proxy, operation, chance, pool)
            except omero.InternalException as error:
                internal.append(f"{operation}: {error.message}")
            except Ice.ObjectNotExistException:  # an operation that ends the service, such as Table.delete
                proxy = SERVICES[service](gateway)
            except (omero.ServerError, Ice.MarshalException, Ice.MemoryLimitException):
                continue
    if service != "Table":  # omero.tables itself answers so to much that it is given
        assert not internal
    assert gateway.getEventContext().userName  # the server is still there


@pytest.mark.parametrize("service", ["RawPixelsStore with pixels", "RawFileStore with file", "Table", "ImportProcess"])
def test_closed_handle(gateway, service):
    proxy = SERVICES[service](gateway)
    proxy.close()
    asking = [name for name in operations(proxy) if arity_of(getattr(proxy, name)) == 0]
    assert asking
    for operation in asking:
        with pytest.raises(Ice.ObjectNotExistException):
            getattr(proxy, operation)()
