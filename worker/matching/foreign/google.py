"""Google Alerts' syntax, read into a draft.

Decides what Google's operators mean. Words side by side must all be there; OR binds tighter than that, so that
`vacation london OR paris` wants vacation and one of the two (Google, Programmable Search JSON API, "Boolean OR
search"). AROUND(n) lets n words stand between. Unquoted words find their plurals and synonyms there, and only what
quotes hold is taken as it is here; docs/importing-queries.md tells people so. Pure; `translation` calls it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from worker.matching.foreign.draft import Close, Draft, Effect, Lost, Noted, Only, Place, Words, both, either, written
from worker.matching.foreign.grammar import read
from worker.matching.foreign.tokens import (
    Infix,
    Makers,
    Match,
    Token,
    absent,
    apart,
    before,
    between,
    closes,
    cut,
    nothing,
    opens,
    operand,
)
from worker.matching.lexer import DASHES, QUOTES
from worker.matching.stopwords import STOP_WORDS
from worker.matching.tree import Case
from worker.model import Field

_AND, _OR, _AROUND, _UNARY = range(1, 5)  # the later, the tighter

_FIELDS: Final = {
    "intitle": Field.TITLE,
    "allintitle": Field.TITLE,
    "inurl": Field.URL,
    "allinurl": Field.URL,
    "site": Field.URL,
    "source": Field.SOURCE,
    "author": Field.AUTHOR,
    "intext": None,
    "inbody": None,
    "allintext": None,
}
_LOST: Final = {
    "location": "nothing is known here of where a source sits",
    "loc": "nothing is known here of where a source sits",
    "before": "a topic has no dates: it looks at what comes in",
    "after": "a topic has no dates: it looks at what comes in",
    "daterange": "a topic has no dates: it looks at what comes in",
    "filetype": "all articles are of one kind here",
    "ext": "all articles are of one kind here",
    "inanchor": "links to an article are not looked at here",
    "allinanchor": "links to an article are not looked at here",
    "link": "links to an article are not looked at here",
    "related": "only words are looked at here",
    "cache": "only words are looked at here",
    "info": "only words are looked at here",
    "define": "only words are looked at here",
}
_SITE: Final = "these words in a row, anywhere in an article's address"
_SYNONYMS: Final = "inflections of a word, but no synonyms: name these with OR"

_COMMON: Final = "Google passes over so common a word; an acronym stands in capitals here (US, WHO)"

_TOKEN: Final = re.compile(
    rf"""
      (?P<space> \s+)
    | (?P<open> \()
    | (?P<close> \))
    | (?P<or> \||OR(?![^\s()|]))
    | (?P<and> AND(?![^\s()|]))
    | (?P<away> NOT(?![^\s()|]))
    | (?P<idle> (?:or|not)(?![^\s()|]))
    | (?P<around> (?i:AROUND)\s?\(\s*(?P<distance>\d{{1,4}})\s*\))
    | (?P<not> [{DASHES}]+(?=[^\s{DASHES}]))
    | (?P<lost> (?P<lost_name>(?i:{"|".join(_LOST)})):\s*(?:[{QUOTES}][^{QUOTES}]*[{QUOTES}]|\([^()]*\)|[^\s()|]+))
    | (?P<field> (?P<name>(?i:{"|".join(_FIELDS)})):\s*(?=[^\s)|]))
    | (?P<range> [$€£]?\d[\d.,]*\.\.[$€£]?\d[\d.,]*)
    | (?P<plus> \+(?=[^\s+]))
    | (?P<tilde> ~(?=[^\s~]))
    | [{QUOTES}](?P<phrase> [^{QUOTES}]*)[{QUOTES}]
    | (?P<word> [^\s()|{QUOTES}]+)
    """,
    re.VERBOSE,
)


def draft(query: str) -> Draft:
    """Read a query as Google Alerts would. Raises `QueryError`.

    >>> draft("korea missile OR rocket").children[1].children[1].text
    'rocket'
    """
    return read(cut(query, _TOKEN, _MAKERS), Infix(_AND, both))


def _around(match: Match, left: Draft, right: Draft) -> Draft:
    distance = int(match["distance"]) + 1
    return Close(left=left, right=right, distance=distance, is_ordered=False, at=match.start(), written=match[0])


def _restricted(match: Match) -> Token | None:
    goes_on = match["name"].lower().startswith("all")  # allintitle: takes all that follows
    return before(_AND if goes_on else _UNARY, _field)(match)


def _field(match: Match, child: Draft) -> Draft:
    name, at = match["name"].lower(), match.start()
    field = _FIELDS[name]
    if field is None:
        return child
    only = Only(places=(Place(field),), child=child, at=at, written=f"{name}:")
    if name != "site":
        return only
    return Noted(child=only, text=written("site:", child), at=at, effect=Effect.MORE, says=_SITE)


def _similar(match: Match, child: Draft) -> Draft:
    if isinstance(child, Words) and len(child.text.split()) == 1:
        child = replace(child, case=Case.INFLECTED)
    return Noted(child=child, text=written("~", child), at=match.start(), effect=Effect.LESS, says=_SYNONYMS)


def _away(match: Match, child: Draft) -> Draft:
    says = "taken for -, where Google passes over NOT"
    return Noted(child=absent(match, child), text=match[0], at=match.start(), effect=Effect.LESS, says=says)


def _idle(match: Match) -> Draft:
    why = "Google passes over it, unless it is in capitals"
    return Lost(text=match[0], at=match.start(), why=why, is_idle=True)


def _lost(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why=_LOST[match["lost_name"].lower()])


def _range(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why="numbers are looked for as they are written, not by size")


def _phrase(match: Match) -> Draft:
    return Words(text=match["phrase"].replace("?", " "), at=match.start())


def _word(match: Match) -> Draft:
    text, at = match[0], match.start()
    said = text.replace("?", " ").strip()
    if not said:
        return Lost(text=text, at=at, why="there is no word in it", is_idle=True)
    if said.isascii() and said.islower() and said in STOP_WORDS:
        return Lost(text=text, at=at, why=_COMMON, is_idle=said != "us")
    words = Words(text=said.removeprefix("*."), at=at)
    if "*" in words.text.rstrip("*"):
        return Noted(child=words, text=text, at=at, effect=Effect.OTHER, says="Google passes over a * inside a word")
    if words.text.rstrip("*") and words.text.endswith("*"):
        says = "every word that begins so; Google passes over the *"
        return Noted(child=words, text=text, at=at, effect=Effect.MORE, says=says)
    return words


_MAKERS: Final[Makers] = {
    "space": nothing,
    "open": opens,
    "close": closes,
    "or": between(_OR, either),
    "and": between(_AND, both),
    "around": apart(_AROUND, _around),
    "not": before(_UNARY, absent),
    "away": before(_UNARY, _away),
    "idle": operand(_idle),
    "tilde": before(_UNARY, _similar),
    "field": _restricted,
    "lost": operand(_lost),
    "range": operand(_range),
    "plus": nothing,
    "phrase": operand(_phrase),
    "word": operand(_word),
}
