"""A foreign query in, one of ours out, with all that was changed or lost on the way.

Decides what is true of every source: capitals mean something here that they meant nowhere else. The result is always
accepted by `parse`, or it is refused. Pure; `tocsin topics translate` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from worker.errors import QueryError
from worker.matching.canonical import canonical
from worker.matching.checks import MAX_CHARACTERS, check
from worker.matching.foreign import factiva, google, meltwater, nexis
from worker.matching.foreign.building import Builder
from worker.matching.foreign.draft import Draft, Effect, Fate, Finding, Lost, Only, Place, Words, both, spoken
from worker.matching.foreign.origin import Source
from worker.matching.parser import parse
from worker.matching.tree import Case, Node, Phrase, Term, walk
from worker.model import Field

_READERS: Final = MappingProxyType(
    {
        Source.GOOGLE: google.draft,
        Source.FACTIVA: factiva.draft,
        Source.MELTWATER: meltwater.draft,
        Source.NEXIS: nexis.draft,
    }
)

_REGION: Final = "nothing is known here of where a source sits"


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """One query in our language, in its canonical form, and what became of the pieces that were not simply kept.

    The findings are in the order of the foreign query.
    """

    query: str
    node: Node
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing that means anything was dropped."""
        return not any(one.fate is Fate.DROPPED and one.effect is not Effect.SAME for one in self.findings)


def translate(query: str, source: Source, *, lang: str = "", region: str = "") -> Translation:
    """Bring a query into our language. An alert's settings may restrict it to a `lang` and, which is lost, a `region`.

    Raises `QueryError`, with the offset in the foreign query, for what cannot be read or of which nothing is left.

    >>> translate("korea missile OR rocket site:example.com", Source.GOOGLE).query
    'korea AND (missile OR rocket) AND url:"example com"'
    """
    if len(query) > MAX_CHARACTERS:
        raise QueryError(
            f"the query is longer than {MAX_CHARACTERS:,} characters",
            offset=MAX_CHARACTERS,
            hint="cut it into several",
        )
    draft = _READERS[source](query)
    shouted = _is_shouted(draft)
    if lang:
        draft = both(draft, _language(lang, at=len(query)))
    if region:
        draft = both(draft, Lost(text=f"only from {region}", at=len(query), why=_REGION))
    builder = Builder()
    node = builder.tree(draft, is_shouted=shouted)
    check(node)
    ours = canonical(node)
    findings = sorted([*builder.findings, *_capitals(node)], key=lambda one: one.at)
    return Translation(query=ours, node=_parsed(ours), findings=tuple(dict.fromkeys(findings)))


def _parsed(ours: str) -> Node:
    try:
        return parse(ours)
    except QueryError as error:  # too long or too deep for us, wherever that may be in the foreign query
        raise QueryError(error.reason, offset=0, hint=error.hint) from error


def _language(lang: str, *, at: int) -> Draft:
    return Only(places=(Place(Field.LANG),), child=Words(text=lang, at=at), at=at, written="language")


def _is_shouted(draft: Draft) -> bool:
    """Tell whether a query is in capitals throughout, as some people write all of theirs."""
    texts = [
        words.text for words in spoken(draft) if any(map(str.isalpha, words.text)) and words.case is not Case.EXACT
    ]
    long = {word for text in texts for word in text.split() if len(word) > 3}
    return len(long) > 1 and all(text.isupper() for text in texts)


def _capitals(node: Node) -> list[Finding]:
    """Name the words that are now found in capitals only: elsewhere case says nothing."""
    found: dict[str, int] = {}
    for leaf in walk(node):
        if isinstance(leaf, Term | Phrase):
            for word in (leaf.word,) if isinstance(leaf, Term) else leaf.words:
                if word.case is Case.CAPITALS:
                    found.setdefault(word.key.upper(), leaf.at)
    if not found:
        return []
    says = "found in capitals only (from four letters on, one is enough); in lower case it finds both"
    return [Finding(min(found.values()), ", ".join(found), Fate.CHANGED, Effect.LESS, says)]
