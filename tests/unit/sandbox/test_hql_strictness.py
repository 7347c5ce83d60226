"""Queries that Hibernate or PostgreSQL refuse are refused here too (strictness.py has the sources)."""

import pytest

pytest.importorskip("omero.all")
import omero
from omero.rtypes import rbool, rdouble, rint, rlong, rstring, rtime

from tests.unit.sandbox.hql_database import run

DATASETS = "select d.id from Dataset d where "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{DATASETS} d.id = 'a'", 'invalid input syntax for type bigint: "a"'),
        (f"{DATASETS} 'a' = d.id", 'invalid input syntax for type bigint: "a"'),
        (f"{DATASETS} d.id in (1, 'a')", 'invalid input syntax for type bigint: "a"'),
        (f"{DATASETS} d.id between 1 and 'a'", 'invalid input syntax for type bigint: "a"'),
        (f"{DATASETS} d.name = 5", "operator does not exist: character varying = integer"),
        (f"{DATASETS} d.name = d.id", "operator does not exist: character varying = bigint"),
        (f"{DATASETS} d.name in (5)", "operator does not exist: character varying = integer"),
        (f"{DATASETS} d.id like '1%'", "operator does not exist: bigint ~~ text"),
        ("select sum(d.name) from Dataset d", r"function sum\(character varying\) does not exist"),
        ("select d.name, count(d.id) from Dataset d", 'column "d.name" must appear in the GROUP BY clause'),
        ("select d.name from Dataset d group by d.description", 'column "d.name" must appear in the GROUP BY clause'),
        ("select count(d.id) from Dataset d order by d.id", 'column "d.id" must appear in the GROUP BY clause'),
        ("select lower(d.name), count(d) from Dataset d group by d.description", 'column "d.name" must appear'),
        ("select distinct d.name from Dataset d order by d.id", "ORDER BY expressions must appear in select list"),
        ("select distinct d from Dataset d order by lower(d.name)", "ORDER BY expressions must appear"),
        ("select distinct d from Dataset d order by d.details.owner.omeName", "ORDER BY expressions must appear"),
        ("select distinct d from Dataset d join d.imageLinks l order by l.id", "ORDER BY expressions must appear"),
    ],
)
def test_what_postgresql_refuses(small, text: str, message: str):
    with pytest.raises(omero.ApiUsageException, match=message):
        run(small, text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (f"{DATASETS} d.id = '2'", [[2]]),
        ("select d.id, d.name, count(l.id) from Dataset d join d.imageLinks l group by d.id order by d.name", 3),
        ("select lower(d.name), count(d) from Dataset d group by lower(d.name)", 3),
        ("select d.name as n, count(d.id) from Dataset d group by d.name order by n", 3),
        ("select distinct d from Dataset d order by d.name, d.id", 3),
        ("select distinct d from Dataset d order by d.details.owner.id", 3),
        ("select distinct d.name from Dataset d order by d.name", 3),
        ("select distinct lower(d.name) from Dataset d order by lower(d.name)", 3),
        ("select distinct d from Dataset d join fetch d.imageLinks l order by l.id", 6),
        ("select max(d.id) from Dataset d", [[3]]),
    ],
)
def test_what_postgresql_takes(small, text: str, rows: object):
    found = run(small, text)
    assert (len(found) if isinstance(rows, int) else found) == rows


@pytest.mark.parametrize(
    ("condition", "value", "message"),
    [
        ("d.id = :x", rint(1), "java.lang.Integer cannot be cast to java.lang.Long"),
        ("d.id = :x", rstring("1"), "java.lang.String cannot be cast to java.lang.Long"),
        ("d.id in (:x)", [rlong(1), rint(2)], "java.lang.Integer cannot be cast to java.lang.Long"),
        (":x < d.id", rdouble(1), "java.lang.Double cannot be cast to java.lang.Long"),
        ("d.name like :x", rlong(1), "java.lang.Long cannot be cast to java.lang.String"),
        ("d.name = :x", rbool(True), "java.lang.Boolean cannot be cast to java.lang.String"),
        ("d.details.creationEvent.time > :x", rlong(1), "java.lang.Long cannot be cast to java.sql.Timestamp"),
        ("d.name = :x", rstring("a\0b"), "invalid byte sequence for encoding"),
        ("d.id in (:x)", [], "unexpected end of subtree"),
        ("d.id in (:x)", [rlong(1)] * 65_536, "out-of-range integer"),
    ],
)
def test_parameters_of_another_type_are_refused(small, condition: str, value: object, message: str):
    with pytest.raises(omero.ApiUsageException, match=message):
        run(small, DATASETS + condition, x=value)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("d.id = :x", rlong(1)),
        ("d.name = :x", rstring("one")),
        ("lower(d.name) = lower(:x)", rstring("ONE")),
        ("d.details.creationEvent.time < :x", rtime(2**42)),
        ("size(d.imageLinks) = :x", rint(3)),
    ],
)
def test_parameters_of_the_right_type_are_taken(small, condition: str, value: object):
    assert [1] in run(small, DATASETS + condition, x=value)
