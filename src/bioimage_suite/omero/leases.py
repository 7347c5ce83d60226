"""Leases: what one job works on in OMERO, no other job of the same user works on at the same time.

A lease is a name, such as "rois/nuclei/Image:51". In OMERO it is a MapAnnotation on nothing that holds the name, and a
link of that annotation to itself. OMERO allows one link of a parent, a child and an owner: who makes the link has the
lease. All links of a job are saved in one call, so it gets all of its leases or none, and two jobs never wait for each
other. A number that the job counts up shows that it is alive: who waits sees it change, by its own clock. When it
stands still for `DEAD_SECONDS` the job is dead, and its leases go.
"""

import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bioimage_suite.core.stopping import holding
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session

LEASE_NAMESPACE = f"{SUITE_NAMESPACE}/lease"
BEAT_NAMESPACE = f"{LEASE_NAMESPACE}/alive"
NAME_KEY = "lease"
DEAD_SECONDS = float(os.environ.get("BIOIMAGE_SUITE_DEAD_SECONDS", "30"))
"""Tests wait less."""
BEAT_SECONDS = DEAD_SECONDS / 6
OLD_SECONDS = 4 * DEAD_SECONDS
"""A job that has not counted for so long is dead for everybody, not only for who waits for it."""
NEW_SECONDS = DEAD_SECONDS / 2
"""What is younger when a job finds its leases gone came after who took them had looked."""
LONGEST_STEP = 3.0  # Seconds between two looks that count.
PAUSES = (0.2, 1.5)  # Seconds between two attempts, chosen at random: two jobs shall not meet for ever.
ATTEMPTS = 20  # Of a call that fails although nobody has the lease.
LONGEST_NAME = 250  # Characters; older versions of OMERO have 255 for it.


@dataclass(frozen=True)
class _Held:
    """A lease that a job has: its name, the annotation, the link, and the event that made the link."""

    name: str
    annotation_id: int
    link_id: int
    event_id: int


@dataclass
class LeaseHold:
    """The leases of this job: links, annotations and numbers by id.

    Attributes:
        counted: When the number was counted up last, by the monotonic clock.
        ended: Stops the counting of `threads`.
    """

    links: tuple[int, ...] = ()
    annotations: tuple[int, ...] = ()
    beats: tuple[int, ...] = ()
    counted: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def stop(self) -> None:
        """End the counting, also the call that may be under way."""
        self.ended.set()
        for one in self.threads:
            one.join(BEAT_SECONDS)

    def is_fresh(self) -> bool:
        """Tell whether the number was counted up so lately that nobody can have taken this job for dead."""
        return not self.links or time.monotonic() - self.counted < DEAD_SECONDS / 2

    def is_kept(self, session: Session) -> bool:
        """Tell whether all are still there: a job that stood still for long has lost them."""
        hql = "select count(l) from AnnotationAnnotationLink l where l.id in (:ids)"
        return bool(sum(session.rows(hql, ids=some)[0][0] for some in batches(self.links)) == len(self.links))

    def give_back(self, session: Session) -> None:
        """Delete what the leases consist of, but nothing of another job that has taken one of them meanwhile."""
        self.stop()
        links = {"AnnotationAnnotationLink": self.links, "LongAnnotation": self.beats}
        if self.is_kept(session):  # As long as the links are there, nobody else has the annotations.
            session.delete({**links, "MapAnnotation": self.annotations})
        else:
            session.delete(links)
            for number in session.among({"MapAnnotation": self.annotations}).get("MapAnnotation", ()):
                session.delete_unused("MapAnnotation", number)


@contextmanager
def leased(session: Session, names: Sequence[str]) -> Iterator[None]:
    """Hold leases until the block ends."""
    hold = hold_leases(session, names)
    try:
        yield
    finally:
        with holding(), suppress(Exception):  # If the server is gone they end by themselves.
            hold.give_back(session)


def hold_leases(session: Session, names: Sequence[str]) -> LeaseHold:
    """Wait until no other job of this user has one of the leases, and take all of them at once.

    Args:
        session: An open session.
        names: Names of the leases.
    """
    wanted, watch, failures = sorted({_short(name) for name in names}), _Watch(), 0
    while wanted:
        error, leases = None, None
        try:
            with holding():
                leases = _take(session, wanted)
                _show_life(session, leases)
            _clear_old(session, leases)
            return leases
        except _TakenError as taken:
            error = taken.__cause__
        except BaseException:
            if leases is not None:
                leases.give_back(session)
            raise
        held = _held(session, wanted)
        failures = 0 if held else failures + 1
        if error is not None and failures >= ATTEMPTS:
            raise error
        watch.look(session, held)
        time.sleep(random.uniform(*PAUSES))  # noqa: S311 (no secret)
    return LeaseHold()


def _show_life(session: Session, hold: LeaseHold) -> None:
    """Count the number up that shows that this job is alive, until the leases are given back."""

    def count() -> None:
        while not hold.ended.wait(BEAT_SECONDS):
            began = time.monotonic()
            with suppress(Exception):  # A broken connection is for those to tell who have work to do.
                if _count_up(session, hold.beats):
                    hold.counted = began

    hold.threads.append(threading.Thread(target=count, daemon=True, name="lease"))
    hold.threads[-1].start()


def _short(name: str) -> str:
    """Shorten a name to what every OMERO takes as the value of a pair."""
    return name if len(name) <= LONGEST_NAME else hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


class _TakenError(Exception):
    """Another job has one of the leases."""


@dataclass
class _Watch:
    """What a waiting job has seen of others: by link the number it last saw, and for how many seconds it stood still.

    Only time in which the server answers counts: while it is away or slow nobody can count.
    """

    seen: dict[int, tuple[int | None, float]] = field(default_factory=dict)
    looked: float = field(default_factory=time.monotonic)
    told: bool = False

    def look(self, session: Session, held: Sequence[_Held]) -> None:
        """Look whether those who have the leases are alive; what the dead have goes."""
        if held and not self.told:
            print(f"waiting: another job of yours is at work on {held[0].name}", flush=True)
            self.told = True
        beats = _beats(session)
        now = time.monotonic()
        passed, self.looked = min(now - self.looked, LONGEST_STEP), now
        dead = []
        for one in held:
            number = beats.get(one.event_id, (0, None))[1]
            last, still = self.seen.get(one.link_id, (None, 0.0))
            still = still + passed if one.link_id in self.seen and number == last else 0.0
            self.seen[one.link_id] = (number, still)
            if still > DEAD_SECONDS:
                dead.append(one)
        if dead:
            print(f"{dead[0].name}: the job that was at work on it is gone", flush=True)
            _bury(session, {one.event_id: beats[one.event_id][0] for one in dead if one.event_id in beats})
            session.delete({"AnnotationAnnotationLink": [one.link_id for one in dead]})


def _take(session: Session, names: Sequence[str]) -> LeaseHold:
    """Make what is missing of the leases and link them, all or none."""
    import omero
    from omero.model import AnnotationAnnotationLinkI, LongAnnotationI, MapAnnotationI
    from omero.rtypes import rlong, rstring

    if _held(session, names):
        raise _TakenError
    began, own = time.monotonic(), _make_missing(session, names)
    beat = LongAnnotationI()
    beat.ns, beat.longValue = rstring(BEAT_NAMESPACE), rlong(0)
    things: list[Any] = [beat]
    for name in names:
        link = AnnotationAnnotationLinkI()
        link.parent = link.child = MapAnnotationI(own[name], False)
        things.append(link)
    try:
        beat_id, *links = session.update.saveAndReturnIds(things)
    except (omero.ValidationException, omero.ApiUsageException, omero.InternalException) as error:
        raise _TakenError from error
    leases = LeaseHold(tuple(links), tuple(own.values()), (beat_id,), began)
    if {one.link_id for one in _held(session, names)} != set(links):
        # Another job took an annotation of the same name that this one could not see yet.
        session.delete({"AnnotationAnnotationLink": leases.links, "LongAnnotation": leases.beats})
        raise _TakenError
    return leases


def _clear_old(session: Session, hold: LeaseHold) -> None:
    """Delete the leases of jobs that died long ago, whatever they were for; the server's clock tells.

    Also those that nobody has: of a job that died, or whose session ended, before it linked what it had made.
    """
    hql = "select j.id, j.details.creationEvent.id, j.details.updateEvent.time from LongAnnotation j "
    hql += "where j.ns = :ns and j.details.owner.id = :me"
    beats = session.rows(hql, ns=BEAT_NAMESPACE, me=session.user_id)
    now = max((row[2] for row in beats if row[0] in hold.beats), default=0)
    old = now - 1000 * OLD_SECONDS
    _bury(session, {event: number for number, event, moment in beats if moment < old})
    hql = "select m.id, m.details.creationEvent.time from MapAnnotation m where m.ns = :ns "
    hql += "and m.details.owner.id = :me "
    hql += "and not exists (select l.id from AnnotationAnnotationLink l where l.child.id = m.id)"
    for number, moment in session.rows(hql, ns=LEASE_NAMESPACE, me=session.user_id):
        if moment < old:
            session.delete_unused("MapAnnotation", number)


def _bury(session: Session, beats: Mapping[int, int]) -> None:
    """Delete all leases of dead jobs, given by the ids of their numbers by event.

    An annotation goes only if nobody has linked it meanwhile, which OMERO itself finds out.
    """
    if not beats:
        return
    hql = "select l.id, m.id from AnnotationAnnotationLink l, MapAnnotation m where l.child.id = m.id "
    hql += "and m.ns = :ns and l.details.creationEvent.id in (:ids)"
    rows = paged_rows(session, hql, beats, ns=LEASE_NAMESPACE)
    session.delete({"AnnotationAnnotationLink": [row[0] for row in rows], "LongAnnotation": list(beats.values())})
    for number in {row[1] for row in rows}:
        session.delete_unused("MapAnnotation", number)


def _make_missing(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Make the annotation of each lease that has none; the lowest id counts if several jobs make one."""
    from omero.model import MapAnnotationI, NamedValue
    from omero.rtypes import rstring

    found = _lowest(session, names)
    missing = [name for name in names if name not in found]
    if not missing:
        return found
    things = []
    for name in missing:
        thing = MapAnnotationI()
        thing.ns, thing.mapValue = rstring(LEASE_NAMESPACE), [NamedValue(NAME_KEY, name)]
        things.append(thing)
    made = dict(zip(missing, session.update.saveAndReturnIds(things), strict=True))
    found = _lowest(session, names)
    for name, number in made.items():
        if found[name] != number:
            session.delete_unused("MapAnnotation", number)
    return found


def _lowest(session: Session, names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in batches(names):
        rows = session.rows(
            "select v.value, m.id from MapAnnotation m join m.mapValue v where m.ns = :ns and v.name = :key "
            "and v.value in (:names) and m.details.owner.id = :me order by m.id desc",
            ns=LEASE_NAMESPACE, key=NAME_KEY, names=some, me=session.user_id,
        )  # fmt: skip
        found |= dict(rows)
    return found


def _held(session: Session, names: Sequence[str]) -> list[_Held]:
    found: list[_Held] = []
    for some in batches(names):
        rows = session.rows(
            "select v.value, m.id, l.id, l.details.creationEvent.id "
            "from AnnotationAnnotationLink l, MapAnnotation m join m.mapValue v "
            "where l.child.id = m.id and l.parent.id = m.id and m.ns = :ns and v.name = :key and v.value in (:names) "
            "and m.details.owner.id = :me and l.details.owner.id = :me order by l.id",
            ns=LEASE_NAMESPACE, key=NAME_KEY, names=some, me=session.user_id,
        )  # fmt: skip
        found += [_Held(*row) for row in rows]
    return found


def _beats(session: Session) -> Mapping[int, tuple[int, int]]:
    """Id and number of what shows that jobs are alive, by the event that made it: that of their links."""
    hql = "select j.details.creationEvent.id, j.id, j.longValue from LongAnnotation j "
    hql += "where j.ns = :ns and j.details.owner.id = :me"
    return {row[0]: (row[1], row[2]) for row in session.rows(hql, ns=BEAT_NAMESPACE, me=session.user_id)}


def _count_up(session: Session, ids: Sequence[int]) -> bool:
    """Count up; return whether the number is still there."""
    from omero.rtypes import rlong

    beats = session.objects("select j from LongAnnotation j where j.id in (:ids)", ids=list(ids))
    for beat in beats:
        beat.longValue = rlong(beat.longValue.val + 1)
        session.update.saveObject(beat)
    return bool(beats)
