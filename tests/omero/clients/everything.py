"""Code for a client that makes one object of every kind."""

MAKE = """
import inspect, json, logging, Ice
logging.disable(logging.CRITICAL)
from omero.gateway import TagAnnotationWrapper
from omero.model.enums import UnitsLength

project = ezomero.post_project(conn, "project", "about")
dataset = ezomero.post_dataset(conn, "dataset", project_id=project)
image = ezomero.ezimport(conn, "cells.ome.tif", dataset=dataset)[0]
drawn = ezomero.post_image(conn, np.ones((6, 5, 1, 2, 1), np.uint8), "drawn", dataset_id=dataset)
ezomero.post_roi(conn, image, [ezomero.rois.Rectangle(1, 2, 3, 4)], name="roi")
pairs = ezomero.post_map_annotation(conn, "Image", image, {"k": "v"}, ns="n")
comment = ezomero.post_comment_annotation(conn, "Image", image, "words", "n")
file = ezomero.post_file_annotation(conn, "cells.ome.tif", "n", "Image", image)
tags = TagAnnotationWrapper(conn)
tags.setValue("set"); tags.setNs("openmicroscopy.org/omero/insight/tagset"); tags.save()
tag = TagAnnotationWrapper(conn)
tag.setValue("tag"); tag.save()
inside = omero.model.AnnotationAnnotationLinkI()
inside.parent, inside.child = tags._obj.proxy(), tag._obj.proxy()
conn.getUpdateService().saveObject(inside)
conn.getObject("Image", image).linkAnnotation(tag)
instrument, microscope = omero.model.InstrumentI(), omero.model.MicroscopeI()
microscope.manufacturer, microscope.type = rstring("maker"), omero.model.MicroscopeTypeI()
microscope.type.value = rstring("Inverted")
instrument.microscope = microscope
for name in ("Objective", "Detector", "Filter", "Dichroic", "Laser"):
    part = getattr(omero.model, name + "I")()
    part.manufacturer = rstring("maker of " + name)
    for kind, value in {"Objective": {"immersion": "Oil", "correction": "PlanApo"}, "Detector": {"type": "CCD"},
                        "Laser": {"type": "Gas", "laserMedium": "Ar"}}.get(name, {}).items():
        entity = {"type": name + "Type"}.get(kind, kind[0].upper() + kind[1:])
        setattr(part, kind, conn.getTypesService().getEnumeration(entity, value))
    if name == "Objective":
        part.nominalMagnification, part.workingDistance = rdouble(63), omero.model.LengthI(0.2, UnitsLength.MILLIMETER)
        objective = part
    {"Laser": instrument.addLightSource}.get(name, getattr(instrument, "add" + name, None))(part)
settings = omero.model.ObjectiveSettingsI()
settings.objective, settings.refractiveIndex = objective, rdouble(1.5)
holder = conn.getQueryService().get("Image", image)
holder.instrument, holder.objectiveSettings = instrument, settings
conn.getUpdateService().saveObject(holder)
screen = ezomero.post_screen(conn, "screen")
plate, acquisition = omero.model.PlateI(), omero.model.PlateAcquisitionI()
plate.name = rstring("plate"); plate.addPlateAcquisition(acquisition)
well, sample = omero.model.WellI(), omero.model.WellSampleI()
well.row, well.column = rint(1), rint(2)
sample.image, sample.plateAcquisition = omero.model.ImageI(drawn, False), acquisition
well.addWellSample(sample); plate.addWell(well)
plate = conn.getUpdateService().saveAndReturnObject(plate).id.val
ezomero.link_plates_to_screen(conn, [plate], screen)
"""
