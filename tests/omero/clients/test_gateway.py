"""BlitzGateway in a process of its own: every question that its wrappers can ask about an object is asked."""

import json

import numpy as np
import pytest
import tifffile

from tests.omero.clients.everything import MAKE

pytest.importorskip("omero.clients")


ASK = """
QUESTIONS = ("get", "list", "count", "is", "can", "render", "simple", "requires", "has")

def wrappers():
    found = conn.getObject("Image", image)
    yield found
    yield from found.getChannels()
    yield found.getChannels()[0].getLogicalChannel()
    yield found.getPrimaryPixels()
    yield found.getInstrument()
    yield from found.getInstrument().getObjectives()
    yield from found.getInstrument().getDetectors()
    yield from found.getInstrument().getLightSources()
    yield from found.getInstrument().getFilters()
    yield found.getObjectiveSettings()
    yield from found.listAnnotations()
    yield found.getFileset()
    yield from found.getImportedImageFiles()
    yield from conn.getObjects("Roi", opts={"image": image})
    places = {"Project": project, "Dataset": dataset, "Screen": screen, "Plate": plate, "Image": drawn}
    yield from (conn.getObject(kind, number) for kind, number in places.items())
    wells = list(conn.getObject("Plate", plate).listChildren())
    yield from wells
    yield wells[0].getWellSample()
    yield from conn.getObject("Plate", plate).listPlateAcquisitions()
    yield conn.getUser()
    yield conn.getGroupFromContext()

problems, asked, kinds = set(), 0, set()
for wrapper in wrappers():
    kind = type(wrapper).__name__.strip("_")
    kinds.add(kind)
    for name, method in inspect.getmembers(wrapper, callable):
        if not name.startswith(QUESTIONS):
            continue
        try:
            needed = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty and p.kind < 2]
        except (TypeError, ValueError):
            continue
        if needed:
            continue
        asked += 1
        try:
            answer = method()
            if inspect.isgenerator(answer):
                list(answer)
        except (omero.ServerError, Ice.Exception) as error:
            problems.add(f"{kind}.{name}: {type(error).__name__}")
        except Exception:
            pass  # of the wrapper itself: it has no parents, no children, needs arguments after all
print(json.dumps([sorted(problems), asked, sorted(kinds)]))
"""
# omero-py asks for classes and properties that OMERO's model does not have (NoneAnnotationLink, wellsampleLinks).
# getScreens sends the id as an rint, which Hibernate does not take (as getObjects did: ome/omero-py, pull request 100).
OF_OMERO_PY = {
    "getChildLinks",
    "countChildren",
    "countChildren_cached",
    "listChildren",
    "getAnnotation",
    "listAnnotations",
    "getAnnotationCounts",
    "listOrphanedAnnotations",
    "getScreens",
}

MORE = """
found = conn.getObject("Image", image)
assert found.renderBirdsEyeView(32) and found.renderJpegRegion(0, 0, 2, 2, 5, 5)
assert found.renderRowLinePlotGif(0, 0, 3) and found.renderColLinePlotGif(0, 0, 3)
assert sum(found.getHistogram([0], 16)[0]) == found.getSizeX() * found.getSizeY()
assert found.getPrimaryPixels().getTile(0, 1, 0, (2, 3, 4, 5)).shape == (5, 4)
assert found.getThumbnail((32, 32)) and found.getProjections()
found.setActiveChannels([1], [[10, 200]], ["00FF00"])
assert found.saveDefaults() is True
conn.setChannelNames("Image", [image], {1: "one", 2: "two"})
assert conn.getObject("Image", image).getChannelLabels() == ["one", "two"]

engine = found._conn.createRenderingEngine()
pixels = found.getPixelsId()
engine.lookupPixels(pixels); engine.lookupRenderingDef(pixels); engine.load()
kept = conn.getPixelsService().retrieveRndSettings(pixels)
kept.defaultZ = rint(0)
kept.copyWaveRendering()[0].inputStart, kept.copyWaveRendering()[0].inputEnd = rdouble(7), rdouble(77)
kept.copyWaveRendering()[1].red = None
engine.updateSettings(kept)
assert (engine.getChannelWindowStart(0), engine.getChannelWindowEnd(0)) == (7, 77)
kept.copyWaveRendering()[0].red = rint(999)
try:
    engine.updateSettings(kept)
    raise SystemExit("a colour of 999 was taken")
except omero.ValidationException:
    assert engine.getChannelWindowStart(0) == 7
engine.close()

assert [p.getId() for p in conn.listProjects()] == [project] and list(conn.listOrphans("Image")) == []
assert [i.getId() for i in conn.getObjects("Image", [image])] == [image]
assert [d.getId() for d in conn.getObjects("Dataset", attributes={"name": "dataset"})] == [dataset]
assert list(conn.getObjects("Image", opts={"dataset": dataset, "limit": 1, "offset": 1, "order_by": "lower(obj.name)"}))
assert {a.getId() for a in conn.getObjects("Annotation", [pairs, comment, file])} == {pairs, comment, file}
assert [type(a).__name__ for a in conn.listFileAnnotations(toInclude=["n"])] == ["FileAnnotationWrapper"]
assert conn.countAnnotations("Image", [image])["MapAnnotation"] == 1
assert list(conn.getAnnotationLinks("Image", parent_ids=[image]))
assert conn.getGroupFromContext().groupSummary()[1]
assert conn.searchObjects(["Image"], "drawn") and list(conn.findExperimenters())
for setting in ("getClientSettings", "getRoiLimitSetting", "getMaxPlaneSize", "getInterpolateSetting",
                "getDownloadAsMaxSizeSetting", "getWebclientHost", "getGroupsMemberOf",
                "getGroupsLeaderOf", "getEventContext", "getCurrentAdminPrivileges", "isAdmin"):
    result = getattr(conn, setting)()
    list(result) if inspect.isgenerator(result) else result
assert conn.getEnumerationEntries("DetectorType")
copy = conn.createImageFromNumpySeq(iter([np.ones((20, 30), np.uint16)]), "copy", sourceImageId=image, channelList=[0])
assert copy.getSizeC() == 1
local = conn.createFileAnnfromLocalFile("cells.ome.tif", mimetype="image/tiff", ns="n")
assert b"".join(local.getFileInChunks()) == open("cells.ome.tif", "rb").read()
assert conn.applySettingsToSet(image, "Dataset", [dataset])
conn.deleteObjects("Annotation", [local.getId()], wait=True)
assert conn.getObject("Annotation", local.getId()) is None
print("done")
"""


@pytest.fixture
def cells(clients):
    array = np.random.default_rng(41).integers(0, 999, (2, 3, 20, 30), dtype=np.uint16)
    metadata = {"axes": "CZYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(clients.folder / "cells.ome.tif", array, metadata=metadata, photometric="minisblack")
    return clients


def test_every_question_has_an_answer_and_pictures_searches_and_settings_work(cells):
    said = cells.python(MAKE + ASK + MORE).splitlines()
    problems, asked, kinds = next(json.loads(line) for line in said if line.startswith("[["))
    assert {problem for problem in problems if problem.partition(".")[2].partition(":")[0] not in OF_OMERO_PY} == set()
    assert asked > 1000
    assert {"ImageWrapper", "InstrumentWrapper", "ObjectiveWrapper", "WellSampleWrapper", "FilesetWrapper"} <= set(
        kinds
    )
    assert said[-1] == "done"
