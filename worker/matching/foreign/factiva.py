"""Factiva's traditional search syntax, read into a draft.

Decides what Factiva's operators mean, and in which order they bind: phrase, then `same adjN w/N nearN /Nn/ /Fn/`, then
`atleastN` and fields, then `not`, `and`, `or` (Factiva Developer's Kit, "Search Statement Operators" and "Examples";
ProQuest's Factiva tips). Words side by side are a phrase, unless a field is written with a colon: then the query is in
the Unified Query Language, where both must be there. All operators may be in lower case. Pure; `translation` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from worker.matching.foreign.draft import (
    Close,
    Draft,
    Effect,
    Lost,
    Noted,
    Often,
    Only,
    Place,
    Words,
    both,
    either,
    reworded,
    side_by_side,
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
from worker.model import Field

_OR, _AND, _NOT, _FIELD, _NEAR, _ADJACENT = range(1, 7)  # the later, the tighter

PARAGRAPH: Final = 50
"""How many words apart words of one paragraph may be."""

LEAD: Final = 100
"""How many words the first two paragraphs have."""


class _Known(NamedTuple):
    places: tuple[Place, ...]
    effect: Effect = Effect.SAME
    says: str = ""


_LEAD: Final = (Place(Field.SUMMARY), Place(Field.BODY, LEAD))
_FIELDS: Final[Mapping[str, _Known]] = MappingProxyType(
    {
        "hd": _Known((Place(Field.TITLE),)),
        "hl": _Known((Place(Field.TITLE), Place(Field.SECTION)), Effect.OTHER, "looks in title and section"),
        "hlp": _Known(
            (Place(Field.TITLE), *_LEAD),
            Effect.OTHER,
            f"looks in title, summary and the body's first {LEAD} words, for two paragraphs",
        ),
        "lp": _Known(
            _LEAD, Effect.OTHER, f"looks in the summary and the body's first {LEAD} words, for two paragraphs"
        ),
        "td": _Known((Place(Field.BODY),), Effect.MORE, "looks in the whole body, the first paragraphs included"),
        "by": _Known((Place(Field.AUTHOR),)),
        "sn": _Known((Place(Field.SOURCE),)),
        "pub": _Known((Place(Field.SOURCE),), Effect.OTHER, "looks in the source's name, not its publisher's"),
        "se": _Known((Place(Field.SECTION),)),
        "clm": _Known((Place(Field.SECTION),), Effect.OTHER, "looks in the section's name, not the column's"),
        "la": _Known((Place(Field.LANG),)),
    }
)
_DATES: Final = "a topic has no dates: it looks at what comes in"
_CODES: Final = "Factiva's codes are not known here: name what it stands for in words, or another topic with @"
_LOST: Final = {
    **dict.fromkeys(("rst", "sc", "co", "fds", "ric", "in", "ns", "re", "de", "dn", "ipc", "ipd", "pe"), _CODES),
    **dict.fromkeys(("pd", "md", "et", "ud", "upd"), _DATES),
}

_END: Final = r"(?![^\s()\[\]])"
_DATE: Final = r"[^\s()\[\]]+"
_LAST: Final = rf"last\s+(?:\d+\s+(?=[dwmy]))?{_DATE}"  # last week, last 30 days
_SPAN: Final = rf"from\s+{_DATE}\s+to\s+{_DATE}|(?:after|before|on|from|to)\s+{_DATE}|{_LAST}|[-+]?\d[\d/]*{_END}"
_NAMES: Final = "|".join([*_FIELDS, *_LOST])
_TOKEN: Final = re.compile(
    rf"""
      (?P<space> \s+)
    | (?P<open> [(\[])
    | (?P<close> [)\]])
    | (?P<dates> (?:date|upd) (?: \s+(?:{_SPAN}) | :[<>=]*{_DATE} ) )
    | (?P<size> wc\s*+(?::\s*+)?[<>=]+\s*\d+ (?:\s*-\s*\d+)?)
    | (?P<or> or{_END})
    | (?P<and> and{_END})
    | (?P<not> not{_END})
    | (?P<minus> [{DASHES}]+(?=[^\s{DASHES}]))
    | (?P<same> same{_END})
    | (?P<ordered> (?:adj(?P<adjacent>\d{{0,3}})|w/\s?(?P<within>\d{{1,3}})){_END})
    | (?P<near> near(?P<apart>\d{{0,3}}){_END} | /N(?P<slashed>\d{{1,3}})/)
    | (?P<first> /F(?P<words>\d{{1,3}})/)
    | (?P<often> atleast(?P<count>\d{{1,3}}){_END})
    | (?P<field> (?P<name>[a-z]{{2,5}})= | (?P<unified>{_NAMES}):(?=[^\s)\]]) )
    | (?P<gap> %{_END}(?:\s+%{_END})*)
    | [{QUOTES}](?P<phrase> [^{QUOTES}]*)[{QUOTES}]
    | (?P<word> (?:(?!/[NF]\d+/)[^\s()\[\]{QUOTES}])+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNIFIED: Final = re.compile(rf"(?<!\w)(?:{_NAMES}):\S", re.IGNORECASE)
_ENDING: Final = re.compile(r"\$\d?")


def draft(query: str) -> Draft:
    """Read a query as Factiva would. Raises `QueryError`.

    >>> draft("bill clinton or gore and george bush").children[1].children[1].text
    'george bush'
    """
    side = Infix(_AND, both) if _UNIFIED.search(query) else Infix(_ADJACENT, side_by_side)
    return read(cut(query, _TOKEN, _MAKERS), side)


def _same(match: Match, left: Draft, right: Draft) -> Draft:
    says = f"within {PARAGRAPH} words of each other, for in one paragraph"
    return _noted(_close(match, left, right, PARAGRAPH), match, Effect.OTHER, says)


def _ordered(match: Match, left: Draft, right: Draft) -> Draft:
    distance = int(match["adjacent"] or match["within"] or 1)
    return _close(match, left, right, distance, is_ordered=True) if distance > 1 else side_by_side(left, right)


def _near(match: Match, left: Draft, right: Draft) -> Draft:
    return _close(match, left, right, int(match["apart"] or match["slashed"] or 1))


def _gap(match: Match, left: Draft, right: Draft) -> Draft:
    close = _close(match, left, right, match[0].count("%") + 1, is_ordered=True)
    return _noted(close, match, Effect.MORE, "as many words between as there are %, or fewer")


def _close(match: Match, left: Draft, right: Draft, distance: int, *, is_ordered: bool = False) -> Draft:
    return Close(
        left=left,
        right=right,
        distance=max(1, distance),
        is_ordered=is_ordered,
        at=match.start(),
        written=match[0],
    )


def _noted(child: Draft, match: Match, effect: Effect, says: str) -> Draft:
    return Noted(child=child, text=match[0], at=match.start(), effect=effect, says=says)


def _often(match: Match, child: Draft) -> Draft:
    return Often(count=int(match["count"]), child=child, at=match.start(), written=match[0])


def _first(match: Match, child: Draft) -> Draft:
    count = int(match["words"])
    only = Only(places=(Place(None, max(1, count)),), child=child, at=match.start(), written=match[0])
    return _noted(only, match, Effect.OTHER, f"in the body's first {count} words, or anywhere in the title")


def _field(match: Match, child: Draft) -> Draft:
    name, text, at = (match["name"] or match["unified"]).lower(), match[0], match.start()
    known = _FIELDS.get(name)
    if known is None:
        return Lost(text=written(text, child), at=at, why=_LOST.get(name, "articles have no such field here"))
    if name == "la":
        child = reworded(child, _language)
    only = Only(places=known.places, child=child, at=at, written=text)
    if not known.says:
        return only
    return Noted(child=only, text=written(text, child), at=at, effect=known.effect, says=known.says)


def _language(code: str) -> str:
    return "zh" if code.lower().startswith("zh") else code  # zhcn, zhtw


def _dates(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why=_DATES)


def _size(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why="articles are not chosen by their length here")


def _phrase(match: Match) -> Draft:
    return _truncated(match["phrase"], match)


def _word(match: Match) -> Draft:
    return _truncated(match[0].strip("'‘’"), match)


def _truncated(text: str, match: Match) -> Draft:
    words = Words(text=_ENDING.sub("*", text), at=match.start())
    if not _ENDING.search(text):
        return words
    return _noted(words, match, Effect.MORE, "any ending, of any length")


_MAKERS: Final[Makers] = {
    "space": nothing,
    "open": opens,
    "close": closes,
    "dates": operand(_dates, Infix(_AND, both)),
    "size": operand(_size, Infix(_AND, both)),
    "or": between(_OR, either),
    "and": between(_AND, both),
    "not": before(_NOT + 1, absent, Infix(_NOT, both)),
    "minus": before(_ADJACENT + 1, minus, Infix(_NOT, both)),
    "same": apart(_NEAR, _same),
    "ordered": apart(_NEAR, _ordered),
    "near": apart(_NEAR, _near),
    "first": behind(_NEAR, _first),
    "often": before(_FIELD, _often, Infix(_AND, both)),
    "field": before(_FIELD, _field, Infix(_AND, both)),
    "gap": apart(_ADJACENT, _gap),
    "phrase": operand(_phrase),
    "word": operand(_word),
}
