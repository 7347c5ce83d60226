"""Tags and tag sets that a user may link to objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.omero.paging import batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.omero.session import Session


# omero-blitz Constants.ice
TAG_SET_NAMESPACE = "openmicroscopy.org/omero/insight/tagset"
_OWN = """
select l.id, s.textValue from {model}AnnotationLink l, TagAnnotation t, AnnotationAnnotationLink m, TagAnnotation s
where l.child.id = t.id and m.child.id = t.id and m.parent.id = s.id and s.ns = :ns and s.description = :mark
and s.textValue in (:sets) and l.details.owner.id = :me and l.parent.id in (:ids)
order by l.id, s.id
"""


def find_own_sets(
    session: Session, model: str, ids: Sequence[int], sets: Sequence[str], mark: str
) -> dict[int, list[str]]:
    """Find the tags that the user put on objects and that are in tag sets of some names.

    Args:
        session: An open session.
        model: Class of the objects.
        ids: The objects.
        sets: Names of tag sets.
        mark: Description of the tag sets: what a person made has none, and is left alone.

    Returns:
        The tag sets by the id of the link from object to tag.
    """
    found: dict[int, list[str]] = {}
    for page in batches(ids) if sets else ():
        hql = _OWN.format(model=model)
        for link, name in session.rows(hql, ids=page, sets=sets, ns=TAG_SET_NAMESPACE, mark=mark, me=session.user_id):
            found.setdefault(link, []).append(name)
    return found


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
