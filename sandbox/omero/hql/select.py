"""One select of HQL to SQL, with a condition for what the caller may see.

As in Hibernate, this condition applies to every entity after `from` and to the elements of joined collections;
references from a visible object are followed. Implicit joins (`obj.pixelsType.value`) are inner joins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sandbox.omero import errors
from sandbox.omero.database.transactions import id_list
from sandbox.omero.hql import functions, strictness
from sandbox.omero.hql import tree as h
from sandbox.omero.hql.values import Origin, Value, unknown
from sandbox.omero.model.entities import MODEL_ENTITIES, Entity, Property, find_entity, subclass_property
from sandbox.omero.model.schema import DETAIL_PROPERTIES, METADATA, column_name, table_of

if TYPE_CHECKING:
    from collections.abc import Callable

SCALAR_TYPES = {str: "RString", bool: "RBool", int: "RInt", float: "RDouble", type(None): "RString"}
CAST_TYPES = {
    **dict.fromkeys(("string", "text", "varchar"), ("RString", sa.Text)),
    **dict.fromkeys(("long", "int", "integer", "biginteger"), ("RLong", sa.Integer)),
    **dict.fromkeys(("double", "float", "big_decimal"), ("RDouble", sa.Float)),
    "boolean": ("RBool", sa.Integer),
}


class Translation:
    """The state of one whole query: the permission condition, the parameters, the number of aliases."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.aliases = 0
        self.scalars: set[str] = set()
        self.lists: set[str] = set()
        self.expected: dict[str, str] = {}

    def expect(self, node: h.Node, value: Value) -> None:
        """Note with what a parameter is compared: Hibernate takes nothing else for it."""
        if isinstance(node, h.Parameter) and value.type in strictness.JAVA:
            self.expected.setdefault(node.name, value.type)

    def new_alias(self, name: str) -> str:
        """Return a name that no other table of the query has."""
        self.aliases += 1
        if self.aliases > 60:  # SQLite joins at most 64 tables
            raise unknown("the query joins more than 60 tables")
        return f"{name or 'x'}_{self.aliases}"

    def parameter(self, name: str) -> Any:
        """Return the SQL of a parameter with one value."""
        self.scalars.add(name)
        return sa.bindparam(f"given_{name}", None)

    def list_parameter(self, name: str) -> Any:
        """Return the members of a parameter, which may be thousands: SQLite limits a statement's variables."""
        self.lists.add(name)
        return sa.select(sa.text("value")).select_from(sa.func.json_each(sa.bindparam(f"list_{name}", None)))

    def condition(self, origin: Origin) -> Any | None:
        """Return the condition for what the caller may see of a table; None when that is all of it."""
        if origin.entity is None or origin.entity.is_global or self.scope == "1":
            return None
        # Without None SQLAlchemy would miss the parameters' values, which come with each call.
        names = dict.fromkeys(re.findall(r":(\w+)", self.scope))
        return sa.text(self.scope.format(alias=f'"{origin.table.name}"')).bindparams(**names)


class Select:
    """One select, the outermost or a subquery, with its aliases."""

    def __init__(
        self, translation: Translation, query: h.Query, idle: tuple[h.Join, ...] = (), outer: Select | None = None
    ) -> None:
        self.translation = translation
        self.query = query
        self.idle = idle
        self.outer = outer
        self.origins: dict[str, Origin] = {}
        self.trees: list[Any] = []
        self.conditions: list[Any] = []
        self.units: dict[str, h.Path] = {}
        self._names: dict[str, h.Node] = {i.name: i.value for i in self.query.items if i.name}
        for source in self.query.sources:
            if isinstance(source, h.Source):
                self._add_source(source)
            else:
                self._add_join(source)

    # --- from ------------------------------------------------------------------------------------

    def _add_source(self, source: h.Source) -> None:
        first = source.path.parts[0]
        if len(source.path.parts) > 1 and self._find(first) is not None:
            self._add_collection_source(source)
            return
        entity = find_entity(str(source.path))
        if entity is None:
            raise unknown(f"{source.path} is not mapped")
        origin = self._new_origin(source.alias, entity, table_of(entity), len(self.trees))
        self.trees.append(origin.table)
        self._restrict(origin)

    def _add_collection_source(self, source: h.Source) -> None:
        """Add `from obj.annotationLinks link` of a subquery."""
        value = self.path(h.Path(source.path.parts))
        if value.type != "collection" or value.entity is None:
            raise unknown(f"{source.path} is not a collection")
        prop, owner_id = value.more
        table = _element_table(value.entity, prop)
        origin = self._new_origin(source.alias, _element_entity(prop), table, len(self.trees))
        self.trees.append(origin.table)
        self.conditions.append(origin.table.c[prop.inverse or "id"] == owner_id)
        self._restrict(origin)

    def _restrict(self, origin: Origin) -> None:
        """Add the class and permission conditions of a root of the from clause."""
        if origin.entity is not None and origin.entity.base:
            self.conditions.append(origin.table.c.entity_class.in_(origin.entity.subclasses))
        visible = self.translation.condition(origin)
        if visible is not None:
            self.conditions.append(visible)

    def _new_origin(self, alias: str, entity: Entity | None, table: Any, tree: int) -> Origin:
        name = alias or (f"this{len(self.origins)}" if self.origins else "this")
        if name in self.origins:
            raise unknown(f"the alias {name} is used twice")
        made = table.alias(self.translation.new_alias(alias))
        origin = self.origins[name] = Origin(name, entity, made, tree)
        return origin

    def _add_join(self, join: h.Join) -> None:
        if join.kind in ("right", "full"):
            raise unknown(f"{join.kind} join is not supported by the sandbox")
        *before, last = join.path.parts
        if not before:
            raise unknown(f"join {join.path}: not a path from an alias")
        start = self._find(before[0])
        if start is None:
            raise unknown(f"{before[0]} in join {join.path}: no such alias")
        if join.alias and (last == "details" or (len(before) == 1 and self._is_unit(start, last))):
            self.units[join.alias] = h.Path(join.path.parts)  # a value, not a table: its alias is another name for it
            return
        parent = start
        for step, name in enumerate(before[1:]):
            if name == "details":
                last = f"details.{last}"
                if step != len(before) - 2:
                    raise unknown(f"join {join.path}: join the parts of details one by one")
                break
            parent = self._step(parent, name, join.kind == "left")
        origin = self._join(parent, last, join.alias, join.kind == "left", join.condition)
        origin.fetched = join.fetch
        origin.parent = start
        origin.path = join.path.parts[1:]

    @staticmethod
    def _is_unit(origin: Origin, name: str) -> bool:
        prop = subclass_property(origin.entity, name) if origin.entity is not None else None
        return prop is not None and prop.kind == "unit"

    def _join(self, parent: Origin, name: str, alias: str, outer_join: bool, condition: h.Node | None = None) -> Origin:
        """Join what a property of `parent` refers to."""
        if name.startswith("details."):
            return self._join_details(parent, name.removeprefix("details."), alias, outer_join)
        prop = self._property(parent, name)
        if prop.kind not in ("reference", "collection", "named_values"):
            raise unknown(f"{parent.alias}.{name} is not a reference or collection")
        element = _element_entity(prop)
        table = _element_table(parent.entity, prop) if prop.kind != "reference" else table_of(prop.type)
        origin = self._new_origin(alias, element, table, parent.tree)
        origin.parent, origin.path = parent, (name,)
        origin.collection = prop.kind != "reference"
        if prop.kind == "reference":
            on = origin.table.c.id == self._column(parent, prop)
        else:
            on = origin.table.c[prop.inverse or "id"] == parent.table.c.id
            visible = self.translation.condition(origin)
            on = on if visible is None else sa.and_(on, visible)
        self._attach(origin, on, outer_join, condition)
        return origin

    def _join_details(self, parent: Origin, name: str, alias: str, outer_join: bool) -> Origin:
        if name not in DETAIL_PROPERTIES or parent.entity is None or parent.entity.is_global:
            raise unknown(f"{parent.alias}.details.{name} cannot be joined")
        column, target = DETAIL_PROPERTIES[name]
        entity = MODEL_ENTITIES[target]
        origin = self._new_origin(alias, entity, table_of(entity), parent.tree)
        self._attach(origin, origin.table.c.id == parent.table.c[column], outer_join, None)
        return origin

    def _attach(self, origin: Origin, on: Any, outer_join: bool, condition: h.Node | None) -> None:
        # The condition comes first: it may join implicitly, and those joins must precede this one.
        extra = self.condition(condition) if condition is not None else None
        on = on if extra is None else sa.and_(on, extra)
        self.trees[origin.tree] = sa.join(self.trees[origin.tree], origin.table, on, isouter=outer_join)

    def _step(self, parent: Origin, name: str, outer_join: bool = False) -> Origin:
        """Return the origin at the end of an implicit join over one property; all paths that pass it share it."""
        if (name,) not in parent.implicit:
            owner = self._owner(parent)
            made = owner._join(parent, name, f"implicit{self.translation.aliases}", outer_join)
            parent.implicit[name,] = made
        return parent.implicit[name,]

    def _owner(self, origin: Origin) -> Select:
        """Return the select whose from clause has the origin."""
        select: Select | None = self
        while select is not None and origin not in select.origins.values():
            select = select.outer
        assert select is not None
        return select

    def _find(self, alias: str) -> Origin | None:
        found = self.origins.get(alias)
        return found if found is not None or self.outer is None else self.outer._find(alias)

    def _property(self, origin: Origin, name: str) -> Property:
        prop = subclass_property(origin.entity, name) if origin.entity is not None else None
        if prop is None:
            owner = origin.entity.name if origin.entity is not None else "a named value"
            raise unknown(f"could not resolve property: {name} of: {owner}")
        return prop

    def _column(self, origin: Origin, prop: Property) -> Any:
        return origin.table.c[column_name(MODEL_ENTITIES[prop.declared_by], prop)]

    # --- select ----------------------------------------------------------------------------------

    def selected(self) -> list[tuple[Value, str]]:
        """Return the selected values and their names."""
        if not self.query.items:
            return [(self._origin_value(next(iter(self.origins.values()))), "")]
        return [(self.value(self._named_value(item)), item.name or str(n)) for n, item in enumerate(self.query.items)]

    def _named_value(self, item: h.Item) -> h.Node:
        """Return what an item of a select stands for: `x as x_details_permissions` in a map for x's permissions.

        As in OMERO (QueryImpl.projection).
        """
        in_map = self.query.new == "map" and item.name.endswith("_details_permissions")
        if in_map and isinstance(item.value, h.Path) and self.path(item.value).type == "object":
            return h.Path((*item.value.parts, "details", "permissions"))
        return item.value

    def selected_origin(self) -> Origin | None:
        """Return the alias that is selected as a whole, when nothing else is selected."""
        if not self.query.items:
            return next(iter(self.origins.values()))
        value = self.query.items[0].value
        if isinstance(value, h.Path) and len(value.parts) == 1:
            return self.origins.get(value.parts[0])
        return None

    def idle_fetches(self, root: Origin) -> list[tuple[str, ...]]:
        """Return the paths below `root` of the fetch joins that were split off."""
        paths: dict[str, tuple[str, ...]] = {}
        for origin in self.origins.values():
            path, above = origin.path, origin.parent
            while above is not None and above is not root:
                path, above = above.path + path, above.parent
            if origin is root or above is root:
                paths[origin.alias] = () if origin is root else path
        found = []
        for join in self.idle:
            first, *rest = join.path.parts
            if first in paths:
                found.append(paths[first] + tuple(rest))
                paths[join.alias or str(join.path)] = found[-1]
        return found

    def statement(self, columns: list[Any]) -> sa.Select[Any]:
        """Return the select over these columns, with every clause of the query."""
        query = self.query
        strictness.require_clauses(query, self.origins, self.path)
        where = self.condition(query.where) if query.where is not None else None
        group_by = [self.value(g).sql for g in query.group_by]
        having = self.condition(query.having) if query.having is not None else None
        order_by = [self._order(item) for item in query.order_by]
        # Only now are all implicit joins in the trees.
        statement = sa.select(*[c.label(f"c{n}") for n, c in enumerate(columns)]).select_from(*self.trees)
        statement = statement.where(*self.conditions)
        if where is not None:
            statement = statement.where(where)
        if group_by:
            statement = statement.group_by(*group_by)
        if having is not None:
            statement = statement.having(having)
        if query.distinct:
            statement = statement.distinct()
        return statement.order_by(*order_by)

    def _order(self, item: h.OrderItem) -> Any:
        node = item.value
        if isinstance(node, h.Path) and len(node.parts) == 1 and node.parts[0] in self._names:
            node = self._names[node.parts[0]]
        sql = self.value(node).sql
        ordered = sql.desc() if item.descending else sql.asc()
        # As PostgreSQL does: null counts as the largest.
        first = item.nulls == "first" if item.nulls else item.descending
        return ordered.nulls_first() if first else ordered.nulls_last()

    def subselect(self, query: h.Query) -> tuple[sa.Select[Any], Value]:
        """Return a subquery that may refer to this select's aliases, and what it selects."""
        below = Select(self.translation, query, outer=self)
        (value, _), *_ = below.selected()
        statement = below.statement([value.sql])
        return statement.correlate_except(*[o.table for o in below.origins.values()]), value

    # --- values ----------------------------------------------------------------------------------

    def value(self, node: h.Node) -> Value:
        """Return the SQL of an expression."""
        method: Callable[[h.Node], Value] | None = getattr(self, f"_value_{type(node).__name__.lower()}", None)
        if method is None:
            return Value(self.condition(node), "RBool")
        return method(node)

    def _value_literal(self, node: h.Literal) -> Value:
        if node.value is None:
            return Value(sa.null(), "RString")
        if isinstance(node.value, bool):
            return Value(sa.literal(int(node.value)), "RBool")
        kind = SCALAR_TYPES[type(node.value)]
        if kind == "RInt" and abs(node.value) >= 2**31:
            kind = "RLong"
        if abs(node.value) >= 2**63 if kind == "RLong" else False:
            raise unknown(f"the number {node.value} is too large")
        return Value(sa.literal(node.value), kind)

    def _value_parameter(self, node: h.Parameter) -> Value:
        if not node.name:
            raise unknown("parameters need a name, :name")
        return Value(self.translation.parameter(node.name), "parameter")

    def _value_path(self, node: h.Path) -> Value:
        return self.path(node)

    def _value_minus(self, node: h.Minus) -> Value:
        value = self.value(node.value)
        return Value(-value.sql, value.type)

    def _value_binary(self, node: h.Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator == "||":
            return Value(left.sql.concat(right.sql), "RString")
        kind = left.type if left.type != "parameter" else right.type
        for wide in ("RDouble", "RFloat", "RLong"):
            if wide in (left.type, right.type):
                kind = wide
                break
        if node.operator == "+" and "RString" in (left.type, right.type):
            return Value(left.sql.concat(right.sql), "RString")
        # .op(): SQLAlchemy's own division would turn integers into floats, which PostgreSQL does not.
        return Value(left.sql.op(node.operator, precedence=6)(right.sql).self_group(), kind)

    def _value_cast(self, node: h.Cast) -> Value:
        if node.type not in CAST_TYPES:
            raise unknown(f"cast to {node.type}")
        name, kind = CAST_TYPES[node.type]
        return Value(sa.cast(self.value(node.value).sql, kind), name)

    def _value_subquery(self, node: h.Subquery) -> Value:
        statement, value = self.subselect(node.query)
        return Value(statement.scalar_subquery(), value.type, value.entity)

    def _value_tuple(self, _node: h.Tuple) -> Value:
        raise unknown("a list of values where one value is expected")

    def _value_case(self, node: h.Case) -> Value:
        results = [self.value(then) for _, then in node.whens]
        otherwise = self.value(node.otherwise) if node.otherwise is not None else None
        if node.subject is not None:
            subject = self.value(node.subject).sql
            tests = [subject == self.value(test).sql for test, _ in node.whens]
        else:
            tests = [self.condition(test) for test, _ in node.whens]
        pairs = [(test, result.sql) for test, result in zip(tests, results, strict=True)]
        return Value(sa.case(*pairs, else_=otherwise.sql if otherwise else None), results[0].type)

    def _value_call(self, node: h.Call) -> Value:
        return functions.call(self, node)

    # --- paths -----------------------------------------------------------------------------------

    def path(self, node: h.Path) -> Value:
        """Return the value at the end of a path."""
        first, *rest = node.parts
        if first in self.units:
            return self.path(h.Path((*self.units[first].parts, *rest)))
        origin = self._find(first)
        if origin is None:
            origin, rest = self._unqualified(node)
            if origin is None:
                return self._list_index(node) or self._class_constant(node)
        return self._follow(origin, rest, node)

    def _unqualified(self, node: h.Path) -> tuple[Origin | None, list[str]]:
        """Resolve a path that begins with a property of the first entity, `from Image where name = ...`."""
        first = node.parts[0]
        select: Select | None = self
        while select is not None:
            for origin in select.origins.values():
                if origin.entity is not None and (
                    first in ("id", "details", "class") or subclass_property(origin.entity, first) is not None
                ):
                    return origin, list(node.parts)
            select = select.outer
        return None, []

    def _list_index(self, node: h.Path) -> Value | None:
        """Return the place in a list, `order by well_index`: Hibernate passes what it does not know on to the database.

        iviewer asks in this way for the images of a well.
        """
        if len(node.parts) != 1 or not node.parts[0].endswith("_index"):
            return None
        columns = (origin.table.c for origin in self.origins.values())
        return next((Value(found[node.parts[0]], "RInt") for found in columns if node.parts[0] in found), None)

    def _class_constant(self, node: h.Path) -> Value:
        entity = find_entity(str(node))
        if entity is None or (len(node.parts) > 1 and node.parts[0] not in ("ome", "omero")):
            raise unknown(f"{node}: neither an alias nor a property of what is selected from")
        return Value(sa.literal(entity.name), "class")

    def _origin_value(self, origin: Origin) -> Value:
        if origin.entity is None:
            return Value(origin.table.c.value, "RString")
        return Value(origin.table.c.id, "object", origin.entity)

    def _follow(self, origin: Origin, names: list[str], node: h.Path) -> Value:
        """Return the value at the end of `names`, starting from an alias."""
        if not names:
            return self._origin_value(origin)
        name, *rest = names
        if name == "id":
            return Value(origin.table.c.id, "RLong")
        if name == "class":
            return Value(origin.table.c.entity_class, "class")
        if origin.entity is None:
            if name not in ("name", "value"):
                raise unknown(f"{node}: a named value has a name and a value")
            return Value(origin.table.c[name], "RString")
        if name == "details":
            return self._follow_details(origin, rest, node)
        prop = self._property(origin, name)
        if prop.kind == "reference":
            return self._follow_reference(origin, prop, self._column(origin, prop), rest, node)
        if prop.kind in ("collection", "named_values"):
            return self._follow_collection(origin, prop, rest, node)
        return self._plain_property(origin, prop, rest, node)

    def _plain_property(self, origin: Origin, prop: Property, rest: list[str], node: h.Path) -> Value:
        column = self._column(origin, prop)
        if prop.kind == "unit":
            unit = origin.table.c[f"{prop.name}_unit"]
            if not rest:
                return Value(column, "unit", MODEL_ENTITIES.get(prop.type), (unit, sa.literal(prop.type)))
            if rest == ["value"]:
                return Value(column, "RDouble")
            if rest == ["unit"]:
                return Value(unit, "RString")
        if rest:
            raise unknown(f"{node}: {prop.name} has no {rest[0]}")
        kinds = {"bytes": "bytes", "strings": "strings"}
        return Value(column, kinds.get(prop.kind, prop.type))

    def _follow_reference(self, origin: Origin, prop: Property, column: Any, rest: list[str], node: h.Path) -> Value:
        if not rest:
            return Value(column, "object", MODEL_ENTITIES[prop.type])
        if rest == ["id"]:
            return Value(column, "RLong")
        return self._follow(self._step(origin, prop.name), rest, node)

    def _follow_collection(self, origin: Origin, prop: Property, rest: list[str], node: h.Path) -> Value:
        if not rest:
            return Value(sa.null(), "collection", origin.entity, (prop, origin.table.c.id))
        if rest == ["size"]:
            return self.size(Value(sa.null(), "collection", origin.entity, (prop, origin.table.c.id)))
        return self._follow(self._step(origin, prop.name), rest, node)

    def _follow_details(self, origin: Origin, rest: list[str], node: h.Path) -> Value:
        assert origin.entity is not None
        if not rest:
            raise unknown(f"{node}: details as a whole cannot be selected")
        name, *after = rest
        columns = origin.table.c
        if name == "permissions" and origin.entity.name == "ExperimenterGroup":
            return Value(columns.permissions, "group_permissions")
        if name == "permissions":
            owned = not origin.entity.is_global
            pair = (columns.owner_id, columns.group_id) if owned else (sa.literal(-1), sa.literal(-1))
            return Value(pair[0], "permissions", more=(pair[1],))
        if name not in DETAIL_PROPERTIES:
            raise unknown(f"could not resolve property: details.{name}")
        column, target = DETAIL_PROPERTIES[name]
        if origin.entity.is_global:
            return Value(sa.null(), "object", MODEL_ENTITIES[target])
        reference = columns[column]
        if not after:
            return Value(reference, "object", MODEL_ENTITIES[target])
        if after == ["id"]:
            return Value(reference, "RLong")
        return self._follow(self._step(origin, f"details.{name}"), after, node)

    # --- collections -----------------------------------------------------------------------------

    def collection(self, node: h.Node) -> Value:
        """Return the collection at the end of a path."""
        value = self.path(node) if isinstance(node, h.Path) else None
        if value is None or value.type != "collection":
            raise unknown(f"{node} is not a collection")
        return value

    def elements(self, value: Value) -> sa.Select[Any]:
        """Return a select of the ids of a collection's elements."""
        prop, owner_id = value.more
        assert value.entity is not None
        table = _element_table(value.entity, prop).alias(self.translation.new_alias(prop.name))
        wanted = table.c.id if prop.kind == "collection" else table.c.value
        statement = sa.select(wanted).where(table.c[prop.inverse or "id"] == owner_id)
        return statement.correlate_except(table)

    def size(self, value: Value) -> Value:
        """Return the number of a collection's elements."""
        counted = self.elements(value).with_only_columns(sa.func.count(), maintain_column_froms=True)
        return Value(counted.scalar_subquery(), "RInt")

    # --- conditions ------------------------------------------------------------------------------

    def condition(self, node: h.Node) -> Any:
        """Return the SQL of something that is true or false."""
        method = getattr(self, f"_condition_{type(node).__name__.lower()}", None)
        if method is None:
            return self.value(node).sql != 0
        return method(node)

    def _condition_logical(self, node: h.Logical) -> Any:
        return (sa.and_ if node.operator == "and" else sa.or_)(*[self.condition(v) for v in node.values])

    def _condition_not(self, node: h.Not) -> Any:
        return sa.not_(self.condition(node.value))

    def _condition_compare(self, node: h.Compare) -> Any:
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, h.Call) and side.name in ("any", "some", "all"):
                return self._condition_quantified(node.operator, other, side)
        left, right = self.value(node.left), self.value(node.right)
        if "class" in (left.type, right.type):
            left, right = _class_value(left, node.left), _class_value(right, node.right)
        if "collection" in (left.type, right.type):
            raise unknown("a collection cannot be compared; use elements() or size()")
        self.translation.expect(node.right, left)
        self.translation.expect(node.left, right)
        if isinstance(node.left, h.Literal):
            strictness.require_comparable(right, left, node.left, node.operator)
        else:
            strictness.require_comparable(left, right, node.right, node.operator)
        if node.operator in ("=", "<>"):
            return left.sql == right.sql if node.operator == "=" else left.sql != right.sql
        return left.sql.op(node.operator, is_comparison=True)(right.sql)

    def _condition_quantified(self, operator: str, one: h.Node, many: h.Call) -> Any:
        """Translate `x = any elements(c)` as `x in`, and `x <> all (...)` as `x not in`."""
        if (operator, many.name) not in {("=", "any"), ("=", "some"), ("<>", "all")}:
            raise unknown(f"{operator} {many.name} is not supported by the sandbox")
        return self._condition_in(h.In(one, many.arguments[0], operator == "<>"))

    def _condition_in(self, node: h.In) -> Any:
        value = self.value(node.value)
        for one in node.choices.values if isinstance(node.choices, h.Tuple) else (node.choices,):
            self.translation.expect(one, value)
            if isinstance(one, h.Literal) and one.value is not None:
                strictness.require_comparable(value, self.value(one), one, "=")
        choices = self._choices(node.choices, value)
        found = sa.or_(*[value.sql.in_(c) for c in choices]) if choices else sa.false()
        return sa.not_(found) if node.negated else found

    def _choices(self, node: h.Node, value: Value) -> list[Any]:
        """Return what may stand in `in (...)`: selects and lists of SQL expressions."""
        if isinstance(node, h.Parameter):
            if not node.name:
                raise unknown("parameters need a name, :name")
            return [self.translation.list_parameter(node.name)]
        if isinstance(node, h.Subquery):
            return [self.subselect(node.query)[0]]
        if isinstance(node, h.Call) and node.name in ("elements", "any", "some", "all"):
            return self._choices_of_call(node, value)
        if isinstance(node, h.Tuple):
            return self._choices_of_list(node, value)
        found = self.value(node)
        if found.type == "collection":
            return [self.elements(found)]
        return [[_class_value(found, node).sql if value.type == "class" else found.sql]]

    def _choices_of_list(self, node: h.Tuple, value: Value) -> list[Any]:
        """Return a written list: its constants as one JSON text, as they may be thousands, and the rest one by one."""
        found: list[Any] = []
        constants: list[Any] = []
        for item in node.values:
            if isinstance(item, h.Parameter):
                found.append(self.translation.list_parameter(item.name))
            elif isinstance(item, h.Literal) and value.type != "class":
                constants.append(int(item.value) if isinstance(item.value, bool) else item.value)
            else:
                other = self.value(item)
                found.append([_class_value(other, item).sql if value.type == "class" else other.sql])
        return [*found, id_list(constants)] if constants else found

    def _choices_of_call(self, node: h.Call, value: Value) -> list[Any]:
        if len(node.arguments) != 1:
            raise unknown(f"{node.name} takes one argument")
        if node.name == "elements":
            return [self.elements(self.collection(node.arguments[0]))]
        return self._choices(node.arguments[0], value)

    def _condition_like(self, node: h.Like) -> Any:
        escape = node.escape.value if isinstance(node.escape, h.Literal) else "\\"
        value = self.value(node.value)
        self.translation.expect(node.pattern, Value(value.sql, "RString"))
        if value.type in strictness.NUMBERS:
            raise errors.api_usage(f"ERROR: operator does not exist: {strictness.POSTGRESQL[value.type]} ~~ text")
        found = value.sql.like(self.value(node.pattern).sql, escape=str(escape))
        return sa.not_(found) if node.negated else found

    def _condition_between(self, node: h.Between) -> Any:
        value, ends = self.value(node.value), [(one, self.value(one)) for one in (node.low, node.high)]
        for one, end in ends:
            self.translation.expect(one, value)
            strictness.require_comparable(value, end, one, ">=")
        found = value.sql.between(ends[0][1].sql, ends[1][1].sql)
        return sa.not_(found) if node.negated else found

    def _condition_memberof(self, node: h.MemberOf) -> Any:
        found = self.value(node.value).sql.in_(self.elements(self.collection(node.collection)))
        return sa.not_(found) if node.negated else found

    def _condition_isstate(self, node: h.IsState) -> Any:
        if node.state in ("true", "false"):
            found = self.value(node.value).sql == (1 if node.state == "true" else 0)
        else:
            value = self.value(node.value)
            if value.type == "collection":
                found = ~sa.exists(self.elements(value))
            elif node.state == "empty":
                raise unknown(f"{node.value} is not a collection: it cannot be empty")
            else:
                found = value.sql.is_(None)
        return sa.not_(found) if node.negated else found

    def _condition_exists(self, node: h.Exists) -> Any:
        if isinstance(node.value, h.Subquery):
            return sa.exists(self.subselect(node.value.query)[0])
        argument = node.value.arguments[0] if isinstance(node.value, h.Call) else node.value
        return sa.exists(self.elements(self.collection(argument)))


def _class_value(value: Value, node: h.Node) -> Value:
    """Return a class in a comparison, given as `TagAnnotation`, a text, or `ome.model.annotations.TagAnnotation`."""
    if isinstance(node, h.Literal) and isinstance(node.value, str):
        entity = find_entity(node.value)
        return Value(sa.literal(entity.name if entity is not None else node.value), "class")
    return value


def _element_entity(prop: Property) -> Entity | None:
    return None if prop.kind == "named_values" else MODEL_ENTITIES[prop.type]


def _element_table(owner: Entity | None, prop: Property) -> sa.Table:
    if prop.kind == "named_values":
        assert owner is not None
        return METADATA.tables[f"{owner.root}_{prop.name}"]
    return table_of(prop.type)
