"""Cuts a query's text into brackets, operators, fields, references, words and phrases.

Decides what a character means in a query, never how the pieces belong together. Pure; only `parser` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from worker.errors import QueryError
from worker.model import Field

_QUOTES: Final = '"“”„‟«»'
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2212-"  # an editor's software makes any of these from a hyphen
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

_LEXEME = re.compile(
    rf"""
      (?P<space> \s+)
    | (?P<open> \()
    | (?P<close> \))
    | (?P<or> \|)
    | (?P<not> [{_DASHES}] (?=[^\s{_DASHES}]))
    | (?P<exact> = (?=[^\s()|]))
    | (?P<inflected> ~)
    | @ (?P<reference> [^\s()|{_QUOTES}]*)
    | [{_QUOTES}] (?P<phrase> [^{_QUOTES}]*) [{_QUOTES}]
    | (?P<unclosed> [{_QUOTES}])
    | (?P<word> [^\s()|{_QUOTES}]+)
    """,
    re.VERBOSE,
)
_FIELD = re.compile(r"([^\W\d_][\w-]*):")
_LATER = re.compile(r"(NEAR|ONEAR|ATLEAST|ANY|FIRST)(?:/.*)?|(?i:near|onear|atleast|any|first)/\d.*", re.DOTALL)
_FIELDS: Final = {field.value: field for field in Field} | {"tags": Field.TAG}
_WITH_COLONS: Final = (Field.URL, Field.SOURCE)  # url:https://example.com/ names one field, not two

RESERVED: Final = frozenset({"AND", "OR", "NOT", "NEAR", "ONEAR", "ATLEAST", "ANY", "FIRST"})
"""Words that mean themselves only in quotes."""


class Kind(Enum):
    """What a lexeme is. `EXACT` is the `=` before a word or phrase."""

    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    EXACT = auto()
    FIELD = auto()
    REFERENCE = auto()
    PHRASE = auto()
    WORD = auto()


class Lexeme(NamedTuple):
    """A piece of a query: `text` without quotes, `@` or colon. The piece begins at `at`, `text` at `text_at`."""

    kind: Kind
    text: str
    at: int
    text_at: int


_SIMPLE: Final = {"open": Kind.OPEN, "close": Kind.CLOSE, "or": Kind.OR, "not": Kind.NOT, "exact": Kind.EXACT}
_CAPTURED: Final = {"reference": Kind.REFERENCE, "phrase": Kind.PHRASE}
_OPERATORS: Final = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def lex(query: str) -> Iterator[Lexeme]:
    """Cut a query into lexemes in its own order. Raises `QueryError`.

    >>> [(lexeme.kind.name, lexeme.text, lexeme.at) for lexeme in lex("title:us -“a b”")]
    [('FIELD', 'title', 0), ('WORD', 'us', 6), ('NOT', '-', 9), ('PHRASE', 'a b', 10)]
    """
    query = query.translate(_FULL_WIDTH)
    at = 0
    within: Field | None = None  # the field whose value begins right here
    while match := _LEXEME.match(query, at):
        kind, at = str(match.lastgroup), match.end()
        if kind == "word":
            _check_dash(query, match)
            lexeme = _word(match[0], match.start(), within)
            at = lexeme.text_at + len(lexeme.text) + (lexeme.kind is Kind.FIELD)
        elif kind in _CAPTURED:
            lexeme = Lexeme(_CAPTURED[kind], match[kind], match.start(), match.start(kind))
        elif kind in _SIMPLE:
            lexeme = Lexeme(_SIMPLE[kind], match[0], match.start(), match.start())
        elif kind != "space":
            raise _refusal(kind, match.start())
        else:
            within = None
            continue
        within = _FIELDS[lexeme.text.lower()] if lexeme.kind is Kind.FIELD else None
        yield lexeme


def field_named(name: str) -> Field:
    """Return the field of a `FIELD` lexeme, which is always known."""
    return _FIELDS[name.lower()]


def _word(text: str, at: int, within: Field | None) -> Lexeme:
    if text in _OPERATORS:
        return Lexeme(_OPERATORS[text], text, at, at)
    if _LATER.fullmatch(text):
        operator = text.partition("/")[0]
        raise QueryError(
            f"{operator.upper()} is not known yet",
            offset=at,
            hint=f'leave it out, or write "{operator}" in quotes if the word itself is meant',
        )
    named = None if within in _WITH_COLONS else _FIELD.match(text)
    if not named:
        return Lexeme(Kind.WORD, text, at, at)
    if named[1].lower() not in _FIELDS:
        raise QueryError(
            f"no field is called {named[1]!r}",
            offset=at,
            hint=f"the fields are {', '.join(Field)}; if the words are meant, put them in quotes",
        )
    return Lexeme(Kind.FIELD, named[1], at, at)


def _check_dash(query: str, word: re.Match[str]) -> None:
    """Refuse `korea-(film)`: it would mean the opposite of what it looks like."""
    if len(word[0]) > 1 and word[0][-1] in _DASHES and query[word.end() : word.end() + 1] in ("(", *_QUOTES):
        raise QueryError(
            "a dash between a word and what follows", offset=word.end() - 1, hint="write korea -(film), or leave it out"
        )


def _refusal(kind: str, at: int) -> QueryError:
    if kind == "unclosed":
        return QueryError("this quote is never closed", offset=at, hint='end the phrase with "')
    return QueryError("~ is not known yet", offset=at, hint="use a prefix, such as missil*, or name the forms with OR")
