"""The class of an object as QuPath's GeoJSON has it."""

from typing import Any


def class_name(given: Any) -> str:
    """Return the name of a `classification`; parts are joined as QuPath shows them.

    It is a text, or has `name`, or since QuPath 0.4 `names` of its parts; before, the first part was a `parentClass`.

    >>> class_name({"name": "Tumor"}), class_name({"names": ["Tumor", "Positive"]}), class_name("Stroma")
    ('Tumor', 'Tumor: Positive', 'Stroma')
    >>> class_name({"name": "Positive", "parentClass": {"name": "Tumor", "colorRGB": -1}}), class_name(None)
    ('Tumor: Positive', '')
    """
    if isinstance(given, str):
        return given
    if not given:
        return ""
    names = given.get("names") or [given.get("name") or ""]
    return ": ".join(filter(None, [class_name(given.get("parentClass")), *map(str, names)]))
