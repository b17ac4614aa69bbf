"""Cuts a query's text into brackets, operators, fields, references, words and phrases.

Decides what a character means in a query, never how the pieces belong together. Pure; only `parser` calls it.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum, auto
from typing import Final, NamedTuple

from worker.errors import QueryError
from worker.model import Field

QUOTES: Final = '"“”„‟«»'
DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63-"  # software makes any of these from a hyphen
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_COMMAS: Final = ",،、"
_INVISIBLE: Final = "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_AROUND_WORDS: Final = re.compile(rf"(?<!\w)[{_INVISIBLE}]|[{_INVISIBLE}](?!\w)")  # inside a word they belong to it
_GLUED: Final = re.compile(rf"(AND|OR|NOT)[/{DASHES}].*", re.DOTALL)


def _pattern(*, in_list: bool) -> re.Pattern[str]:
    """Return what a lexeme looks like; in ANY's brackets a comma ends a word, except between digits (1,000)."""
    letter = rf"[^\s()|{QUOTES}{_COMMAS if in_list else ''}]"
    comma = rf"| (?P<comma> [{_COMMAS}])" if in_list else ""
    joined = r"(?<=\d) , (?=\d) |" if in_list else ""
    return re.compile(
        rf"""
        \s*+
        (?: (?P<open> \()
        | (?P<close> \))
        {comma}
        | (?P<foreign> \|\| | &+ (?![^\s()|]) | ! (?=[^\s!)|]))
        | (?P<or> \|)
        | (?P<not> [{DASHES}] (?=[^\s{DASHES}]))
        | (?P<exact> = (?=[^\s()|]))
        | (?P<inflected> ~ (?=[^\s()|]))
        | @ (?P<reference> {letter}*)
        | [{QUOTES}] (?P<phrase> [^{QUOTES}]*) [{QUOTES}]
        | (?P<unclosed> [{QUOTES}])
        | (?P<word> (?: {joined} {letter} )+)
        )
        """,
        re.VERBOSE,
    )


_LEXEME: Final = _pattern(in_list=False)
_LEXEME_IN_LIST: Final = _pattern(in_list=True)
_FIELD: Final = re.compile(r"([^\W\d_][\w-]*):")
_OPERATOR: Final = re.compile(
    r"(?P<name>NEAR|ONEAR|ATLEAST|ANY|FIRST)(?:/(?P<number>.*)|(?P<unslashed>[0-9]+))?"
    r"|(?i:near|onear|atleast|any|first)/[0-9].*",
    re.DOTALL,
)

_FIELDS: Final = {field.value: field for field in Field} | {"tags": Field.TAG}
_WITH_COLONS: Final = (Field.URL, Field.SOURCE)  # url:https://example.com/ names one field, not two
_ALSO_CALLED: Final = {
    "headline": Field.TITLE,
    "intitle": Field.TITLE,
    "subject": Field.TITLE,
    "description": Field.SUMMARY,
    "lead": Field.SUMMARY,
    "content": Field.BODY,
    "text": Field.BODY,
    "by": Field.AUTHOR,
    "byline": Field.AUTHOR,
    "category": Field.SECTION,
    "keyword": Field.TAG,
    "keywords": Field.TAG,
    "publisher": Field.SOURCE,
    "site": Field.SOURCE,
    "language": Field.LANG,
    "link": Field.URL,
}
"""What other search engines call a field, for the hint of a refusal."""

_FOREIGN: Final = {"|": "OR", "&": "AND", "!": "NOT"}
_RESERVED: Final = frozenset({"AND", "OR", "NOT", "NEAR", "ONEAR", "ATLEAST", "ANY", "FIRST"})
_MAX_NUMBER: Final = {"NEAR": 100, "ONEAR": 100, "ATLEAST": 1_000, "FIRST": 10_000, "ANY": 10_000}


class Kind(StrEnum):
    """What a lexeme is. `EXACT` and `INFLECTED` are the `=` and `~` before a word or phrase; `NEAR` is ONEAR, too."""

    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()
    ATLEAST = auto()
    ANY = auto()
    FIRST = auto()
    EXACT = auto()
    INFLECTED = auto()
    FIELD = auto()
    REFERENCE = auto()
    PHRASE = auto()
    WORD = auto()
    END = auto()


class Lexeme(NamedTuple):
    """A piece of a query: `text` without quotes, `@` or colon. The piece begins at `at`, `text` at `text_at`.

    `number` is an operator's (NEAR/5), otherwise 0.
    """

    kind: Kind
    text: str
    at: int
    text_at: int
    number: int = 0


_OPERATORS: Final = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}
_WITH_NUMBER: Final = {
    "NEAR": Kind.NEAR,
    "ONEAR": Kind.NEAR,
    "ATLEAST": Kind.ATLEAST,
    "ANY": Kind.ANY,
    "FIRST": Kind.FIRST,
}


def lex(query: str) -> list[Lexeme]:
    """Cut a query into lexemes in its own order, with an `END` behind them. Raises `QueryError`.

    >>> [(lexeme.kind.name, lexeme.text, lexeme.at) for lexeme in lex("title:us -“a b”")]
    [('FIELD', 'title', 0), ('WORD', 'us', 6), ('NOT', '-', 9), ('PHRASE', 'a b', 10), ('END', '', 15)]
    """
    query = plain(query)
    lexemes: list[Lexeme] = []
    lists: list[bool] = []  # for each open bracket, whether it is ANY's or inside one
    pattern, at = _LEXEME, 0
    while match := pattern.match(query, at):
        lexeme = _lexeme(query, match, lexemes)
        lexemes.append(lexeme)
        at = match.end()
        if lexeme.kind is Kind.FIELD:
            at = lexeme.text_at + len(lexeme.text) + 1
        elif lexeme.kind is Kind.OPEN or lexeme.kind is Kind.CLOSE:
            if lexeme.kind is Kind.OPEN:
                lists.append(pattern is _LEXEME_IN_LIST or (len(lexemes) > 1 and lexemes[-2].kind is Kind.ANY))
            elif lists:
                lists.pop()
            pattern = _LEXEME_IN_LIST if lists and lists[-1] else _LEXEME
    lexemes.append(Lexeme(Kind.END, "", len(query), len(query)))
    return lexemes


def plain(query: str) -> str:
    """Return a query with East Asian widths and invisible characters made plain, every character in its place.

    >>> plain("（北朝鮮　ＯＲ dprk）")
    '(北朝鮮 OR dprk)'
    """
    return query if query.isascii() else _AROUND_WORDS.sub(" ", query.translate(_FULL_WIDTH))


def field_named(name: str) -> Field:
    """Return the field of a `FIELD` lexeme, which is always known."""
    return _FIELDS[name.lower()]


def is_reserved(text: str) -> bool:
    """Tell whether a word means something else unless it is put in quotes: AND, NEAR, NEAR5."""
    return text in _RESERVED or _OPERATOR.fullmatch(text) is not None


def _lexeme(query: str, match: re.Match[str], before: list[Lexeme]) -> Lexeme:
    kind = match.lastgroup or ""
    text, text_at = match[kind], match.start(kind)
    if kind == "word":
        _check_dash(query, match)
        return _word(text, text_at, before[-1] if before else None)
    if kind in ("phrase", "reference"):
        return Lexeme(Kind(kind), text, text_at - 1, text_at)
    if kind == "unclosed":
        raise QueryError("this quote is never closed", offset=text_at, hint='end the phrase with "')
    if kind == "foreign":
        operator = _FOREIGN[text[0]]
        raise QueryError(f"{text} is no operator", offset=text_at, hint=f"write {operator}")
    return Lexeme(Kind(kind), text, text_at, text_at)


def _word(text: str, at: int, before: Lexeme | None) -> Lexeme:
    if text in _OPERATORS:
        return Lexeme(_OPERATORS[text], text, at, at)
    if operator := _OPERATOR.fullmatch(text):
        return _operator(operator, at)
    if glued := _GLUED.fullmatch(text):
        raise QueryError(
            f"{glued[1]} hangs on what follows",
            offset=at,
            hint=f'write a space behind {glued[1]}, or put it in quotes: "{text}"',
        )
    if ":" not in text or _is_value_with_colons(before, at) or not (named := _FIELD.match(text)):
        return Lexeme(Kind.WORD, text, at, at)
    if named[1].lower() not in _FIELDS:
        raise QueryError(f"no field is called {named[1]!r}", offset=at, hint=_field_hint(named[1].lower()))
    return Lexeme(Kind.FIELD, named[1], at, at)


def _is_value_with_colons(before: Lexeme | None, at: int) -> bool:
    return (
        before is not None
        and before.kind is Kind.FIELD
        and at == before.at + len(before.text) + 1
        and field_named(before.text) in _WITH_COLONS
    )


def _operator(operator: re.Match[str], at: int) -> Lexeme:
    name, number = operator["name"], operator["number"]
    if not name:
        raise QueryError(
            "operators are written in capitals",
            offset=at,
            hint=f"write {operator[0].upper()}, or put it in quotes if the words are meant",
        )
    highest = _MAX_NUMBER[name]
    if not number or not re.fullmatch("[0-9]+", number):
        raise QueryError(
            f"{name} wants a whole number right behind it",
            offset=at,
            hint=f'write {name}/{operator["unslashed"] or 5}, or "{name}" in quotes if the word is meant',
        )
    if len(number) > 9 or not 1 <= int(number) <= highest:
        raise QueryError(f"{name} wants a number from 1 to {highest:,}", offset=at, hint=f"write {name}/5")
    return Lexeme(_WITH_NUMBER[name], operator[0], at, at, int(number))


def _field_hint(name: str) -> str:
    close = get_close_matches(name, _FIELDS, n=1)
    meant = _ALSO_CALLED.get(name) or (close[0] if close else None)
    if meant:
        return f"did you mean {meant}: ? If the words are meant, put them in quotes"
    return f"the fields are {', '.join(Field)}; if the words are meant, put them in quotes"


def _check_dash(query: str, match: re.Match[str]) -> None:
    """Refuse `korea-(film)` and `korea --film`: they would mean the opposite of what they look like."""
    word = match["word"]
    if word[0] in DASHES and word.strip(DASHES):
        raise QueryError("two dashes before a word", offset=match.start("word"), hint="write one: korea -film")
    if word[-1] in DASHES and len(word) > 1 and query[match.end() : match.end() + 1] in ("(", *QUOTES):
        raise QueryError(
            "a dash between a word and what follows",
            offset=match.end() - 1,
            hint="write korea -(film)",
        )
