"""The entity model: the kinds of objects and how they refer to each other.

Everything is derived from omero-py's own class definitions (see introspect.py), except two facts that they
do not contain: which objects belong to nobody, and which collections keep their order.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from sandbox.omero.model.introspect import MODEL, ModelClass, model_classes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, eq=False)  # one object a property, as below
class Property:
    """One property of an entity.

    Attributes:
        name: The property's name in HQL (`pixels`, not `pixelsSeq`).
        kind: `scalar`, `reference`, `unit`, `named_values`, `bytes`, `strings` or `collection`.
        type: The rtype of a scalar (`RString`), the entity of a reference or collection, the unit class of a unit.
        inverse: For a collection, the reference of `type` that points back.
        declared_by: The entity that declares the property.
    """

    name: str
    kind: str
    type: str
    declared_by: str
    inverse: str = ""


@dataclass(frozen=True, eq=False)  # one object an entity: identity is equality
class Entity:
    """One class of the model with all properties, inherited ones included."""

    name: str
    base: str
    root: str
    properties: Mapping[str, Property] = field(repr=False)
    subclasses: tuple[str, ...] = field(repr=False)
    required: tuple[str, ...] = field(repr=False)

    @functools.cached_property
    def is_enumeration(self) -> bool:
        """Return whether this is a fixed vocabulary: its objects are a `value` and no more."""
        return "value" in self.properties and "version" not in self.properties

    @functools.cached_property
    def is_global(self) -> bool:
        """Return whether its objects belong to no user and no group."""
        return self.is_enumeration or self.root in GLOBAL

    @functools.cached_property
    def is_link(self) -> bool:
        """Return whether its objects only join a parent to a child."""
        return "parent" in self.properties and "child" in self.properties

    @functools.cached_property
    def is_annotation_link(self) -> bool:
        """Return whether its child is an annotation."""
        return self.is_link and self.properties["child"].type == "Annotation"

    def is_a(self, name: str) -> bool:
        """Return whether objects of this entity are also objects of `name`."""
        return self.name in MODEL_ENTITIES[name].subclasses


GLOBAL = frozenset(
    {"Experimenter", "ExperimenterGroup", "GroupExperimenterMap", "Event", "EventLog", "Session"}
    | {"Node", "DBPatch", "ExternalInfo", "ShareMember"}
)

ORDERED = MappingProxyType(
    {
        ("GroupExperimenterMap", "child"): "groupExperimenterMap",
        ("Pixels", "image"): "pixels",
        ("Channel", "pixels"): "channels",
        ("Shape", "roi"): "shapes",
        ("WellSample", "well"): "wellSamples",
        ("FilesetEntry", "fileset"): "usedFiles",
        ("FilesetJobLink", "parent"): "jobLinks",
        ("ChannelBinding", "renderingDef"): "waveRendering",
        ("CodomainMapContext", "channelBinding"): "spatialDomainEnhancement",
        ("LightPathExcitationFilterLink", "parent"): "excitationFilterLink",
    }
)
"""(entity, reference) whose inverse collection is a list: the position is kept."""


def _property(owner: str, member_name: str, kind: str, type_name: str, element: str) -> Property | None:
    short = type_name.removeprefix(MODEL)
    entities = model_classes()
    if kind == "class" and type_name.startswith("::omero::R"):
        return Property(member_name, "scalar", type_name.removeprefix("::omero::"), owner)
    if kind == "class" and short in entities:
        return Property(member_name, "reference", short, owner)
    if kind == "class":
        return Property(member_name, "unit", short, owner)
    if kind == "sequence" and element.removeprefix(MODEL) in entities:
        return Property(member_name.removesuffix("Seq"), "collection", element.removeprefix(MODEL), owner)
    if kind == "sequence":
        kinds = {"NamedValueList": "named_values", "ByteSeq": "bytes", "StringArray": "strings"}
        return Property(member_name, kinds[type_name.rsplit("::", 1)[1]], type_name, owner)
    return None  # members for clients only: ...Loaded flags and ...CountPerOwner


def _inherited(name: str) -> list[ModelClass]:
    """Return the class and its ancestors, the oldest first."""
    found = model_classes()[name]
    return [*_inherited(found.base), found] if found.base else [found]


def _inverse(entity: str, references: list[Property]) -> str:
    """Return the one of the references of a collection's element type that points back to `entity`."""
    lineage = {c.name for c in _inherited(entity)}
    fitting = [p.name for p in references if p.type in lineage]
    if len(fitting) == 1:
        return fitting[0]
    # Links from a class to itself (annotations on annotations) are collected by their parent side.
    return next(name for name in ("parent", "parentFolder", entity[:1].lower() + entity[1:]) if name in fitting)


@functools.cache
def _build() -> dict[str, Entity]:
    classes = model_classes()
    flat: dict[str, dict[str, Property]] = {}
    for name in classes:
        flat[name] = {}
        for ancestor in _inherited(name):
            for member in ancestor.members:
                found = _property(ancestor.name, member.name, member.kind, member.type, member.element)
                if found is not None:
                    flat[name][found.name] = found
    entities = {}
    for name, properties in flat.items():
        for key, found in properties.items():
            if found.kind == "collection":
                references = [p for p in flat[found.type].values() if p.kind == "reference"]
                inverse = _inverse(found.declared_by, references)
                properties[key] = Property(found.name, found.kind, found.type, found.declared_by, inverse)
        below = tuple(sorted(other for other in classes if name in {c.name for c in _inherited(other)}))
        entities[name] = Entity(
            name,
            classes[name].base,
            _inherited(name)[0].name,
            MappingProxyType(properties),
            below,
            tuple(key for key in classes[name].required if properties[key].kind != "collection"),
        )
    return entities


MODEL_ENTITIES: Mapping[str, Entity] = MappingProxyType(_build())
"""Every entity by name."""
ROOTS = tuple(sorted(e.name for e in MODEL_ENTITIES.values() if not e.base))
_BY_LOWER_NAME = {name.lower(): name for name in MODEL_ENTITIES}


@functools.lru_cache(maxsize=1000)
def find_entity(name: str) -> Entity | None:
    """Return the entity for `Image`, `ImageI`, `image`, `ome.model.core.Image` or `::omero::model::Image`, or None."""
    short = (name or "").replace("::", ".").rsplit(".", 1)[-1]
    for candidate in (short, short.removesuffix("I")):
        found = _BY_LOWER_NAME.get(candidate.lower())
        if found:
            return MODEL_ENTITIES[found]
    return None


@functools.cache
def subclass_property(entity: Entity, name: str) -> Property | None:
    """Return the property of the entity, or else of one of its subclasses, as HQL allows on a base class."""
    for candidate in (entity.name, *entity.subclasses):
        found = MODEL_ENTITIES[candidate].properties.get(name)
        if found is not None:
            return found
    return None
