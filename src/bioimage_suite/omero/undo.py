"""What a run makes in OMERO: known from the moment it is made, taken back if the run fails, in one place for all tools.

Taken back is only what nobody else uses. What others find by its name and use (projects, datasets, screens, tags) goes
by `IUpdate.deleteObject`, which OMERO refuses while anything hangs on the object: no look before the deed can be late.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bioimage_suite.core.errors import StartAgainError, note_outcome
from bioimage_suite.core.stopping import finishing, holding, signalled
from bioimage_suite.omero.leases import NEW_SECONDS, LeaseHold, hold_leases
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
USES = {
    "Image": (
        ("ImageAnnotationLink", "join l.parent o"),
        ("DatasetImageLink", "join l.child o"),
        ("Roi", "join l.image o"),
        ("WellSample", "join l.image o"),
    ),
    "Plate": (
        ("PlateAnnotationLink", "join l.parent o"),
        ("WellAnnotationLink", "join l.parent w join w.plate o"),
        ("ScreenPlateLink", "join l.child o"),
    ),
}
"""What others make of images and plates: the class, and its way to them."""
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
TAKEN_OVER = "this job: it stood still for so long that another one took its place. Run the tool again."
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
            self.stay_alone()
            ids = list(self.session.update.saveAndReturnIds(list(things)))
            self.add(kind, ids)
            try:
                self.stay_alone()
            except StartAgainError:
                if _is_new(self.session, kind, ids):  # It stood still before the call went out.
                    take_back(self.session, MadeObjects(self.session, {kind: ids}))
                raise
        return ids

    def lease(self, names: Sequence[str]) -> None:
        """Wait until no other job of this user works on something, and keep others away until all is done."""
        self.holds.append(hold_leases(self.session, names))

    def is_alone(self, session: Session) -> bool:
        """Tell whether the run still has its leases."""
        return all(one.is_kept(session) for one in self.holds)

    def stay_alone(self) -> None:
        """Make sure, before anything is written, that the run still has its leases.

        Raises:
            StartAgainError: This job stood still for so long that another one took its place.
        """
        if not all(one.is_fresh() or one.is_kept(self.session) for one in self.holds):
            raise StartAgainError(TAKEN_OVER)

    def clear(self, find: Callable[[Session], Ids]) -> None:
        """Delete what earlier runs left, and know of what this run may leave in the same way.

        Args:
            find: Finds what nobody but the job with these leases may have made.

        Raises:
            StartAgainError: See `stay_alone`.
        """
        left = find(self.session)
        if not self.is_alone(self.session):  # What was found may be that of a job at work.
            raise StartAgainError(TAKEN_OVER)
        self.session.delete(left)
        self.rest.append(find)

    def finish(self, replaced: Ids, keep: Sequence[str] = ()) -> None:
        """Take away what the run has made anew, but nothing of the classes `keep`. From here on nothing is taken back.

        Annotations that are on other objects, too, stay there: of them only the links go that `replaced` names.

        Args:
            replaced: Ids by class.
            keep: See `Session.delete`.

        Raises:
            StartAgainError: See `stay_alone`.
        """
        with finishing():
            if not self.is_alone(self.session):
                raise StartAgainError(TAKEN_OVER)
            self.replaced = without(replaced, _used_by_others(self.session, replaced))
            self.session.delete(self.replaced, keep)
            if not self.is_alone(self.session):  # It stood still between these calls.
                raise StartAgainError(TAKEN_OVER)
            self.ids.clear()
            self.rest.clear()


@contextmanager
def writing(session: Session, names: Sequence[str] = ()) -> Iterator[MadeObjects]:
    """Take back what the block makes in OMERO if it fails; the error says what could not be taken back.

    Where another job has taken the place of this one, nothing is taken back: that job found it as what a dead job left,
    and may use it. Then the run begins anew, as a rerun of a job that was killed does.

    Args:
        session: An open session.
        names: What no other job of this user may work on meanwhile, see `leases`.

    Raises:
        StartAgainError: This job stood still for so long that another one took its place.
    """
    made = MadeObjects(session)
    try:
        made.lease(names)
        yield made
    except BaseException as error:
        with holding():
            is_alone = _take_back_somehow(made, error)
        if not is_alone and isinstance(error, Exception) and not is_broken(error):
            raise StartAgainError(TAKEN_OVER) from error
        raise
    finally:
        with holding():
            for one in made.holds:
                with suppress(Exception):  # If the server is gone they end by themselves.
                    one.give_back(made.session)
            if made.session is not session:
                leave(made.session)


def _is_new(session: Session, kind: str, ids: Sequence[int]) -> bool:
    """Tell whether objects were made so lately that nobody who waited for this job to die can have seen them."""
    hql = f"select min(c.time) from {kind} o join o.details.creationEvent c where o.id in (:ids)"  # noqa: S608
    [[made]] = session.rows(hql, ids=list(ids[:1]))
    return made is not None and session.server_time() - made < 1000 * NEW_SECONDS


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
    ids = merge_ids([made.ids, *(find(session) for find in made.rest)])
    used, images = _used_content(session, ids)
    ids = without(ids, used)
    own = {kind: numbers for kind, numbers in ids.items() if kind not in SHARED}
    annotations = _annotations_made(session, ids)
    kept = _used_elsewhere(session, annotations, ids)
    # Links first, alone: with a link OMERO deletes what only this link uses, which others may have made.
    links = {kind: own.pop(kind) for kind in PLACES if kind in own}
    session.delete(without(links, _links_to(session, links, {**used, "Image": images})), keep=LINKED)
    session.delete(without(merge_ids([own, annotations]), kept))
    stays = [
        f"{kind} {number}" for kind, numbers in {"Image": images, "Plate": used["Plate"]}.items() for number in numbers
    ]
    stays += [f"{kind} {number}" for kind, numbers in kept.items() if kind != "OriginalFile" for number in numbers]
    for kind in SHARED:
        for number in reversed(ids.get(kind, ())):
            if not remove_shared(session, kind, number):
                stays.append(f"{kind} {number}")
    return stays


def _take_back_somehow(made: MadeObjects, error: BaseException) -> bool:
    """Take back, over a new connection if the old one broke; note at the error what becomes of what was made.

    Returns:
        False if another job has taken the place of this one: then nothing was taken back.
    """
    old, broken = made.session, is_broken(error) or made.session.watchdog.is_cut
    if not (made.ids or made.rest):
        with suppress(Exception):
            return broken or not isinstance(error, Exception) or made.is_alone(old)
        return True
    end = time.monotonic() + (LONGEST if signalled() is None else LONGEST_CANCELLED)
    for seconds in WAITS[:2] if old.watchdog.is_cut else WAITS:  # The watchdog has waited already.
        if time.monotonic() + seconds > end:
            break
        time.sleep(seconds)
        try:
            if broken:
                _join_again(made, old)
            if made.replaced and not isinstance(error, StartAgainError) and not made.session.among(made.replaced):
                note_outcome(error, KEPT)  # All was done before the line broke.
                return True
            if not made.is_alone(made.session):
                note_outcome(error, LEFT)
                return False
            stays = take_back(made.session, made)
            if stays:
                print(f"{', '.join(stays)} stays in OMERO: others use it.", flush=True)
                note_outcome(error, f"taken back; {', '.join(stays)} stays: others use it")
            return True
        except Exception as failure:
            if not (broken or is_broken(failure) or made.session.watchdog.is_cut):
                break
            broken = True
    print(f"what this job made could not be taken back: {LEFT}", flush=True)
    note_outcome(error, LEFT)
    return True


def _join_again(made: MadeObjects, old: Session) -> None:
    """Give the run a new connection, and close the one that an earlier attempt had."""
    if made.session is not old:
        leave(made.session)
        made.session = old
    made.session = rejoin(old, SILENCE if signalled() is None else SILENCE_CANCELLED)


def _used_content(session: Session, ids: Ids) -> tuple[dict[str, list[int]], list[int]]:
    """Find what a run has imported, and the plates that it has made, of which others have made use: with ROIs, links.

    Others are other sessions: those that neither are the run's nor made the object itself.

    Returns:
        Ids by class of what has to stay, and the ids of its images.
    """
    filesets, plates = list(ids.get("Fileset", ())), list(ids.get("Plate", ()))
    hql = "select i.id, i.fileset.id from Image i where i.fileset.id in (:ids)"
    fileset_of = {row[0]: row[1] for some in batches(filesets) for row in session.rows(hql, ids=some)}
    hql = "select w.plate.id, s.image.id from WellSample s join s.well w where w.plate.id in (:ids)"
    places = [row for some in batches(plates) for row in session.rows(hql, ids=some) if row[1] in fileset_of]
    kept = {fileset_of[number] for number in _used(session, "Image", list(fileset_of))}
    used = set(_used(session, "Plate", plates)) | {plate for plate, image in places if fileset_of[image] in kept}
    kept |= {fileset_of[image] for plate, image in places if plate in used}
    return {"Fileset": sorted(kept), "Plate": sorted(used)}, sorted(i for i, one in fileset_of.items() if one in kept)


def _used(session: Session, kind: str, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for use, way in USES[kind]:
        hql = (
            f"select distinct o.id from {use} l {way} where o.id in (:ids) "  # noqa: S608 (our own text)
            "and l.details.creationEvent.session.id != :own "
            "and l.details.creationEvent.session.id != o.details.creationEvent.session.id"
        )
        found.update(row[0] for some in batches(ids) for row in session.rows(hql, ids=some, own=session.session_id))
    return found


def _links_to(session: Session, links: Ids, children: Ids) -> dict[str, list[int]]:
    """Return those of the links of containers that lead to images or plates of which others have made use."""
    found: dict[str, list[int]] = {}
    for kind, numbers in links.items():
        held = set(children.get("Plate" if kind.startswith("Screen") else "Image", ()))
        hql = f"select l.id, l.child.id from {kind} l where l.id in (:ids)"  # noqa: S608 (classes of our own list)
        rows = [row for some in batches(numbers) for row in session.rows(hql, ids=some)] if held else []
        found[kind] = [link for link, child in rows if child in held]
    return found


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
