"""What images offer to choose from in the next form: their containers, channels and tags.

Galaxy reads the options of a select from a dataset by fixed columns, and only its first megabyte; an object table has
neither. So the list has few, different rows.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bioimage_suite.omero.annotations.annotations import linked_texts
from bioimage_suite.omero.objects import ImageRecord
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session

CHOICE_COLUMNS = ("kind", "value", "name")
MOST_IMAGES = 1000
"""A form with more options gets slow in the browser."""


def list_choices(session: Session, images: Sequence[ImageRecord]) -> list[tuple[str, Any, str]]:
    """Return rows (kind, value, name) of what the images offer, each once, ordered by kind and name.

    The value is the id of a project, dataset, screen, plate or image, or the text of a channel's name or a tag; the
    name is what a form shows.
    """
    rows: list[tuple[str, Any, str]] = []
    for kind in ("project", "dataset", "screen", "plate", "image"):
        pairs = ((getattr(one, f"{kind}_id"), getattr(one, f"{kind}_name")) for one in images)
        found = {number: name or "" for number, name in pairs if number is not None}
        named = sorted(found.items(), key=lambda one: (one[1].casefold(), one[0]))
        rows += [(kind, number, f"{name} ({number})") for number, name in named[:MOST_IMAGES]]
    ids = [one.image_id for one in images]
    tags = Counter(one.value for one in linked_texts(session, "image", ids, "TagAnnotation"))
    for kind, counts in (("channel", _channel_names(session, ids)), ("tag", tags)):
        rows += [(kind, text, f"{text} ({counts[text]} images)") for text in sorted(counts, key=str.casefold)]
    return rows


def _channel_names(session: Session, ids: Sequence[int]) -> Counter[str]:
    """Count the images by name of a channel; channels without a name have none to choose."""
    hql = (
        "select c.name, count(distinct p.image.id) from Pixels p join p.channels h join h.logicalChannel c "
        "where p.image.id in (:ids) group by c.name"
    )
    found: Counter[str] = Counter()
    for some in batches(ids):
        found.update({name: count for name, count in session.rows(hql, ids=some) if name})
    return found
