"""The dataset or screen that a tool puts images into: found by id or name, or made on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.leases import leased
from bioimage_suite.omero.objects import CLASSES, Target, find_ids
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.undo import MadeObjects, remove_shared


@dataclass(frozen=True)
class DatasetPlace:
    """A dataset and, if one was named, its project; an id is None if the object does not exist yet."""

    dataset_id: int | None
    dataset_name: str
    project_id: int | None = None
    project_name: str = ""


@dataclass(frozen=True)
class ScreenPlace:
    """A screen for plates; the id is None if it does not exist yet."""

    screen_id: int | None
    screen_name: str


def find_screen(session: Session, place: Mapping[str, Any]) -> ScreenPlace:
    """Find the screen for plates, without making anything.

    Args:
        session: An open session.
        place: `by` "screen_id" with `screen_id`; "screen_choices" with `screen_id` from a list of choices; or "screen"
            with `screen` and `create`.

    Raises:
        UserError: The screen does not exist and must not be made, several have the name, no name is given, or the
            user may not put plates into it.
    """
    if place["by"] in ("screen_id", "screen_choices"):
        found = ScreenPlace(*_by_id(session, "screen", place["screen_id"]))
    else:
        name = place["screen"].strip()
        if not name:
            raise UserError("screen: no name given. Write the name of the screen for the plates.")
        found = ScreenPlace(_only(session, "screen", name, "", create=place["create"]), name)
    _require_link(session, "screen", found.screen_id, found.screen_name)
    return found


def _by_id(session: Session, kind: str, given: Any) -> tuple[int, str]:
    """Return id and name of the dataset or screen whose id a form gives as text, typed or chosen."""
    text = str(given or "").strip()
    if not text.isdecimal():
        raise UserError(f"{kind} {text!r}: not an id. Write a whole number, or choose to give a name.")
    find_ids(session, Target(kind, ids=(int(text),)))
    [[name]] = session.rows(f"select o.name from {CLASSES[kind]} o where o.id = :id", id=int(text))  # noqa: S608
    return int(text), name


def make_screen(session: Session, place: ScreenPlace, made: MadeObjects) -> int:
    """Make the screen if it does not exist yet; return its id."""
    return place.screen_id or make_container(session, "screen", place.screen_name, made)


def find_place(session: Session, place: Mapping[str, Any]) -> DatasetPlace:
    """Find the dataset for images, without making anything.

    Args:
        session: An open session.
        place: `by` "id" with `dataset_id`; "choices" with `dataset_id` from a list of choices; or "name" with
            `dataset`, `project` (may be empty; a name, or the id of one that exists) and `create`.

    Raises:
        UserError: The dataset does not exist and must not be made, several have the name, no name is given, or the
            user may not put images into it, or a new dataset into its project.
    """
    found = _find_place(session, place)
    _require_link(session, "dataset", found.dataset_id, found.dataset_name)
    if found.dataset_id is None:
        _require_link(session, "project", found.project_id, found.project_name)
    return found


def _find_place(session: Session, place: Mapping[str, Any]) -> DatasetPlace:
    if place["by"] in ("id", "choices"):
        return DatasetPlace(*_by_id(session, "dataset", place["dataset_id"]))
    dataset, project = place["dataset"].strip(), (place.get("project") or "").strip()
    if not dataset:
        raise UserError("dataset: no name given. Write the name of the dataset for the images.")
    project_id, project = _find_project(session, project, create=place["create"]) if project else (None, "")
    if project and project_id is None:
        return DatasetPlace(None, dataset, None, project)
    within = f"of project {project!r}" if project else ""
    dataset_id = _only(session, "dataset", dataset, within, create=place["create"], project_id=project_id)
    return DatasetPlace(dataset_id, dataset, project_id, project)


def _require_link(session: Session, kind: str, number: int | None, name: str) -> None:
    """Raise a UserError if a container exists into which the user may not put anything: the server says so at the end.

    In OMERO one may link to another user's container only in a group of read-write permissions, or as its leader.
    """
    if number is None:
        return
    if not _linkable(session, kind, [number]):
        raise UserError(
            f"{kind} {name!r} ({number}): it belongs to another user, and group {session.group_name!r} does not let "
            f"you put anything into it. Choose a {kind} of your own, or let the tool make one."
        )


def make_place(session: Session, place: DatasetPlace, made: MadeObjects) -> int:
    """Make what does not exist yet of a dataset and its project; return the dataset's id."""
    if place.dataset_id is not None:
        return place.dataset_id
    project_id = place.project_id
    if place.project_name and project_id is None:
        project_id = make_container(session, "project", place.project_name, made)
    return make_container(session, "dataset", place.dataset_name, made, project_id=project_id)


def make_container(session: Session, kind: str, name: str, made: MadeObjects, *, project_id: int | None = None) -> int:
    """Make a project, dataset or screen, unless another job has made one of this name meanwhile; return its id.

    Jobs of one user come one after another; of what several users make at the same time the lowest id counts.

    Args:
        session: An open session.
        kind: "project", "dataset" or "screen".
        name: Its name.
        made: Learns what is made.
        project_id: The project for a dataset.
    """
    import omero.model
    from omero.rtypes import rstring

    model = CLASSES[kind]
    with leased(session, [f"container/{model}/{project_id or ''}/{name}"]):
        found = _linkable(session, kind, _ids_of(session, kind, name, project_id))
        if found:
            return found[0]
        thing = getattr(omero.model, f"{model}I")()
        thing.name = rstring(name)
        if project_id is not None:
            thing.linkProject(omero.model.ProjectI(project_id, False))
        [own] = made.save(model, [thing])
        # Somebody may have deleted it again: what uses it will say so.
        first = next(iter(_linkable(session, kind, _ids_of(session, kind, name, project_id))), own)
        if first != own and remove_shared(session, model, own):
            made.ids[model].remove(own)
            return first
        return own


def _find_project(session: Session, text: str, *, create: bool) -> tuple[int | None, str]:
    """Return id and name of a project given by name or, unless a project has this number as its name, by id."""
    if text.isdecimal() and not session.rows("select p.id from Project p where p.name = :name", name=text):
        for number, name in session.rows("select p.id, p.name from Project p where p.id = :id", id=int(text)):
            return number, name
    return _only(session, "project", text, "", create=create), text


def _only(
    session: Session, kind: str, name: str, within: str, *, create: bool, project_id: int | None = None
) -> int | None:
    """Return the id of the only object with a name; None if there is none and `create` is set.

    Where something may be made, what others have of this name and the user may not use does not count.
    """
    found = _ids_of(session, kind, name, project_id)
    if create:
        found = _linkable(session, kind, found)
    shown = f"{kind} {name!r} {within}".strip()
    if len(found) > 1:
        ids = ", ".join(map(str, found[:10]))
        raise UserError(f"{shown}: {len(found)} have this name (ids {ids}). Give its id.")
    if not found and not create:
        raise UserError(
            f"{shown}: there is none that you can read in group {session.group_name!r}. "
            "Check the spelling and the group, or let the tool make it."
        )
    return found[0] if found else None


def _linkable(session: Session, kind: str, ids: Sequence[int]) -> list[int]:
    """Return those of the objects, in their order, into which the user may put something."""
    hql = f"select o from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
    found = session.objects(hql, ids=list(ids)) if ids else []
    allowed = {one.id.val for one in found if one.details.permissions.canLink()}
    return [number for number in ids if number in allowed]


def _ids_of(session: Session, kind: str, name: str, project_id: int | None) -> list[int]:
    """Find all of a name, the lowest id first."""
    if project_id is not None:
        hql = "select d.id from ProjectDatasetLink l join l.child d where d.name = :name and l.parent.id = :project"
        rows = session.rows(f"{hql} order by d.id", name=name, project=project_id)
    else:
        # HQL takes no parameter for a class; ours are from our own list.
        rows = session.rows(f"select o.id from {CLASSES[kind]} o where o.name = :name order by o.id", name=name)  # noqa: S608
    return list(dict.fromkeys(row[0] for row in rows))
