"""Nexis's terms and connectors, read into a draft.

Decides what the connectors mean, and in which order they bind: phrase, `or`, `w/n pre/n`, `w/s`, `w/p`, `and`, and last
`and not` (LexisNexis, "Connector order and priority"). Pure; `translation` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

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
    but_not,
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

_AND_NOT, _AND, _PARAGRAPH, _SENTENCE, _NEAR, _OR, _ADJACENT, _COMMAND = range(1, 9)  # the later, the tighter

SENTENCE: Final = 25
PARAGRAPH: Final = 75
"""How many words apart words of one sentence and of one paragraph may be: LexisNexis's own advice for near/n."""

LEAD: Final = 100
"""How many of the body's words a lead has."""

_LEAD: Final = (Place(Field.SUMMARY), Place(Field.BODY, LEAD))
_SEGMENTS: Final = {
    "headline": (Place(Field.TITLE),),
    "hlead": (Place(Field.TITLE), *_LEAD),
    "lead": _LEAD,
    "body": (Place(Field.BODY),),
    "byline": (Place(Field.AUTHOR),),
    "author": (Place(Field.AUTHOR),),
    "publication": (Place(Field.SOURCE),),
    "pub": (Place(Field.SOURCE),),
    "section": (Place(Field.SECTION),),
    "language": (Place(Field.LANG),),
}
_LANGUAGES: Final = {"english": "en", "french": "fr", "german": "de", "spanish": "es", "korean": "ko", "japanese": "ja"}
_CASES: Final[Mapping[str, Callable[[str], str]]] = {"allcaps": str.upper, "nocaps": str.lower, "caps": str}
_NUMBER: Final = {"plural", "singular"}
_TERMS: Final = "Nexis's index terms are not known here: name what it stands for in words"
_WHERE: Final = "nothing is known here of where an article was written"
_LOST: Final = {
    **dict.fromkeys(
        ("term", "terms", "subject", "company", "organization", "person", "geographic", "industry", "ticker"), _TERMS
    ),
    **dict.fromkeys(("city", "country", "state", "dateline"), _WHERE),
}
_COMMANDS: Final = "|".join([*_SEGMENTS, *_CASES, *_NUMBER, *_LOST])

_END: Final = r"(?![^\s()])"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space> \s+)
    | (?P<open> \()
    | (?P<close> \))
    | (?P<size> length\s*[<>=]+\s*\d+)
    | (?P<dates> date\s*(?:[<>=]+|\s(?:aft|bef|after|before|is)\s)\s*[^\s()]+)
    | (?P<far> (?:and\s+)?not\s+(?:w?/\s?\d{{1,3}}|w?/(?:sent|seg|para|p|s)){_END})
    | (?P<but> and\s+not{_END})
    | (?P<and> and{_END})
    | (?P<or> or{_END})
    | (?P<not> not{_END})
    | (?P<minus> [{DASHES}]+(?=[^\s{DASHES}]))
    | (?P<sentence> w?/(?:sent|s){_END})
    | (?P<paragraph> w?/(?:para|p|seg){_END})
    | (?P<near> (?:(?P<ordered>pre|onear|\+)|near|w)?\s?/\s?(?P<apart>\d{{1,3}}){_END})
    | (?P<often> atleast(?P<count>\d{{1,3}})\s?(?=\())
    | (?P<command> (?P<name>{_COMMANDS})\s?(?=\())
    | [{QUOTES}](?P<phrase> [^{QUOTES}]*)[{QUOTES}]
    | (?P<word> [^\s(){QUOTES}]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def draft(query: str) -> Draft:
    """Read a query as Nexis would. Raises `QueryError`.

    >>> draft("doctor or physician w/5 malpractice").left.children[1].text
    'physician'
    """
    return read(cut(query, _TOKEN, _MAKERS), Infix(_ADJACENT, side_by_side))


def _far(match: Match, left: Draft, right: Draft) -> Draft:
    why = "that words are apart cannot be asked for here, and NOT would want them away altogether"
    return both(left, Lost(text=written(f"{match[0]} ", right), at=match.start(), why=why))


def _sentence(match: Match, left: Draft, right: Draft) -> Draft:
    return _within(match, left, right, SENTENCE, "sentence")


def _paragraph(match: Match, left: Draft, right: Draft) -> Draft:
    return _within(match, left, right, PARAGRAPH, "paragraph")


def _within(match: Match, left: Draft, right: Draft, distance: int, piece: str) -> Draft:
    close = _close(match, left, right, distance)
    return _noted(close, match, Effect.OTHER, f"within {distance} words of each other, for in one {piece}")


def _near(match: Match, left: Draft, right: Draft) -> Draft:
    return _close(match, left, right, max(1, int(match["apart"])), is_ordered=match["ordered"] is not None)


def _close(match: Match, left: Draft, right: Draft, distance: int, *, is_ordered: bool = False) -> Draft:
    return Close(left=left, right=right, distance=distance, is_ordered=is_ordered, at=match.start(), written=match[0])


def _noted(child: Draft, match: Match, effect: Effect, says: str) -> Draft:
    return Noted(child=child, text=match[0].strip(), at=match.start(), effect=effect, says=says)


def _often(match: Match, child: Draft) -> Draft:
    return Often(count=int(match["count"]), child=child, at=match.start(), written=match[0].strip())


def _command(match: Match, child: Draft) -> Draft:
    name, text, at = match["name"].lower(), match[0].strip(), match.start()
    if name in _LOST:
        return Lost(text=f"{text}({written('', child).strip('()')})", at=at, why=_LOST[name])
    if name in _NUMBER:
        return _noted(child, match, Effect.OTHER, "the word as it is written, wherever it stands")
    if name in _CASES:
        return _cased(name, match, child)
    if name == "language":
        child = reworded(child, lambda word: _LANGUAGES.get(word.lower(), word))
    only = Only(places=_SEGMENTS[name], child=child, at=at, written=text)
    if len(only.places) == 1:
        return only
    return _noted(only, match, Effect.OTHER, f"the lead is the summary and the body's first {LEAD} words")


def _cased(name: str, match: Match, child: Draft) -> Draft:
    if not isinstance(child, Words):
        return _noted(child, match, Effect.MORE, "in any case: only a word or a phrase can be asked for in one case")
    exact = Words(text=_CASES[name](child.text), at=child.at, case=Case.EXACT)
    return _noted(exact, match, Effect.LESS, "exactly as it is written") if name == "caps" else exact


def _size(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why="articles are not chosen by their length here")


def _dates(match: Match) -> Draft:
    return Lost(text=match[0], at=match.start(), why="a topic has no dates: it looks at what comes in")


def _phrase(match: Match) -> Draft:
    return Words(text=_wild(match["phrase"]), at=match.start())


def _word(match: Match) -> Draft:
    return Words(text=_wild(match[0]), at=match.start())


def _wild(text: str) -> str:
    """Write Nexis's wildcards in ours: `!` is any ending, `*` inside a word one letter.

    >>> _wild("child! wom*n stor*")
    'child* wom?n stor*'
    """
    return re.sub(r"\*(?=\w)", "?", text.replace("!", "*"))


_MAKERS: Final[Makers] = {
    "space": nothing,
    "open": opens,
    "close": closes,
    "size": operand(_size, Infix(_AND, both)),
    "dates": operand(_dates, Infix(_AND, both)),
    "far": apart(_NEAR, _far),
    "but": between(_AND_NOT, but_not),
    "and": between(_AND, both),
    "or": between(_OR, either),
    "not": before(_AND_NOT + 1, absent, Infix(_AND_NOT, both)),
    "minus": before(_COMMAND, minus, Infix(_AND_NOT, both)),
    "sentence": apart(_SENTENCE, _sentence),
    "paragraph": apart(_PARAGRAPH, _paragraph),
    "near": apart(_NEAR, _near),
    "often": before(_COMMAND, _often),
    "command": before(_COMMAND, _command),
    "phrase": operand(_phrase),
    "word": operand(_word),
}
