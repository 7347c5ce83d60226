"""SPARQL queries of SHACL shapes, parsed once each: rdflib parses a text anew for every entity that it is asked of.

That is four fifths of what roc-validator takes for a crate: it asks some 15 queries a hundred times.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rdflib import plugin
from rdflib.plugins.sparql.processor import SPARQLProcessor, prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Processor
from rdflib.term import Identifier


class PreparedProcessor(SPARQLProcessor):
    """rdflib's processor of SPARQL, which keeps what it has parsed as long as the process lives."""

    # The names are rdflib's; like its own class, this one takes more than the base of all processors.
    def query(  # type: ignore[override]
        self,
        strOrQuery: str | Query,  # noqa: N803
        initBindings: Mapping[str, Identifier] | None = None,  # noqa: N803
        initNs: Mapping[str, Any] | None = None,  # noqa: N803
        base: str | None = None,
        DEBUG: bool = False,  # noqa: N803
    ) -> Mapping[str, Any]:
        """Answer a query: see the base class."""
        asked = strOrQuery
        if isinstance(asked, str):
            asked = _prepared(asked, tuple(sorted((initNs or {}).items())), base)
        return super().query(asked, initBindings, initNs, base, DEBUG)


@cache
def _prepared(text: str, namespaces: tuple[tuple[str, Any], ...], base: str | None) -> Query:
    return prepareQuery(text, dict(namespaces), base)


def prepare_queries() -> None:
    """Let all graphs of this process ask by `PreparedProcessor`."""
    plugin.register("sparql", Processor, __name__, PreparedProcessor.__name__)
