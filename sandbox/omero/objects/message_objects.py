"""The factories that make the objects of a client's message."""

from __future__ import annotations

import functools
from typing import Any

import Ice
import omero


class BareObjects(Ice.ObjectFactory):  # type: ignore[misc,unused-ignore]
    """Factory of a message's objects that does no more than Ice needs: a message of ROIs has tens of thousands of them.

    Ice sets every member from the message, by its name with a "_". The constructor would first fill each with a
    default, and omero-py's `__setattr__` would check each name.
    """

    def __init__(self, concrete: type) -> None:
        # Ice's C code calls C code here; a Python method would be called for each object.
        self.create = functools.partial(object.__new__, with_plain_members(concrete))

    def destroy(self) -> None:
        """Do nothing: there is nothing to give back."""


def with_plain_members(concrete: type) -> type:
    """Make a class of omero-py whose members are set without omero-py's checks; names without "_" work as before."""
    public = {"val": property(_getter(concrete, "val"))} if issubclass(concrete, omero.RType) else {}
    for setter in dir(concrete):
        if setter.startswith("set"):
            name = setter[3].lower() + setter[4:]
            public[name] = property(_getter(concrete, name), getattr(concrete, setter))
    return type(concrete.__name__, (concrete,), {**public, "__setattr__": object.__setattr__})


def _getter(concrete: Any, name: str) -> Any:
    return lambda thing: concrete.__getattr__(thing, name)
