"""Tags and tag sets that a user may link to objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.omero.paging import batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.omero.session import Session


def find_usable_tags(session: Session, texts: Sequence[str]) -> dict[tuple[str, str], int]:
    """Find tags and tag sets by their texts: of each text and namespace the oldest one that the user may link.

    A link needs the right to annotate at both ends: in a read-only group, for instance, members may link only their own
    tags, even to their own images (omero-server, src/main/java/ome/security/basic/OmeroInterceptor.java).

    Returns:
        Ids by (text, namespace); the namespace of a plain tag is "".
    """
    found: dict[tuple[str, str], int] = {}
    for page in batches(texts):
        for tag in session.objects("select t from TagAnnotation t where t.textValue in (:names)", names=page):
            key = (tag.textValue.val, "" if tag.ns is None else tag.ns.val or "")
            if tag.details.permissions.canAnnotate():
                found[key] = min(tag.id.val, found.get(key, tag.id.val))
    return found


def find_usable_members(session: Session, set_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """Find the tags in tag sets that the user may link; return ids by (tag set, text), the oldest of each."""
    found: dict[tuple[int, str], int] = {}
    hql = "select l from AnnotationAnnotationLink l join fetch l.child where l.parent.id in (:ids)"
    for page in batches(set_ids):
        for link in session.objects(hql, ids=page):
            tag = link.child
            if hasattr(tag, "textValue") and tag.details.permissions.canAnnotate():
                key = (link.parent.id.val, tag.textValue.val)
                found[key] = min(tag.id.val, found.get(key, tag.id.val))
    return found
