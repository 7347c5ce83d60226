"""Objects of a message, made without omero-py's constructors and attribute checks, must behave like omero-py's own."""

import gc
import weakref

import omero.all
import omero.model
import pytest
from omero.rtypes import rbool, rdouble, rfloat, rint, rlong, rstring, rtime, unwrap

from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.objects.message_objects import BareObjects
from sandbox.omero.objects.save_graph import Node, Saver

CONCRETE = [f"{name}I" for name in ("Details", *MODEL_ENTITIES) if hasattr(omero.model, f"{name}I")]


def as_ice_fills_it(kind: type):
    """Every member set by its name with a "_", from an object of omero-py."""
    made = BareObjects(kind).create(kind.ice_staticId())
    for name, value in vars(kind()).items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("name", CONCRETE)
def test_every_class_keeps_name_members_and_getters(name):
    kind = getattr(omero.model, name)
    made, own = as_ice_fills_it(kind), kind()
    assert isinstance(made, kind)
    assert type(made).__name__ == name
    assert made.ice_id() == own.ice_id()
    assert vars(made).keys() == vars(own).keys()
    for setter in (found for found in dir(kind) if found.startswith("set")):
        public = setter[3].lower() + setter[4:]
        for one in (made, own):
            if f"_{public}" in vars(one):
                setattr(one, public, "given")
        assert vars(made).get(f"_{public}") == vars(own).get(f"_{public}")
        assert public not in vars(made)
        assert getattr(made, public, "none") == getattr(own, public, "none")


def test_public_names_go_through_omero_py():
    roi = as_ice_fills_it(omero.model.RoiI)
    roi.name = rstring("nucleus")
    assert (roi._name.val, roi.name.val, roi.getName().val) == ("nucleus",) * 3
    shape = as_ice_fills_it(omero.model.PolygonI)
    shape.theZ = rint(3)
    roi.addShape(shape)
    assert shape.roi is roi
    assert roi.copyShapes()[0].theZ.val == 3
    roi.unload()
    with pytest.raises(AttributeError):
        roi.name  # noqa: B018
    with pytest.raises(omero.UnloadedEntityException):
        roi.getName()


def test_details_know_their_owner():
    details = as_ice_fills_it(omero.model.DetailsI)
    details.owner = omero.model.ExperimenterI(7, False)
    assert details.owner.id.val == details._owner.id.val == details.getOwner().id.val == 7


@pytest.mark.parametrize(
    "value", [rint(3), rstring("ü"), rlong(2**40), rdouble(0.1), rfloat(0.5), rbool(True), rtime(7)]
)
def test_values_keep_theirs(value):
    made = BareObjects(type(value)).create(value.ice_id())
    made._val = value.val
    assert (made.val, made.getValue(), unwrap(made)) == (value.val,) * 3
    assert made == value
    assert hash(made) == hash(value)
    with pytest.raises(AttributeError):
        made.val = value.val


def test_a_saved_graph_goes_without_the_collector():
    roi, shape = omero.model.RoiI(), omero.model.PolygonI()
    roi.addShape(shape)
    gone = weakref.ref(roi)
    saver = Saver(None, None)
    saver._order = [Node(thing, None, 1, True) for thing in (roi, shape)]
    gc.disable()
    try:
        saver.take_apart()
        del roi, shape, saver
        assert gone() is None
    finally:
        gc.enable()
