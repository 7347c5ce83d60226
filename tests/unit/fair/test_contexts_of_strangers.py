"""Contexts that a stranger's crate names: nothing is asked and no file is opened, wherever they stand."""

import http.server
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bioimage_suite.fair.crates import roc_validator
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.terms import offline_context
from bioimage_suite.fair.crates.validation import validate_crate
from tests.unit.fair.made_crates import crate, errors, root

PLACES: dict[str, Callable[[dict[str, Any], str], object]] = {
    "the top": lambda d, a: d["@context"].append(a),
    "an import": lambda d, a: d["@context"].append({"@import": a}),
    "a term": lambda d, a: d["@context"].append({"x": {"@id": "http://x/", "@context": a}}),
    "a term of a term": lambda d, a: d["@context"].append(
        {"x": {"@id": "http://x/", "@context": {"y": {"@import": a}}}}
    ),
    "an entity": lambda d, a: root(d).update({"@context": a}),
    "a list of an entity": lambda d, a: root(d).update({"@context": [{"x": "http://x/"}, a]}),
    "a reference": lambda d, a: root(d)["author"][0].update({"@context": a}),
    "a list of lists": lambda d, a: root(d).update(about=[[{"@id": "#x", "@context": a}]]),
    "a reverse property": lambda d, a: root(d).update({"@reverse": {"about": {"@id": "#x", "@context": a}}}),
    "included entities": lambda d, a: root(d).update({"@included": [{"@id": "#x", "@type": "Thing", "@context": a}]}),
    "a graph in the graph": lambda d, a: root(d).update({"@graph": [{"@id": "#x", "@context": a}]}),
    "a value": lambda d, a: root(d).update(name={"@value": "x", "@context": a}),
    "ten levels down": lambda d, a: root(d).update(about={"about": {"about": {"about": [{"about": {"@context": a}}]}}}),
}


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that would give a context, with what it was asked."""
    heard: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/context.jsonld", heard
        server.shutdown()


WATCHED: list[tuple[str, int]] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Note, from child processes too, that a watched file was opened."""
    for path, note in WATCHED:
        if event == "open" and str(args[0]).endswith(path):
            os.write(note, b"opened\n")


sys.addaudithook(_watch)


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a file that holds a context, and the note of who opened it."""
    file, note = tmp_path / "bait.jsonld", tmp_path / "note"
    file.write_text(json.dumps({"@context": {"name": "http://example.org/other"}}))
    stream = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    WATCHED.append((str(file), stream))
    yield file.as_uri(), note
    WATCHED.clear()
    os.close(stream)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_asked(place: str, listener: tuple[str, list[str]], bait: tuple[str, Path]):
    address, heard = listener
    file, note = bait
    for one in (address, file, file.removeprefix("file://")):
        document = crate("gide")
        PLACES[place](document, one)
        found = validate_crate(Crate("c", document, (), None, {}), "gide", with_roc=False)
        assert any("@context" in finding.column or "context of its own" in finding.found for finding in found)
        assert one not in json.dumps(offline_context(document["@context"])[0])
    assert heard == []
    assert note.read_text() == ""


def test_the_watch_sees_what_a_child_opens(bait: tuple[str, Path]):
    _, note = bait
    Path(WATCHED[0][0]).open().close()
    assert note.read_text() == "opened\n"


@pytest.mark.skipif(not roc_validator.installed(), reason="roc-validator is optional")
@pytest.mark.slow
@pytest.mark.parametrize("place", ["the top", "a reference"])
def test_roc_validator_asks_nothing_of_its_own(place: str, listener: tuple[str, list[str]], bait: tuple[str, Path]):
    for one in (listener[0], bait[0]):
        document = crate("gide")
        PLACES[place](document, one)
        roc_validator.roc_findings(document, root(document)["@id"], "c")
    assert listener[1] == []
    assert bait[1].read_text() == ""


def test_a_context_inside_the_graph_is_refused():
    document = crate("gide")
    PLACES["an entity"](document, "https://example.org/context")
    found = errors(validate_crate(Crate("c", document, (), None, {}), "gide", with_roc=False))
    assert [finding.found for finding in found] == ["a context of its own: https://example.org/context"]
