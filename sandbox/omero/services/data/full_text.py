"""Search names, descriptions and annotations for words.

OMERO searches an index made by Lucene; here SQL's LIKE searches the current text. A word may contain `*` for any text
and `?` for any character; all words have to be found somewhere unless they are joined by `OR`; case does not matter.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.model.entities import MODEL_ENTITIES, Entity
from sandbox.omero.model.schema import table_of

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

# SQLite limits the length of a pattern and the depth of a condition.
MOST_WORDS, LONGEST_WORD = 100, 1000
FIELDS = {"name": ("name",), "description": ("description",)}


def words_of(text: str) -> list[list[str]]:
    """Split a search text into alternatives of words that must all be found."""
    try:
        tokens = shlex.split(text or "")
    except ValueError:
        tokens = (text or "").split()
    if len(tokens) > MOST_WORDS or any(len(token) > LONGEST_WORD for token in tokens):
        raise errors.api_usage(f"A search takes {MOST_WORDS} words of {LONGEST_WORD} characters at most")
    alternatives: list[list[str]] = [[]]
    for token in tokens:
        if token.upper() == "OR":
            alternatives.append([])
        elif token.upper() != "AND":
            alternatives[-1].append(token)
    return [words for words in alternatives if words]


def _pattern(word: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", word.lower())
    return f"%{escaped.replace('*', '%').replace('?', '_')}%"


def search_ids(tx: Transaction, context: Context, entity: Entity, text: str) -> list[int]:
    """Return the ids of the visible objects that a search text finds, in order."""
    alternatives = words_of(text)
    if not alternatives:
        return []
    table = table_of(entity)
    scope, parameters = permissions.read_scope(context)
    conditions = []
    for words in alternatives:
        found = []
        for word in words:
            field, _, value = word.partition(":")
            key = f"word{len(parameters)}"
            parameters[key] = _pattern(value if value and field in ("name", "description", "tag") else word)
            found.append(f"({' OR '.join(_matches(entity, field if value else '', key))})")
        conditions.append(f"({' AND '.join(found)})")
    classes = ", ".join(f"'{name}'" for name in entity.subclasses)
    visible = "1" if entity.is_global else scope.format(alias="t")
    sql = (
        f'SELECT t.id FROM "{table.name}" AS t WHERE t.entity_class IN ({classes}) AND {visible}'
        f" AND ({' OR '.join(conditions)}) ORDER BY t.id"
    )
    return [row[0] for row in tx.rows(sql, parameters)]


def _matches(entity: Entity, field: str, key: str) -> list[str]:
    """Return the conditions under which a word is found in an object."""
    columns = table_of(entity).c
    names = FIELDS.get(field, ("name", "description", "textValue", "ns", "omeName", "firstName", "lastName"))
    like = f"LIKE :{key} ESCAPE '\\'"
    found = [f'lower(t."{name}") {like}' for name in names if name in columns and field != "tag"]
    link = f"{entity.root}AnnotationLink"
    if field in ("", "tag") and link in MODEL_ENTITIES:
        only_tags = " AND a.entity_class = 'TagAnnotation'" if field == "tag" else ""
        found.append(
            f'EXISTS (SELECT 1 FROM "{link}" AS l JOIN "Annotation" AS a ON a.id = l.child WHERE l.parent = t.id'
            f'{only_tags} AND (lower(a."textValue") {like} OR lower(a.description) {like}'
            f' OR EXISTS (SELECT 1 FROM "Annotation_mapValue" AS m WHERE m.id = a.id AND (lower(m.value) {like}'
            f" OR lower(m.name) {like}))))"
        )
    return found or ["0"]
