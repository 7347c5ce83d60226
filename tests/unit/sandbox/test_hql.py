"""HQL: what clients send is understood; what is not HQL is told so; answers are right on a small database.

hql_queries.txt holds the queries in the sources of omero-py 5.23, ezomero 3.2.3 and omero-metadata 0.14 (file, tab,
query), with the parts that those fill in at run time filled in.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("omero.all")
import omero

from sandbox.omero.hql import queries
from sandbox.omero.hql.parse import parse
from sandbox.omero.hql.plan import plan
from tests.unit.sandbox.hql_database import context_of, run

QUERIES = [line.split("\t") for line in (Path(__file__).parent / "hql_queries.txt").read_text().splitlines()]


@pytest.mark.parametrize("scope", ["1", "(+{alias}.group_id IN (:scope_group, :scope_common))"], ids=["all", "group"])
@pytest.mark.parametrize("text", [text for _, text in QUERIES], ids=[str(n) for n in range(len(QUERIES))])
def test_queries_of_clients_run(empty, small, scope, text):
    found = plan(text, scope)
    bound = found.constants | {f"given_{n}": 1 for n in found.scalars}
    bound |= {f"list_{n}": json.dumps([1, 2]) for n in found.lists}
    for database in (empty, small):
        with database.read() as tx:
            for row in tx.rows(found.sql, bound | {"scope_group": 0, "scope_common": 1}):
                assert len(row) >= len(found.columns)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select p.name from Project p order by p.name", [["Alpha"], ["beta"]]),
        ("select p.name from Project p order by lower(p.name) desc", [["beta"], ["Alpha"]]),
        ("select d.name from Dataset d where d.description is null", [["one"]]),
        ("select d.name from Dataset d order by d.description", [["three"], ["two"], ["one"]]),
        ("select d.name from Dataset d order by d.description desc, d.id", [["one"], ["two"], ["three"]]),
        ("select count(*) from Image", [[6]]),
        ("select count(distinct l.child.id) from DatasetImageLink l", [[5]]),
        ("select count(l) from DatasetImageLink as l", [[6]]),
        ("select name from Image where name like 'im\\_1'", [["im_1"]]),
        ("select name from Image where name LIKE 'IM%'", []),
        ("select i.name from Image i where i.id not in (select l.child.id from DatasetImageLink l)", [["im_5"]]),
        ("select i.name from Image i where i.datasetLinks is empty order by i.id", [["im_5"]]),
        ("select i.name from Image i where size(i.datasetLinks) > 1", [["im_2"]]),
        ("select i.name from Image i where i.datasetLinks.size = 0", [["im_5"]]),
        ("select d.name, size(d.imageLinks) from Dataset d order by d.id", [["one", 3], ["two", 2], ["three", 1]]),
        ("select l.parent.name, count(l.child.id) from DatasetImageLink l group by l.parent.name having count(*) > 1"
         " order by l.parent.name", [["one", 3], ["two", 2]]),
        ("select max(i.series), min(i.series), sum(i.series), avg(i.series) from Image i", [[5, 0, 15, 2.5]]),
        ("select i.series / 2 from Image i where i.series = 5", [[2]]),
        ("select i.series - 2 - 1 from Image i where i.series = 5", [[2]]),
        ("select a.class from Annotation a where a.id = 1", [["ome.model.annotations.TagAnnotation"]]),
        ("select a.id from TagAnnotation a", [[1]]),
        ("select a.id from Annotation a where a.class = ome.model.annotations.TagAnnotation", [[1]]),
        ("select a.id from Annotation a where a.class in ('MapAnnotation', 'LongAnnotation')", [[2]]),
        ("select a.id from Annotation a where type(a) = MapAnnotation", [[2]]),
        ("select a.textValue from Annotation a where a.ns = 'a'", [["tag"]]),
        ("select mv.value from MapAnnotation a join a.mapValue mv where mv.name = 'gene' order by mv.value",
         [["TP53"], ["x"]]),
        ("select i.name from Image i join i.annotationLinks l join l.child a join a.mapValue v where v.name = 'gene'"
         " and v.value = 'TP53'", [["im_1"]]),
        ("select p.physicalSizeX.value from Pixels p where p.sizeX = 1", [[0.5]]),
        ("select p.physicalSizeX from Pixels p where p.sizeX = 1",
         [[{"value": 0.5, "unit": "MICROMETER", "symbol": "µm"}]]),
        ("select p.pixelsType.value, p.sizeX from Pixels p where p.sizeX between 2 and 3 order by p.id",
         [["uint8", 2], ["uint8", 3]]),
        ("select case when i.series < 2 then 'low' else 'high' end from Image i where i.series in (1, 2)"
         " order by i.series", [["low"], ["high"]]),
        ("select concat(i.name, '-', i.series) from Image i where i.id = 1", [["im_0-0"]]),
        ("select i.name || '!' from Image i where i.id = 1", [["im_0!"]]),
        ("select cast(i.id as string) from Image i where i.id = 2", [["2"]]),
        ("select coalesce(d.description, 'none') from Dataset d order by d.id", [["none"], ["x"], ["%"]]),
        ("select d.name from Dataset d where exists (select l.id from ProjectDatasetLink l where l.child = d)"
         " order by d.id", [["one"], ["two"]]),
        ("select i.name from Image i where 3 in (select l.parent.id from i.datasetLinks l)", [["im_4"]]),
        ("select distinct d.name from Dataset d join d.imageLinks l where l.child.series < 3 order by d.name",
         [["one"], ["two"]]),
        ("select d.name, l.child.id from Dataset d left join d.imageLinks l with l.child.id = 3 order by d.id",
         [["one", 3], ["two", 3], ["three", None]]),
        ("select index(c), c.logicalChannel.name from Pixels p join p.channels c where p.id = 1 order by index(c)",
         [[0, "c0"], [1, "c1"]]),
        ("select r.image.name from Roi r, DatasetImageLink l where l.child = r.image and l.parent.name = 'one'",
         [["im_0"]]),
        ("select i.details.owner.omeName from Image i where i.id = 1", [["root"]]),
        ("select s.class from Shape s order by s.id", [["ome.model.roi.Point"], ["ome.model.roi.Rectangle"]]),
        ("select i.id from Image i where not (i.series < 5 or i.name = 'x') and i.details.owner.id = 0", [[6]]),
        ("select d.name from Dataset d where d.name = 'it''s' or d.name = \"two\"", [["two"]]),
        ("select i.name from Image i where i.series = 1 and (i.series = 2 or i.id = 2)", [["im_1"]]),
        ("select new map(d.id as id, d.name as name) from Dataset d where d.id = 1", [[{"id": 1, "name": "one"}]]),
        ("select g.details.permissions from ExperimenterGroup g where g.id = 0", [[{"perm": "rw----"}]]),
    ],
)  # fmt: skip
def test_answers(small, text, expected):
    assert run(small, text) == expected


def longs(*numbers: int):
    """Ids as clients send them."""
    from omero.rtypes import rlong

    return [rlong(number) for number in numbers]


def test_parameters(small):
    assert run(small, "select i.id from Image i where i.id in (:ids) order by i.id", ids=longs(3, 1, 99)) == [[1], [3]]
    assert run(small, "select i.id from Image i where i.id in :ids", ids=longs(2)) == [[2]]
    assert run(small, "select i.id from Image i where i.name = :name", name="im_3") == [[4]]
    assert run(small, "select count(i) from Image i where i.id in (:ids)", ids=longs(*range(40_000))) == [[6]]
    with pytest.raises(omero.QueryException, match="ids"):
        run(small, "select i.id from Image i where i.id = :ids", ids=longs(1))


def fetched(database, text):
    with database.read() as tx:
        return queries.objects(tx, context_of(database), text, None)


def test_fetch_joins_load_and_nothing_else(small):
    image = fetched(
        small, "select i from Image i left outer join fetch i.pixels p left join fetch p.channels where i.id = 2"
    )[0]
    assert image.getPrimaryPixels().sizeX.val == 2
    assert image.getPrimaryPixels().sizeOfChannels() == 2
    assert not image.isAnnotationLinksLoaded()
    assert not image.details.owner.isLoaded()
    plain = fetched(small, "select i from Image i where i.id = 2")[0]
    assert not plain.isPixelsLoaded()


def test_condition_on_a_fetched_collection_limits_it(small):
    text = "select d from Dataset d join fetch d.imageLinks l join fetch l.child i where i.series = 2 order by d.id"
    found = fetched(small, text)
    assert [d.name.val for d in found] == ["one", "two"]
    assert [[i.series.val for i in d.linkedImageList()] for d in found] == [[2], [2]]


def test_each_object_once_and_pages_of_objects(small):
    text = "select d from Dataset d join fetch d.imageLinks order by d.id"
    assert [d.sizeOfImageLinks() for d in fetched(small, text)] == [3, 2, 1]
    parameters = omero.sys.ParametersI().page(1, 1)
    with small.read() as tx:
        (found,) = queries.objects(tx, context_of(small), text, parameters)
    assert found.name.val == "two"


@pytest.mark.parametrize(
    ("order", "limit", "offset", "expected"),
    [
        # Ordered by channel first, the rows of an image are not neighbours.
        ("c.name, i.id desc", 2, 0, {4: 2, 3: 2}),
        ("c.name, i.id desc", 2, 3, {1: 2}),
        ("i.id", 0, 0, {}),
        ("i.id", 2, 100, {}),
        ("i.id", 1, 2, {3: 2}),
        ("i.id", -1, 2, {3: 2, 4: 2}),
    ],
)
def test_pages_have_whole_objects(small, order, limit, offset, expected):
    joins = "join fetch i.pixels p join fetch p.channels ch join ch.logicalChannel c"
    text = f"select i from Image i {joins} order by {order}"
    with small.read() as tx:
        parameters = omero.sys.ParametersI().page(offset, limit)
        found = queries.objects(tx, context_of(small), text, parameters)
    assert {image.id.val: image.getPrimaryPixels().sizeOfChannels() for image in found} == expected
    assert [image.id.val for image in found] == list(expected)


def test_number_of_statements_does_not_grow_with_the_answer(small):
    text = (
        "select i from Image i left join fetch i.pixels p left join fetch p.channels c left join fetch c.logicalChannel"
    )
    assert fetched(small, text)  # from now on the enumerations are known
    counts = []
    for condition in ("i.id = 1", "i.id < 100"):
        with small.read() as tx:
            ran, rows = [], tx.rows
            tx.rows = lambda sql, *rest, ran=ran, rows=rows: ran.append(sql) or rows(sql, *rest)
            assert queries.objects(tx, context_of(small), f"{text} where {condition}", None)
            counts.append(len(ran))
    assert counts[0] == counts[1] <= 10


def test_a_query_without_end_is_interrupted(small, monkeypatch):
    monkeypatch.setattr("sandbox.omero.database.transactions.QUERY_SECONDS", 0.05)
    aliases = [f"i{number}" for number in range(14)]  # six images: 6^14 rows
    with pytest.raises(omero.QueryException, match="took longer than"):
        run(small, f"select count(i0) from {', '.join(f'Image {alias}' for alias in aliases)} where i0.id > i13.id")
    assert run(small, "select count(i) from Image i") == [[6]]


TOKENS = st.sampled_from(
    """select from where Image i i.id i.name Dataset d join fetch left , ( ) = < in like is not null and or count( 'a' 1
    :p order by desc group having exists case when then end as new map * + - . size( elements( distinct""".split()  # noqa: SIM905 (a list of fifty quoted words reads worse)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=14).map(" ".join))
def test_nonsense_is_a_query_exception(tokens):
    for text in (tokens, f"select i from Image i where {tokens}"):
        said = "a plan"
        try:
            plan(text, "1")
        except omero.QueryException as error:
            said = error.message
        assert said


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_query_exception_or_a_query(text):
    try:
        found = parse(text).sources
    except omero.QueryException as error:
        found = error.message
    assert found


def test_more_rows_than_a_message_holds_are_refused(small, monkeypatch):
    monkeypatch.setattr(queries, "MOST_ROWS", 35)
    assert len(run(small, "select i.id, d.id from Image i, Dataset d")) == 18
    with pytest.raises(omero.QueryException, match="page by page"):
        run(small, "select i.id, j.id from Image i, Image j")
