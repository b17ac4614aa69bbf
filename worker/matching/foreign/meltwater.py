"""Meltwater's Boolean syntax, read into a draft.

Decides what Meltwater's operators mean: NOT binds tighter than AND, that tighter than OR (Meltwater, "The Boolean
touch"); NEAR/n lets n words stand between, NEAR alone four ("How to master Boolean search"). Operators may be in lower
case. Pure; `translation` calls it.
"""

from __future__ import annotations

import re
from typing import Final

from worker.matching.foreign.draft import (
    Close,
    Draft,
    Effect,
    Lost,
    Noted,
    Only,
    Place,
    Words,
    both,
    either,
    offset,
    reworded,
    spoken,
    written,
)
from worker.matching.foreign.grammar import read
from worker.matching.foreign.tokens import (
    Infix,
    Makers,
    Match,
    absent,
    apart,
    before,
    behind,
    between,
    closes,
    cut,
    minus,
    nothing,
    opens,
    operand,
)
from worker.matching.lexer import DASHES, QUOTES
from worker.matching.tree import Case
from worker.model import Field

_OR, _AND, _NOT, _NEAR, _FIELD = range(1, 6)  # the later, the tighter

LEAD: Final = 50
"""How many of the body's words an ingress has."""

_DEFAULT_GAP: Final = 4
_INGRESS: Final = (Place(Field.SUMMARY), Place(Field.BODY, LEAD))
_LANG: Final = (Place(Field.LANG),)
_URL: Final = (Place(Field.URL),)
_FIELDS: Final = {
    **dict.fromkeys(("title", "headline", "body.title.text"), (Place(Field.TITLE),)),
    **dict.fromkeys(("ingress", "body.ingress.text"), _INGRESS),
    **dict.fromkeys(("body", "text", "content", "body.content.text"), (Place(Field.BODY),)),
    **dict.fromkeys(("source", "sourcename", "metadata.source.name"), (Place(Field.SOURCE),)),
    **dict.fromkeys(("author", "byline", "metadata.authors.authorinfo.rawname"), (Place(Field.AUTHOR),)),
    **dict.fromkeys(("language", "lang", "enrichments.languagecode"), _LANG),
    **dict.fromkeys(("site", "url", "inurl", "domain", "metadata.url"), _URL),
}
_SAYS: Final = {
    _INGRESS: (Effect.OTHER, f"looks in the summary and the body's first {LEAD} words"),
    _URL: (Effect.MORE, "these words in a row, anywhere in an article's address"),
}
_LANGUAGES: Final = {
    "arabic": "ar",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}
_WORD_TOO: Final = "the word without its sign as well"
_LOST: Final = {
    "country": "nothing is known here of where a source sits",
    "region": "nothing is known here of where a source sits",
    "sentiment": "articles have no sentiment here",
    "reach": "nothing is known here of how many people a source reaches",
}
_END: Final = r"(?![^\s()])"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space> \s+)
    | (?P<open> \()
    | (?P<close> \))
    | (?P<or> (?i:or){_END})
    | (?P<and> (?i:and){_END})
    | (?P<not> (?i:not){_END})
    | (?P<minus> [{DASHES}]+(?=[^\s{DASHES}]))
    | (?P<near> (?P<ordered>(?i:o))? (?:(?i:near)/(?P<gap>\d{{1,3}})|NEAR) {_END})
    | (?P<boost> \^\d+(?:\.\d+)?)
    | (?P<field> (?P<name>[^\W\d][\w.]*):(?=[^\s)]) (?!//))
    | \{{(?P<exact> [^{{}}]*)\}}
    | [{QUOTES}](?P<phrase> [^{QUOTES}]*)[{QUOTES}]
    | (?P<tag> [#@](?=\w)[^\s(){{}}^{QUOTES}]+)
    | (?P<word> [^\s(){{}}^{QUOTES}]+ | [{{}}^]+)
    """,
    re.VERBOSE,
)


def draft(query: str) -> Draft:
    """Read a query as Meltwater would. Raises `QueryError`.

    >>> draft('apple NEAR/10 "watch"').distance
    11
    """
    return read(cut(query, _TOKEN, _MAKERS), Infix(_AND, _unjoined))


def _unjoined(left: Draft, right: Draft) -> Draft:
    first = next(spoken(right), None)
    says = "no operator stands before it: taken for AND"
    text = first.text if first else ""
    return both(left, Noted(child=right, text=text, at=offset(right), effect=Effect.OTHER, says=says))


def _near(match: Match, left: Draft, right: Draft) -> Draft:
    return Close(
        left=left,
        right=right,
        distance=int(match["gap"] or _DEFAULT_GAP) + 1,
        is_ordered=match["ordered"] is not None,
        at=match.start(),
        written=match[0],
    )


def _boosted(match: Match, child: Draft) -> Draft:
    says = "only says what to show first; nothing is found more or less"
    return Noted(child=child, text=match[0], at=match.start(), effect=Effect.SAME, says=says)


def _field(match: Match, child: Draft) -> Draft:
    name, text, at = match["name"].lower(), match[0], match.start()
    places = _FIELDS.get(name)
    if name == "hashtag":
        return Noted(child=child, text=written(text, child), at=at, effect=Effect.MORE, says=_WORD_TOO)
    if places is None:
        return Lost(text=written(text, child), at=at, why=_LOST.get(name, "articles have no such field here"))
    if places == _LANG:
        child = reworded(child, lambda word: _LANGUAGES.get(word.lower(), word))
    only = Only(places=places, child=child, at=at, written=text)
    if places not in _SAYS:
        return only
    effect, says = _SAYS[places]
    return Noted(child=only, text=written(text, child), at=at, effect=effect, says=says)


def _exact(match: Match) -> Draft:
    return Words(text=match["exact"], at=match.start(), case=Case.EXACT)


def _tag(match: Match) -> Draft:
    words = Words(text=match[0][1:], at=match.start())
    return Noted(child=words, text=match[0], at=match.start(), effect=Effect.MORE, says=_WORD_TOO)


def _phrase(match: Match) -> Draft:
    return Words(text=match["phrase"], at=match.start())


def _word(match: Match) -> Draft:
    return Words(text=match[0], at=match.start())


_MAKERS: Final[Makers] = {
    "space": nothing,
    "open": opens,
    "close": closes,
    "or": between(_OR, either),
    "and": between(_AND, both),
    "not": before(_NOT + 1, absent, Infix(_NOT, both)),
    "minus": before(_FIELD, minus, Infix(_NOT, both)),
    "near": apart(_NEAR, _near),
    "boost": behind(_NEAR, _boosted),
    "field": before(_FIELD, _field),
    "exact": operand(_exact),
    "phrase": operand(_phrase),
    "tag": operand(_tag),
    "word": operand(_word),
}
