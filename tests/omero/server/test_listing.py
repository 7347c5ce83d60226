"""Counting, searching and listing: what the services answer agrees with what was made."""

import math

import omero
import pytest
from omero.rtypes import rdouble, rstring, rtime, unwrap

EVER = (rtime(0), rtime(2**50))


def save(gateway, kind, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, value)
    return gateway.getUpdateService().saveAndReturnObject(made)


def link(gateway, kind, parent, child):
    made = getattr(omero.model, f"{kind}AnnotationLinkI")()
    made.parent, made.child = parent.proxy(), child.proxy()
    gateway.getUpdateService().saveObject(made)


def found_by(gateway, prepare, text="marked*"):
    search = gateway.createSearchService()
    search.onlyType("Dataset")
    prepare(search)
    search.byFullText(text)
    found = [thing.id.val for thing in search.results()] if search.hasNext() else []
    search.close()
    return found


def test_counts_by_period_and_by_tag(gateway):
    datasets = [save(gateway, "Dataset", name=rstring(f"d{n}")) for n in range(3)]
    project = save(gateway, "Project", name=rstring("p"))
    tags = [save(gateway, "TagAnnotation", textValue=rstring(f"t{n}")) for n in range(2)]
    for dataset in datasets:
        link(gateway, "Dataset", dataset, tags[0])
    link(gateway, "Project", project, tags[0])
    timeline, page = gateway.getTimelineService(), omero.sys.ParametersI().page(0, 1)
    assert timeline.countByPeriod(["Dataset", "Project", "Image"], *EVER, page) == {
        "Dataset": 3, "Project": 1, "Image": 0,
    }  # fmt: skip
    assert len(timeline.getByPeriod(["Dataset"], *EVER, page, False)["Dataset"]) == 1
    assert timeline.countByPeriod(["Dataset"], rtime(0), rtime(1), None) == {"Dataset": 0}
    ids = [tag.id.val for tag in tags]
    metadata = gateway.getMetadataService()
    assert metadata.getTaggedObjectsCount(ids, None) == dict(zip(ids, (4, 0), strict=True))
    assert {tag: len(listed) for tag, listed in metadata.loadTagContent(ids, None).items()} == {ids[0]: 4, ids[1]: 0}


def test_search_by_owner_time_and_ids(lab):
    group = lab.group("rwra--")
    one, other = (lab.connect(lab.user(group)) for _ in range(2))
    first = save(one, "Dataset", name=rstring("marked one"))
    second = save(other, "Dataset", name=rstring("marked two"))
    save(other, "Dataset", name=rstring("not so"))
    both = [first.id.val, second.id.val]
    details = omero.model.DetailsI()
    details.owner = omero.model.ExperimenterI(other.getUserId(), False)
    moment = one.getQueryService().get("Event", second.details.creationEvent.id.val).time.val
    for prepare, expected in (
        (lambda _: None, both),
        (lambda search: search.onlyOwnedBy(details), both[1:]),
        (lambda search: search.notOwnedBy(details), both[:1]),
        (lambda search: search.onlyIds([both[1], 10**9]), both[1:]),
        (lambda search: search.onlyCreatedBetween(rtime(0), rtime(moment)), both),
        (lambda search: search.onlyCreatedBetween(rtime(moment + 1), None), []),
        (lambda search: search.onlyCreatedBetween(None, rtime(1)), []),
    ):
        assert found_by(one, prepare) == expected


def test_equal_values_of_one_answer_are_right_each(gateway):
    values = (0.0, 1.0, 1.0, 1e300, -math.inf)
    ids = [save(gateway, "DoubleAnnotation", doubleValue=rdouble(value)).id.val for value in values]
    ones = save(gateway, "LongAnnotation", longValue=omero.rtypes.rlong(1))
    flags = save(gateway, "BooleanAnnotation", boolValue=omero.rtypes.rbool(True))
    query = gateway.getQueryService()
    text = "select a from Annotation a where a.id in (:ids) order by a.id"
    found = query.findAllByQuery(text, omero.sys.ParametersI().addIds([*ids, ones.id.val, flags.id.val]))
    assert [annotation.doubleValue.val for annotation in found[:5]] == list(values)
    assert (found[5].longValue, found[6].boolValue) == (omero.rtypes.rlong(1), omero.rtypes.rbool(True))
    assert [type(found[5].longValue.val), type(found[6].boolValue.val)] == [int, bool]


@pytest.mark.parametrize("page", [(0, 2), (2, 2), (4, 2), (0, 100)])
def test_pages_of_objects_with_what_they_fetch(gateway, page):
    dataset = omero.model.DatasetI()
    dataset.name = rstring("d")
    for number in range(5):
        annotation = omero.model.CommentAnnotationI()
        annotation.textValue = rstring(f"a{number}")
        dataset.linkAnnotation(annotation)
    gateway.getUpdateService().saveObject(dataset)
    for number in range(4):
        save(gateway, "Dataset", name=rstring(f"d{number}"))
    text = (
        "select d from Dataset d left outer join fetch d.annotationLinks l left outer join fetch l.child order by d.id"
    )
    found = gateway.getQueryService().findAllByQuery(text, omero.sys.ParametersI().page(*page))
    names = ["d", "d0", "d1", "d2", "d3"][page[0] : page[0] + page[1]]
    assert [unwrap(thing.name) for thing in found] == names
    assert [thing.sizeOfAnnotationLinks() for thing in found] == [5 if name == "d" else 0 for name in names]
