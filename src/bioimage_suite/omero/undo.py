"""What a run makes in OMERO: known from the moment it is made, taken back if the run fails, in one place for all tools.

Taken back is only what nobody else uses. What others find by its name and use (projects, datasets, screens, tags) goes
by `IUpdate.deleteObject`, which OMERO refuses while anything hangs on the object: no look before the deed can be late.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bioimage_suite.core.errors import UserError, note_outcome
from bioimage_suite.core.stopping import finishing, holding, signalled
from bioimage_suite.omero.leases import LeaseHold, hold_leases
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.reconnect import is_broken
from bioimage_suite.omero.session import Session, leave, rejoin

SHARED = ("TagAnnotation", "Dataset", "Project", "Screen")
"""What others find by its name and use; in the order in which it goes."""
CONTAINER_LINKS = {
    "Dataset": (("DatasetImageLink", "parent"), ("DatasetAnnotationLink", "parent"), ("ProjectDatasetLink", "child")),
    "Project": (("ProjectDatasetLink", "parent"), ("ProjectAnnotationLink", "parent")),
    "Screen": (("ScreenPlateLink", "parent"), ("ScreenAnnotationLink", "parent")),
}
"""Classes of the links of a container, with its end of them."""
PLACES = ("ProjectDatasetLink", "DatasetImageLink", "ScreenPlateLink")
"""Classes of the links from containers to what is in them."""
LINKED = ("Dataset", "Image", "Plate", "Annotation")
"""Classes of what links of containers lead to."""
ANNOTATED = ("Project", "Dataset", "Screen", "Plate", "PlateAcquisition", "Well", "Image", "Roi")
"""What people annotate."""
PRIVATE_ANNOTATIONS = (
    *("MapAnnotation", "CommentAnnotation", "LongAnnotation", "FileAnnotation", "XmlAnnotation", "BooleanAnnotation"),
    *("DoubleAnnotation", "TermAnnotation", "TimestampAnnotation", "ListAnnotation"),
)
"""Classes of annotations that others use only if somebody links them."""
WAITS = (0.0, 1.0, 2.0, 4.0)  # Seconds before each attempt to take back.
LONGEST = 10.0  # Seconds after which no further attempt begins.
LONGEST_CANCELLED = 4.0  # The same for a cancelled job, which is killed after a while.
SILENCE, SILENCE_CANCELLED = 5.0, 2.0  # Seconds without an answer after which an attempt is given up.
LEFT = "left in OMERO; a rerun replaces it"
KEPT = ""
"""Outcome of a run whose line broke after its last step: what it made stays, and there is nothing to add."""
Ids = Mapping[str, Sequence[int]]


@dataclass
class MadeObjects:
    """What a run has made so far, and what it works on alone.

    Attributes:
        session: The run's session; another one after the connection broke.
        ids: Ids by class.
        rest: Find what else this run may have made, whose ids it never learned: by its marks.
        replaced: What the run makes anew; set when that goes.
        holds: The leases that the run has.
    """

    session: Session
    ids: dict[str, list[int]] = field(default_factory=dict)
    rest: list[Callable[[Session], Ids]] = field(default_factory=list)
    replaced: Ids = field(default_factory=dict)
    holds: list[LeaseHold] = field(default_factory=list)

    def add(self, kind: str, ids: Sequence[int]) -> None:
        """Remember ids of a class."""
        self.ids.setdefault(kind, []).extend(ids)

    def save(self, kind: str, things: Sequence[Any]) -> list[int]:
        """Save objects of a class and remember their ids, whatever signal comes meanwhile."""
        if not things:
            return []
        with holding():
            ids = list(self.session.update.saveAndReturnIds(list(things)))
            self.add(kind, ids)
        return ids

    def lease(self, names: Sequence[str]) -> None:
        """Wait until no other job of this user works on something, and keep others away until all is done."""
        self.holds.append(hold_leases(self.session, names))

    def is_alone(self, session: Session) -> bool:
        """Tell whether the run still has its leases."""
        return all(one.is_kept(session) for one in self.holds)

    def finish(self, replaced: Ids, keep: Sequence[str] = ()) -> None:
        """Take away what the run has made anew, but nothing of the classes `keep`. From here on nothing is taken back.

        Annotations that are on other objects, too, stay there: of them only the links go that `replaced` names.

        Args:
            replaced: Ids by class.
            keep: See `Session.delete`.

        Raises:
            UserError: This job stood still for so long that another one took its place.
        """
        with finishing():
            if not self.is_alone(self.session):
                raise UserError(
                    "this job: it stood still for so long that another one took its place. Run the tool again."
                )
            self.replaced = without(replaced, _used_by_others(self.session, replaced))
            self.session.delete(self.replaced, keep)
            self.ids.clear()
            self.rest.clear()


@contextmanager
def writing(session: Session, names: Sequence[str] = ()) -> Iterator[MadeObjects]:
    """Take back what the block makes in OMERO if it fails; the error says what could not be taken back.

    Args:
        session: An open session.
        names: What no other job of this user may work on meanwhile, see `leases`.
    """
    made = MadeObjects(session)
    try:
        made.lease(names)
        yield made
    except BaseException as error:
        with holding():
            _take_back_somehow(made, error)
        raise
    finally:
        with holding():
            for one in made.holds:
                with suppress(Exception):  # If the server is gone they end by themselves.
                    one.give_back(made.session)
            if made.session is not session:
                leave(made.session)


def merge_ids(groups: Iterable[Ids]) -> dict[str, list[int]]:
    """Join several sets of ids by class to one, each id once, so that one transaction deletes them all."""
    merged: dict[str, dict[int, None]] = {}
    for group in groups:
        for kind, ids in group.items():
            merged.setdefault(kind, {}).update(dict.fromkeys(ids))
    return {kind: list(ids) for kind, ids in merged.items()}


def without(ids: Ids, others: Ids) -> dict[str, list[int]]:
    """Return the ids that are not among others."""
    known = {kind: set(numbers) for kind, numbers in others.items()}
    return {kind: [number for number in own if number not in known.get(kind, ())] for kind, own in ids.items()}


def save_links(session: Session, kind: str, links: Sequence[Any], made: MadeObjects) -> None:
    """Save links of existing objects; a link that is there already is fine: somebody else was quicker.

    Args:
        session: An open session.
        kind: Class of the links, such as "ImageAnnotationLink".
        links: Unsaved links.
        made: Learns the ids of those that are new.
    """
    import omero

    left = list(links)
    while left:
        try:
            made.save(kind, left)
            return
        except omero.ValidationException:
            # OMERO has one link of a parent, a child and an owner, and refuses all if one is there.
            hql = f"select l.parent.id, l.child.id from {kind} l where l.parent.id in (:ids) "  # noqa: S608
            hql += "and l.details.owner.id = :me"
            parents = list({link.parent.id.val for link in left})
            rows = [row for some in batches(parents) for row in session.rows(hql, ids=some, me=session.user_id)]
            there = {tuple(row) for row in rows}
            rest = [link for link in left if (link.parent.id.val, link.child.id.val) not in there]
            if len(rest) == len(left):
                raise
            left = rest


def take_back(session: Session, made: MadeObjects) -> list[str]:
    """Delete what a run has made, as far as nobody else uses it.

    Returns:
        What stays, in words.

    Raises:
        UserError: The server refused; then nothing was deleted but what was in no other's way.
    """
    # Without its leases a run does not know whose the rest is.
    rest = made.rest if made.is_alone(session) else []
    ids = merge_ids([made.ids, *(find(session) for find in rest)])
    own = {kind: numbers for kind, numbers in ids.items() if kind not in SHARED}
    annotations = _annotations_made(session, ids)
    kept = _used_elsewhere(session, annotations, ids)
    # Links first, alone: with a link OMERO deletes what only this link uses, which others may have made.
    links = {kind: own.pop(kind) for kind in PLACES if kind in own}
    session.delete(links, keep=LINKED)
    session.delete(without(merge_ids([own, annotations]), kept))
    stays = [f"{kind} {number}" for kind, numbers in kept.items() if kind != "OriginalFile" for number in numbers]
    for kind in SHARED:
        for number in reversed(ids.get(kind, ())):
            if not remove_shared(session, kind, number):
                stays.append(f"{kind} {number}")
    return stays


def _take_back_somehow(made: MadeObjects, error: BaseException) -> None:
    """Take back, over a new connection if the old one broke; note at the error what becomes of what was made."""
    if not (made.ids or made.rest):
        return
    old, broken = made.session, is_broken(error) or made.session.watchdog.is_cut
    end = time.monotonic() + (LONGEST if signalled() is None else LONGEST_CANCELLED)
    for seconds in WAITS[:2] if old.watchdog.is_cut else WAITS:  # The watchdog has waited already.
        if time.monotonic() + seconds > end:
            break
        time.sleep(seconds)
        try:
            if broken:
                _join_again(made, old)
            if made.replaced and not made.session.among(made.replaced):
                note_outcome(error, KEPT)  # All was done before the line broke.
                return
            stays = take_back(made.session, made)
            if stays:
                words = f"{', '.join(stays)} stays in OMERO: others use it."
                print(words, flush=True)
            return
        except Exception as failure:
            if not (broken or is_broken(failure) or made.session.watchdog.is_cut):
                break
            broken = True
    print(f"what this job made could not be taken back: {LEFT}", flush=True)
    note_outcome(error, LEFT)


def _join_again(made: MadeObjects, old: Session) -> None:
    """Give the run a new connection, and close the one that an earlier attempt had."""
    if made.session is not old:
        leave(made.session)
        made.session = old
    made.session = rejoin(old, SILENCE if signalled() is None else SILENCE_CANCELLED)


def _annotations_made(session: Session, ids: Ids) -> dict[str, list[int]]:
    """Find the annotations that a run has made, including those that were saved together with their link."""
    found = {kind: list(ids[kind]) for kind in PRIVATE_ANNOTATIONS if kind in ids}
    for link, numbers in ids.items():
        if not link.endswith("AnnotationLink") or link == "AnnotationAnnotationLink":
            continue
        for kind in PRIVATE_ANNOTATIONS:
            # One call of the client is one event.
            hql = (
                f"select a.id from {link} l, {kind} a where l.child.id = a.id and l.id in (:ids) "  # noqa: S608
                "and a.details.creationEvent.id = l.details.creationEvent.id"
            )
            rows = [row[0] for some in batches(numbers) for row in session.rows(hql, ids=some)]
            if rows:
                found[kind] = sorted({*found.get(kind, ()), *rows})
    return found


def _used_elsewhere(session: Session, annotations: Ids, ids: Ids) -> dict[str, list[int]]:
    """Find the annotations that are linked to something other than what goes, and the files of those that stay.

    Args:
        session: An open session.
        annotations: Ids of annotations by class.
        ids: All that goes, by class: with it the links and files of the annotations.
    """
    going = {kind: set(numbers) for kind, numbers in ids.items()}
    images = "select i.id from Image i where i.fileset.id in (:ids)"
    for some in batches(ids.get("Fileset", ())):
        going.setdefault("Image", set()).update(row[0] for row in session.rows(images, ids=some))
    used: set[int] = set()
    numbers = [number for own in annotations.values() for number in own]
    for kind in ANNOTATED:
        hql = f"select l.id, l.parent.id, l.child.id from {kind}AnnotationLink l where l.child.id in (:ids)"  # noqa: S608
        for some in batches(numbers):
            for link, parent, child in session.rows(hql, ids=some):
                if link not in going.get(f"{kind}AnnotationLink", ()) and parent not in going.get(kind, ()):
                    used.add(child)
    kept = {kind: both for kind, own in annotations.items() if (both := [one for one in own if one in used])}
    kept["OriginalFile"] = [file for annotation, file in _files(session, ids) if annotation in used]
    return kept


def _used_by_others(session: Session, replaced: Ids) -> dict[str, list[int]]:
    """Find the annotations of what a run has made anew that stay, and the files that an annotation of others has."""
    annotations = {kind: replaced[kind] for kind in PRIVATE_ANNOTATIONS if kind in replaced}
    kept = _used_elsewhere(session, annotations, replaced)
    gone = set(annotations.get("FileAnnotation", ())) - set(kept.get("FileAnnotation", ()))
    kept["OriginalFile"] = [file for annotation, file in _files(session, replaced) if annotation not in gone]
    return kept


def _files(session: Session, ids: Ids) -> list[list[int]]:
    """Return ids of annotations and of those files, among all ids by class, that are attached by them."""
    hql = "select a.id, a.file.id from FileAnnotation a where a.file.id in (:ids)"
    return [row for some in batches(ids.get("OriginalFile", ())) for row in session.rows(hql, ids=some)]


def remove_shared(session: Session, kind: str, number: int) -> bool:
    """Delete a tag or a container that nobody else uses; returns whether it is gone."""
    for link, end in CONTAINER_LINKS.get(kind, ()):
        # What came with the object in one call is its own: the link to its project, its mark.
        hql = (
            f"select l.id, l.details.creationEvent.id, o.details.creationEvent.id from {link} l join l.{end} o "  # noqa: S608
            "where o.id = :id"
        )
        if any(event != own for _, event, own in session.rows(hql, id=number)):
            return False
    ends: list[tuple[str, int, int]] = []
    for link, end in CONTAINER_LINKS.get(kind, ()):
        hql = f"select l.id, l.parent.id, l.child.id from {link} l where l.{end}.id = :id"  # noqa: S608
        rows = session.rows(hql, id=number)
        session.delete({link: [row[0] for row in rows]}, keep=LINKED)  # Else what only the link uses goes with it.
        ends += [(link, parent, child) for _, parent, child in rows]
    if not session.delete_unused(kind, number):  # Somebody has come to use it just now: it gets its links again.
        session.update.saveArray([_link_of(*one) for one in ends])
        return False
    for mark in (child for link, _, child in ends if link.endswith("AnnotationLink")):
        session.delete_unused("MapAnnotation", mark)
    return True


def _link_of(kind: str, parent: int, child: int) -> Any:
    """Return an unsaved link of a class of `CONTAINER_LINKS`."""
    import omero.model

    holder = next(one for one in CONTAINER_LINKS if kind.startswith(one))
    held = kind.removeprefix(holder).removesuffix("Link")
    link = getattr(omero.model, f"{kind}I")()
    link.parent = getattr(omero.model, f"{holder}I")(parent, False)
    link.child = getattr(omero.model, "MapAnnotationI" if held == "Annotation" else f"{held}I")(child, False)
    return link
