"""Search texts of OMERO (Lucene's classic syntax) to queries of SQLite's FTS5.

Words, "phrases", field:word, + must, - must not, AND, OR, NOT, (groups), wildcards * and ?, fuzzy word~ or word~0.8.
Clauses without a sign are alternatives, as in Lucene: `a b` finds what has either. A field that is not one of OMERO's
stands for the key of a key-value pair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.omero import errors
from sandbox.omero.database.full_text_tables import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    Words = Callable[[], list[str]]

LONGEST, MOST_TOKENS, DEEPEST, MOST_WORDS = 10_000, 300, 20, 1024
TOKEN = re.compile(r'\s*(?:([()+!])|(-)|(&&|\|\|)|((?:[\w.]+:)?"[^"]*"(?:~\d*)?)|([^\s()"]+:(?=\())|([^\s()"]+))')
BOOST = re.compile(r"\^\d+(?:\.\d+)?$")
WORD = re.compile(r"[^\W_]+")
COLUMNS = {
    **{name: name for name in FIELDS},
    **dict.fromkeys(("file.name", "file.contents", "file.path", "originalFile.name"), "file"),
    **dict.fromkeys(("comment", "has_key", "annotation.ns"), "annotation"),
}
ANNOTATION_COLUMNS = "{tag annotation pairs}"
OPENING = "("
NOTHING: str | None = None


@dataclass
class _Clause:
    """A part of a query: its FTS5 text, None if it can match nothing; whether it must or must not occur."""

    text: str | None
    must: bool
    never: bool


def fts_query(text: str, words: Words) -> str | None:
    """Return the FTS5 query of a search text; None if it cannot match anything.

    Args:
        text: The search text.
        words: Returns every word of the index, for wildcards and fuzzy words.

    Raises:
        omero.ApiUsageException: The text is no search text, or too long.
    """
    if len(text) > LONGEST:
        raise errors.api_usage(f"A search text has at most {LONGEST} characters")
    tokens = ["".join(filter(None, found)) for found in TOKEN.findall(text)]
    if len(tokens) > MOST_TOKENS:
        raise errors.api_usage(f"A search takes at most {MOST_TOKENS} words")
    parser = _Parser(tokens, words)
    found = parser.clauses("", 0)
    if parser.place < len(tokens):
        raise errors.api_usage(f"{text} caused a parse exception: unexpected {tokens[parser.place]!r}")
    return found


def lucene_query(fields: list[str], text: str) -> str:
    """Return the search text for words in some fields, as omero-common's LuceneQueryBuilder makes it.

    Other characters than letters, digits and `*?~_-:` part words; `AND` joins two words, all others are alternatives.

    Raises:
        omero.ApiUsageException: A word is missing beside AND.
    """
    parts = re.findall(r'"([^"]*)"|(\S+)', _without_signs(text))
    terms = [f'"{quoted.strip()}"' if quoted else plain for quoted, plain in parts]
    terms = [term for term in terms if term.strip('*?~"')]
    if terms[-1:] == ["AND"]:
        raise errors.api_usage("Invalid query: AND expression must be followed by a search term!")
    groups: list[list[str]] = []
    joined = False
    for term in terms:
        if term == "AND":
            joined = True
            continue
        with_fields = term if ":" in term or not fields else " ".join(f"{field}:{term}" for field in fields)
        if joined and groups:
            groups[-1].append(with_fields)
        else:
            groups.append([with_fields])
        joined = False
    return " ".join("(" + " AND ".join(f"({term})" for term in group) + ")" for group in groups)


def _without_signs(text: str) -> str:
    """Return a text whose other signs than Lucene's wildcards and `_-:` are blanks, outside of quotes."""
    quoted, made = False, []
    for letter in text:
        quoted ^= letter == '"'
        made.append(letter if quoted or letter == '"' or letter.isalnum() or letter in "*?~_-:" else " ")
    return "".join(made)


class _Parser:
    def __init__(self, tokens: list[str], words: Words) -> None:
        self.tokens = tokens
        self.place = 0
        self._words = words

    def clauses(self, field: str, depth: int) -> str | None:
        """Read clauses up to the end or a closing parenthesis, as QueryParserBase.addClause combines them."""
        if depth > DEEPEST:
            raise errors.api_usage("The search text has too many parentheses within each other")
        found: list[_Clause] = []
        while self.place < len(self.tokens) and self.tokens[self.place] != ")":
            joined = ""
            if self.tokens[self.place] in ("AND", "OR", "&&", "||"):
                joined = {"&&": "AND", "||": "OR"}.get(self.tokens[self.place], self.tokens[self.place])
                self.place += 1
            sign = ""
            while self.place < len(self.tokens) and self.tokens[self.place] in ("+", "-", "!", "NOT"):
                sign = self.tokens[self.place]
                self.place += 1
            if self.place >= len(self.tokens) or self.tokens[self.place] == ")":
                raise errors.api_usage("The search text ends where a word is expected")
            never = sign in ("-", "!", "NOT")
            if joined == "AND" and found and not found[-1].never:
                found[-1].must = True
            found.append(_Clause(self._operand(field, depth), (sign == "+" or joined == "AND") and not never, never))
        return _combined(found)

    def _operand(self, field: str, depth: int) -> str | None:
        token = self.tokens[self.place]
        self.place += 1
        if token.endswith(":") and self.place < len(self.tokens) and self.tokens[self.place] == OPENING:
            return self._operand(token[:-1], depth)
        if token == OPENING:
            inside = self.clauses(field, depth + 1)
            if self.place >= len(self.tokens):
                raise errors.api_usage("The search text lacks a closing parenthesis")
            self.place += 1
            return inside
        name, colon, value = token.partition(":")
        if colon and value and name:
            field, token = name, value
        return self._term(field, token)

    def _term(self, field: str, token: str) -> str | None:
        """Return the query of one word or phrase in a field; a boost (word^2) is left out."""
        token = BOOST.sub("", token)
        matched = self._matching(token)
        if matched is None or not field:
            return matched
        if field in COLUMNS:
            columns = ANNOTATION_COLUMNS if COLUMNS[field] == "annotation" else COLUMNS[field]
            return f"{columns} : ({matched})"
        key = WORD.findall(field.lower())
        return f"pairs : ({_phrase([*key, *WORD.findall(token.lower())])})" if key else NOTHING

    def _matching(self, token: str) -> str | None:
        if token.startswith('"'):
            phrase = WORD.findall(token.lower())
            return _phrase(phrase) if phrase else NOTHING
        word, tilde, closeness = token.partition("~")
        if tilde:
            return self._fuzzy(word.lower(), closeness)
        if "*" in word or "?" in word:
            return self._wild(word.lower())
        phrase = WORD.findall(word.lower())
        return _phrase(phrase) if phrase else NOTHING

    def _wild(self, word: str) -> str | None:
        if not WORD.search(word):
            return NOTHING
        pattern = re.compile(re.escape(word).replace(r"\*", ".*").replace(r"\?", "."))
        return _any(known for known in self._words() if pattern.fullmatch(known))

    def _fuzzy(self, word: str, closeness: str) -> str | None:
        """Return the words within a distance, as Lucene's FuzzyQuery: 1 - edits / length of the shorter word."""
        try:
            least = float(closeness) if closeness else 0.5
        except ValueError:
            raise errors.api_usage(f"{closeness}: not a number between 0 and 1") from None
        if least >= 1:  # a number of edits, as newer forms of Lucene read it
            least = 0.5
        return _any(known for known in self._words() if known == word or _similarity(word, known) > least)


def _similarity(one: str, other: str) -> float:
    shorter = min(len(one), len(other))
    if not shorter or abs(len(one) - len(other)) >= shorter:
        return 0.0
    previous = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        current = [number]
        for place, compared in enumerate(other, 1):
            change = previous[place - 1] + (letter != compared)
            current.append(min(previous[place] + 1, current[-1] + 1, change))
        previous = current
    return 1 - previous[-1] / shorter


def _any(words: object) -> str | None:
    found = sorted(words)  # type: ignore[call-overload]
    if len(found) > MOST_WORDS:
        raise errors.api_usage(f"A wildcard stands for {len(found)} words; at most {MOST_WORDS} are possible")
    return " OR ".join(f'"{word}"' for word in found) or NOTHING


def _phrase(words: list[str]) -> str:
    return '"' + " ".join(words) + '"'


def _combined(clauses: list[_Clause]) -> str | None:
    """Return clauses as one query: all that must occur, else any; none that must not."""
    must = [one.text for one in clauses if one.must]
    some = [one.text for one in clauses if not one.must and not one.never and one.text]
    never = [one.text for one in clauses if one.never and one.text]
    if any(text is None for text in must) or not (must or some):
        return NOTHING
    wanted = " AND ".join(f"({text})" for text in must) if must else " OR ".join(f"({text})" for text in some)
    return f"({wanted}) NOT ({' OR '.join(f'({text})' for text in never)})" if never else wanted
