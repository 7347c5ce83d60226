"""Changes that give OMERO objects the annotations a table asks for: planned by comparison, then applied."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.annotations import (
    MARK,
    RATING_NAMESPACE,
    AttachedFile,
    Linked,
    link_annotations,
    linked_files,
    linked_pairs,
    linked_ratings,
    linked_texts,
    save_annotations,
    save_tag,
)
from bioimage_suite.omero.annotations.tags import (
    TAG_SET_NAMESPACE,
    find_own_sets,
    find_usable_members,
    find_usable_tags,
)
from bioimage_suite.omero.files.original_files import find_free_files, upload_file
from bioimage_suite.omero.objects import CLASSES
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.undo import MadeObjects

ANNOTATE_LEASE = "annotate"
"""Name of the lease for what compares annotations with what is there, and then adds what is missing."""
Pairs = list[tuple[str, str]]
ObjectKey = tuple[str, int, str]
"""Kind, id and name of an object in OMERO; the id is below 0 if the object is still to be made."""
CHANGE_COLUMNS = (
    "object_type",
    "object_id",
    "object_name",
    "action",
    "annotation_type",
    "namespace",
    "before",
    "after",
)
CLASS_OF = {"key_value": "MapAnnotation", "rating": "LongAnnotation", "attachment": "FileAnnotation"}
"""Class of the annotations that a change may delete, by annotation type; of a tag only its link to the object goes."""


@dataclass(frozen=True)
class Attachment:
    """A file on disk to attach under a name; `size` in bytes."""

    name: str
    path: Path
    size: int
    sha1: str

    def is_same(self, other: AttachedFile) -> bool:
        """Return whether OMERO's file has the same name, size and, where OMERO has one, SHA-1."""
        return (self.name, self.size) == (other.name, other.size) and other.sha1 in (None, self.sha1)


@dataclass
class Wanted:
    """The annotations an object should have: pairs by namespace, (tag, tag set), comments, files, a rating (1 to 5).

    A tag without a name says that no other tag of its set is wanted.
    """

    pairs: dict[str, Pairs] = field(default_factory=dict)
    tags: dict[tuple[str, str], None] = field(default_factory=dict)
    comments: dict[str, None] = field(default_factory=dict)
    files: dict[Attachment, None] = field(default_factory=dict)
    rating: int | None = None

    @classmethod
    def merged(cls, several: Sequence["Wanted"]) -> "Wanted":
        """Merge what several rows ask for one object; the last rating wins."""
        joined = cls()
        for one in several:
            for namespace, pairs in one.pairs.items():
                known = joined.pairs.setdefault(namespace, [])
                known += [pair for pair in pairs if pair not in known]
            joined.tags |= one.tags
            joined.comments |= one.comments
            joined.files |= one.files
            joined.rating = one.rating or joined.rating
        return joined


@dataclass(frozen=True)
class Change:
    """One change to one object: `value` is the new content, `old` the user's own annotations that it loses."""

    kind: str
    object_id: int
    object_name: str
    action: str
    what: str
    namespace: str
    before: str
    after: str
    value: Any
    old: tuple[Linked, ...] = ()

    def row(self) -> tuple[Any, ...]:
        """Return the change as a row of the table of changes."""
        known_id = self.object_id if self.object_id > 0 else ""
        return (
            *(self.kind, known_id, self.object_name, self.action, self.what, self.namespace),
            *(self.before, self.after),
        )


def plan_changes(session: Session, wanted: Mapping[ObjectKey, Wanted], mode: str) -> list[Change]:
    """List the changes that give objects the wanted annotations; annotations they already have are kept.

    Args:
        session: An open session.
        wanted: By (kind, id, name) of the object.
        mode: For key-value pairs. "add": add the pairs that the object lacks in this namespace. "replace": delete what
            this user added with this tool in this namespace, then add the wanted pairs. "merge": replace only the
            values of the wanted keys and keep other keys. Pairs of other users are never changed. Files likewise:
            "add" attaches each file that the object lacks (by name and content); "replace" deletes all files that
            this tool attached for this user, "merge" only those with the name of a wanted file. Tags: "replace" and
            "merge" take other tags off the object if they are in a tag set that its row names and that this tool made,
            and this user put them there.

    Raises:
        UserError: A tag is given by an id that the group does not have.
    """
    changes: list[Change] = []
    _tags_by_id(session, [tag for one in wanted.values() for tag, _ in one.tags])
    for kind in dict.fromkeys(key[0] for key in wanted):
        places = [key for key in wanted if key[0] == kind]
        ids = [key[1] for key in places]
        pairs = _by_object(linked_pairs(session, kind, ids))
        tags = _by_object(linked_texts(session, kind, ids, "TagAnnotation"))
        own_sets = _own_sets(session, {place: wanted[place] for place in places}, kind) if mode != "add" else {}
        comments = _by_object(linked_texts(session, kind, ids, "CommentAnnotation"))
        ratings = _by_object(linked_ratings(session, kind, ids))
        files = _by_object(linked_files(session, kind, ids))
        for place in places:
            one, number = wanted[place], place[1]
            for namespace, found in one.pairs.items():
                there = [item for item in pairs.get(number, []) if item.namespace == namespace]
                changes += _pair_changes(place, namespace, found, there=there, mode=mode, me=session.user_id)
            changes += _tag_changes(place, list(one.tags), tags.get(number, []), own_sets)
            said = {item.value for item in comments.get(number, []) if item.owner_id == session.user_id}
            new = (text for text in one.comments if text not in said)
            changes += [Change(*place, "add", "comment", "", "", text, text) for text in new]
            changes += _rating_changes(place, one.rating, ratings.get(number, []), session.user_id)
            changes += _file_changes(place, list(one.files), files.get(number, []), mode, session.user_id)
    return changes


def apply_changes(session: Session, changes: Sequence[Change], made: MadeObjects) -> dict[str, list[int]]:
    """Save everything new, and return the ids, by class, of the annotations that it replaces, and of their links.

    Only for who has the lease `ANNOTATE_LEASE`.

    Args:
        session: An open session.
        changes: From `plan_changes`.
        made: Collects the ids of everything new, so that it can be undone.
    """
    import omero.model

    uploaded = _upload(session, [one.value for one in changes if one.what == "attachment" and one.value], made)
    for kind in dict.fromkeys(change.kind for change in changes):
        own = [change for change in changes if change.kind == kind]
        new = [change for change in own if change.what != "tag" and change.value]
        fresh = [(change.object_id, _annotation(change, uploaded)) for change in new]
        save_annotations(kind, fresh, made)
        wanted = [change for change in own if change.what == "tag" and change.value]
        tags = _find_or_make_tags(session, [change.value for change in wanted], made)
        # A tag that is in two tag sets, or given by name and by id, is still one: OMERO links it once.
        links = dict.fromkeys((c.object_id, omero.model.TagAnnotationI, tags[c.value]) for c in wanted)
        link_annotations(session, kind, links, made)
    old: dict[str, list[int]] = {}
    for change in (one for one in changes if one.old):
        if change.what in CLASS_OF:
            old.setdefault(CLASS_OF[change.what], []).extend(one.annotation_id for one in change.old)
        old.setdefault(f"{CLASSES[change.kind]}AnnotationLink", []).extend(
            n for one in change.old for n in one.link_ids
        )
    return old


def _own_sets(session: Session, wanted: Mapping[ObjectKey, Wanted], kind: str) -> dict[int, list[str]]:
    """Return, by the link to a tag that this user put on an object, the tag sets it is in that any row names."""
    sets = sorted({tag_set for one in wanted.values() for _, tag_set in one.tags if tag_set})
    return find_own_sets(session, CLASSES[kind], [place[1] for place in wanted], sets, MARK)


def _tag_changes(
    place: ObjectKey, wanted: Sequence[tuple[str, str]], there: list[Linked], own_sets: Mapping[int, list[str]]
) -> list[Change]:
    """Return the tags to link, and the user's own ones to take off: a tag that another set asks for stays."""
    present = {text for item in there for text in (item.value, f"[{item.annotation_id}]")}
    kept, named = {tag for tag, _ in wanted}, {tag_set for _, tag_set in wanted if tag_set}
    changes = [
        Change(*place, "add", "tag", "", "", tag + (f"[{tag_set}]" if tag_set else ""), (tag, tag_set))
        for tag, tag_set in wanted
        if tag and tag not in present
    ]
    for item in there:
        mine = tuple(number for number in item.link_ids if number in own_sets)
        tag_set = next((one for number in mine for one in own_sets[number] if one in named), None)
        if tag_set and item.value not in kept and f"[{item.annotation_id}]" not in kept:
            put = replace(item, link_ids=mine)
            changes.append(Change(*place, "remove", "tag", "", f"{item.value}[{tag_set}]", "", None, (put,)))
    return changes


def _pair_changes(
    place: ObjectKey, namespace: str, wanted: Pairs, *, there: list[Linked], mode: str, me: int
) -> list[Change]:
    own = [item for item in there if item.owner_id == me and item.description == MARK]
    before = [pair for item in own for pair in item.value]
    if mode == "add":
        present = {pair for item in there for pair in item.value}
        after = [pair for pair in wanted if pair not in present]
        return [Change(*place, "add", "key_value", namespace, "", _shown(after), after)] if after else []
    if mode == "replace":
        after = wanted
    else:
        keys = {key for key, _ in wanted}
        after = [pair for pair in before if pair[0] not in keys] + wanted
    if sorted(after) == sorted(before):
        return []
    action = mode if own else "add"
    return [Change(*place, action, "key_value", namespace, _shown(before), _shown(after), after, tuple(own))]


def _rating_changes(place: ObjectKey, rating: int | None, there: list[Linked], me: int) -> list[Change]:
    own = [item for item in there if item.owner_id == me]
    if rating is None or [item.value for item in own] == [rating]:
        return []
    before = "; ".join(str(item.value) for item in own)
    action = "replace" if own else "add"
    return [Change(*place, action, "rating", RATING_NAMESPACE, before, str(rating), rating, tuple(own))]


def _file_changes(
    place: ObjectKey, wanted: Sequence[Attachment], there: list[Linked], mode: str, me: int
) -> list[Change]:
    changes = []
    names = {one.name for one in wanted}
    own = [item for item in there if item.owner_id == me and item.namespace == MARK and mode != "add" and wanted]
    gone = [
        item
        for item in own
        if (mode == "replace" or item.value.name in names) and not any(one.is_same(item.value) for one in wanted)
    ]
    for one in wanted:
        if any(one.is_same(item.value) for item in there):
            continue
        old = [item for item in gone if item.value.name == one.name]
        gone = [item for item in gone if item not in old]
        before = "; ".join(item.value.name for item in old)
        changes.append(Change(*place, mode if old else "add", "attachment", MARK, before, one.name, one, tuple(old)))
    for item in gone:
        changes.append(Change(*place, "remove", "attachment", MARK, item.value.name, "", None, (item,)))
    return changes


def _upload(session: Session, files: Sequence[Attachment], made: MadeObjects) -> dict[Attachment, int]:
    """Upload each file once, whatever the number of objects that get it; return file ids."""
    uploaded: dict[Attachment, int] = {}
    if files:
        # Under the lease of annotations, files of this mark without an annotation were left by a run that is gone.
        made.clear(lambda again: {"OriginalFile": find_free_files(again, MARK)})
    for one in dict.fromkeys(files):
        mimetype = mimetypes.guess_type(one.name)[0] or "application/octet-stream"
        uploaded[one] = upload_file(
            session, one.path, name=one.name, mimetype=mimetype, sha1=one.sha1, mark=MARK, made=made
        )
        print(f"{one.name}: {one.size:,} bytes uploaded", flush=True)
    return uploaded


def _annotation(change: Change, uploaded: Mapping[Attachment, int]) -> Any:
    import omero.model
    from omero.rtypes import rlong, rstring

    if change.what == "key_value":
        made = omero.model.MapAnnotationI()
        made.mapValue = [omero.model.NamedValue(key, value) for key, value in change.value]
        made.description = rstring(MARK)
    elif change.what == "comment":
        made = omero.model.CommentAnnotationI()
        made.textValue = rstring(change.value)
    elif change.what == "attachment":
        made = omero.model.FileAnnotationI()
        made.file = omero.model.OriginalFileI(uploaded[change.value], False)
    else:
        made = omero.model.LongAnnotationI()
        made.longValue = rlong(change.value)
    if change.namespace:
        made.ns = rstring(change.namespace)
    return made


def _tags_by_id(session: Session, tags: Sequence[str]) -> dict[str, int]:
    """Return the ids of the tags that are given by id, as `[12]` (the notation of omero-scripts).

    Raises:
        UserError: The group has no such tag, or the user may not link it.
    """
    numbers = {int(tag[1:-1]): tag for tag in tags if re.fullmatch(r"\[\d+\]", tag)}
    if not numbers:
        return {}
    hql = "select t from TagAnnotation t where t.id in (:ids) and (t.ns is null or t.ns != :set)"
    found = session.objects(hql, ids=list(numbers), set=TAG_SET_NAMESPACE)
    missing = sorted(set(numbers) - {one.id.val for one in found})
    if missing:
        raise UserError(f"tag {missing[0]}: no tag has this id in group {session.group_name!r}. Write the tag's name.")
    refused = sorted(one.id.val for one in found if not one.details.permissions.canAnnotate())
    if refused:
        raise UserError(
            f"tag {refused[0]}: it belongs to somebody else, and group {session.group_name!r} lets you link only your "
            "own tags. Write the tag's name: then the tool uses or makes your own."
        )
    return {tag: number for number, tag in numbers.items()}


def _find_or_make_tags(
    session: Session, wanted: Sequence[tuple[str, str]], made: MadeObjects
) -> dict[tuple[str, str], int]:
    """Return the id of each (tag, tag set): the oldest one of the group that the user may link, or a new one."""
    from omero.model import AnnotationAnnotationLinkI, TagAnnotationI
    from omero.rtypes import rstring

    def make(text: str, namespace: str = "") -> int:
        tag = TagAnnotationI()
        tag.textValue = rstring(text)
        if namespace:
            tag.ns, tag.description = rstring(namespace), rstring(MARK)
        return save_tag(session, tag, made)

    if not wanted:
        return {}
    names = sorted({name for pair in wanted for name in pair if name})
    usable = find_usable_tags(session, names)
    sets = {text: number for (text, namespace), number in usable.items() if namespace == TAG_SET_NAMESPACE}
    # Of tags with other namespaces the oldest, too.
    plain = [(number, text) for (text, namespace), number in usable.items() if namespace != TAG_SET_NAMESPACE]
    tags = {text: number for number, text in sorted(plain, reverse=True)} | _tags_by_id(session, names)
    members = find_usable_members(session, list(sets.values()))
    found: dict[tuple[str, str], int] = {}
    for tag, tag_set in dict.fromkeys(wanted):
        if not tag_set:
            found[tag, tag_set] = tags[tag] if tag in tags else tags.setdefault(tag, make(tag))
            continue
        if tag_set not in sets:
            sets[tag_set] = make(tag_set, TAG_SET_NAMESPACE)
        number = members.get((sets[tag_set], tag))
        if number is None:
            number = tags[tag] if tag in tags else tags.setdefault(tag, make(tag))
            link = AnnotationAnnotationLinkI()
            link.parent, link.child = TagAnnotationI(sets[tag_set], False), TagAnnotationI(number, False)
            made.save("AnnotationAnnotationLink", [link])
        found[tag, tag_set] = number
    return found


def _by_object(items: Sequence[Linked]) -> dict[int, list[Linked]]:
    found: dict[int, list[Linked]] = {}
    for item in items:
        found.setdefault(item.object_id, []).append(item)
    return found


def _shown(pairs: Pairs) -> str:
    return "; ".join(f"{key}={value}" for key, value in pairs)
