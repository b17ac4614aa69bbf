"""Makes our tree of a foreign query's draft, and finds out what each piece that is lost does to the query.

Decides what is widened and what is narrowed: without one of several conditions a query finds more, without one of
several alternatives less, and inside a NOT it is the other way round. What loses all of its parts is lost itself. Pure;
`translation` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from worker.errors import QueryError
from worker.matching.canonical import canonical
from worker.matching.checks import MAX_DEPTH, MAX_PREFIXES, is_positive
from worker.matching.foreign import draft as foreign
from worker.matching.foreign.draft import Draft, Effect, Fate, Finding, Lost, Place
from worker.matching.foreign.naming import shortened
from worker.matching.foreign.wildcards import spell
from worker.matching.leaves import LeafText, leaf
from worker.matching.operands import check_counted, check_sides
from worker.matching.tree import And, AtLeast, Case, Leaf, Near, Node, Not, all_of, any_of
from worker.model import Field

GAP: Final = 4
"""How many words a * may stand for inside a phrase: enough for `"minister of foreign affairs and trade"`."""

FARTHEST: Final = 100
"""How far apart our language lets words be."""

_ANYWHERE: Final = (Place(),)
_LOWER_CASE: Final = (Field.LANG, Field.URL)  # in capitals they would be acronyms
_LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_SIGNED: Final = re.compile(r"\w[+#]")  # C++, C#
_OPPOSITE: Final = {Effect.MORE: Effect.LESS, Effect.LESS: Effect.MORE}

_Built: TypeAlias = Node | tuple[Lost, ...]
"""A piece of our tree, or all that was lost with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Here:
    """Where in its query a piece stands: the places it looks in, and whether an odd number of NOTs is around it."""

    places: tuple[Place, ...] = _ANYWHERE
    is_negated: bool = False
    is_shouted: bool = False


@dataclass(kw_only=True, slots=True)
class Builder:
    """Makes one query's tree; `findings` grows by what became of its pieces."""

    findings: list[Finding] = field(default_factory=list)
    prefixes: int = 0

    def tree(self, draft: Draft, *, is_shouted: bool = False) -> Node:
        """Return the tree of a whole draft. Raises `QueryError` if nothing of it is left."""
        built = self._build(draft, _Here(is_shouted=is_shouted))
        if isinstance(built, tuple):
            pieces = shortened(", ".join(lost.text for lost in built))
            raise QueryError(f"nothing of it can be carried over: {pieces}", offset=built[0].at, hint=built[0].why)
        return built

    def _build(self, draft: Draft, here: _Here) -> _Built:
        built: _Built
        match draft:
            case foreign.Words():
                built = self._words(draft, here)
            case Lost():
                built = (draft,)
            case foreign.Noted():
                built = self._noted(draft, here)
            case foreign.All():
                built = self._all(draft, here)
            case foreign.Any():
                built = self._any(draft, here)
            case foreign.Without():
                built = self._without(draft, here)
            case foreign.Close():
                built = self._close(draft, here)
            case foreign.Often():
                built = self._often(draft, here)
            case foreign.Only():
                built = self._only(draft, here)
        return built

    def _all(self, draft: foreign.All, here: _Here) -> _Built:
        kept, lost = self._parted(draft.children, here)
        if not kept:
            return lost
        self._drop(lost, Effect.MORE, here)
        return all_of(tuple(dict.fromkeys(kept)), at=kept[0].at)

    def _any(self, draft: foreign.Any, here: _Here) -> _Built:
        kept, lost = self._parted(draft.children, here)
        wanted = tuple(node for node in kept if is_positive(node))
        lost += tuple(
            Lost(text=canonical(node), at=node.at, why="NOT cannot be one of several alternatives here")
            for node in kept
            if not is_positive(node)
        )
        if not wanted:
            return lost
        self._drop(lost, Effect.LESS, here)
        return any_of(tuple(dict.fromkeys(wanted)), at=wanted[0].at)

    def _parted(self, drafts: tuple[Draft, ...], here: _Here) -> tuple[tuple[Node, ...], tuple[Lost, ...]]:
        built = [self._build(draft, here) for draft in drafts]
        kept = tuple(one for one in built if not isinstance(one, tuple))
        return kept, tuple(lost for one in built if isinstance(one, tuple) for lost in one)

    def _without(self, draft: foreign.Without, here: _Here) -> _Built:
        built = self._build(draft.child, replace(here, is_negated=not here.is_negated))
        match built:
            case tuple():
                return built
            case Not():
                return built.child
            case And() if not is_positive(built):  # not (not a, not b) is a or b
                return any_of(tuple(child.child for child in built.children if isinstance(child, Not)), at=draft.at)
            case _:
                return Not(child=built, at=draft.at)

    def _close(self, draft: foreign.Close, here: _Here) -> _Built:
        kept, lost = self._parted((draft.left, draft.right), here)
        if not kept:
            return lost
        self._drop(lost, Effect.MORE, here)
        if len(kept) == 1:
            return kept[0]
        left, right = kept
        distance = min(draft.distance, FARTHEST)
        if distance < draft.distance:
            self._change(draft.at, draft.written, Effect.LESS, f"within {FARTHEST} words, the most there is here", here)
        near = Near(left=left, right=right, distance=distance, is_ordered=draft.is_ordered, at=left.at)
        try:
            return check_sides(near, "NEAR")
        except QueryError:
            says = "both must be there, but anywhere: a side is no word, or they look in different places"
            self._change(draft.at, draft.written or "side by side", Effect.MORE, says, here)
            return all_of(kept, at=left.at)

    def _often(self, draft: foreign.Often, here: _Here) -> _Built:
        built = self._build(draft.child, here)
        if isinstance(built, tuple) or draft.count < 2:
            return built
        try:
            return AtLeast(count=draft.count, child=check_counted(built, "ATLEAST"), at=draft.at)
        except QueryError:
            says = "once is enough: only words and alternatives can be counted here"
            self._change(draft.at, draft.written, Effect.MORE, says, here)
            return built

    def _only(self, draft: foreign.Only, here: _Here) -> _Built:
        if here.places != _ANYWHERE:
            return self._build(draft.child, here) if draft.places == here.places else self._inner(draft, here)
        return self._build(draft.child, replace(here, places=draft.places))

    def _inner(self, draft: foreign.Only, here: _Here) -> _Built:
        self._change(draft.at, draft.written, Effect.OTHER, "inside another field only this one counts", here)
        return self._build(draft.child, replace(here, places=draft.places))

    def _noted(self, draft: foreign.Noted, here: _Here) -> _Built:
        built = self._build(draft.child, here)
        if not isinstance(built, tuple) or draft.effect is Effect.SAME:
            self._change(draft.at, draft.text, draft.effect, draft.says, here)
        return built

    def _words(self, draft: foreign.Words, here: _Here) -> _Built:
        text = draft.text
        if here.is_shouted and draft.case is Case.ANY:
            text = _LONG_WORD.sub(lambda word: word[0].lower(), text)
        return self._row(draft, text, here) if "*" in text or "?" in text else self._spelled(draft, text, here)

    def _row(self, draft: foreign.Words, text: str, here: _Here) -> _Built:
        """Build words with wildcards: pieces one after the other, with gaps where a * stood alone."""
        near: Node | None = None
        for number, (gap, chunk) in enumerate(_chunks(text)):
            if number > MAX_DEPTH:
                raise QueryError(
                    f"more than {MAX_DEPTH} wildcards in a phrase", offset=draft.at, hint="cut it into several"
                )
            piece = replace(draft, text=chunk)
            word = self._spelled(piece, chunk, here) if " " in chunk else self._wild(piece, chunk, here)
            if isinstance(word, tuple):
                return (replace(word[0], text=draft.text),)
            near = self._behind(near, word, gap, draft, here) if near else word
        return near or (Lost(text=draft.text, at=draft.at, why="a * alone says nothing", is_idle=True),)

    def _behind(self, near: Node, word: Node, gap: int, draft: foreign.Words, here: _Here) -> Node:
        if gap:
            says = f"a * between words stands for up to {GAP} words here, or none"
            self._change(draft.at, draft.text, Effect.OTHER, says, here)
        distance = min(1 + GAP * gap, FARTHEST)
        return Near(left=near, right=word, distance=distance, is_ordered=True, at=draft.at)

    def _wild(self, draft: foreign.Words, word: str, here: _Here) -> _Built:
        spelled = spell(word)
        if not spelled.spellings:
            return (Lost(text=word, at=draft.at, why=spelled.says),)
        built = [self._spelled(draft, spelling, here) for spelling in spelled.spellings]
        kept = tuple(one for one in built if not isinstance(one, tuple))
        if not kept:
            return next(one for one in built if isinstance(one, tuple))
        if spelled.says:
            self._change(draft.at, word, spelled.effect, spelled.says, here)
        return any_of(kept, at=draft.at)

    def _spelled(self, draft: foreign.Words, text: str, here: _Here) -> _Built:
        if text.endswith("*"):
            draft, text = self._counted(draft, text, here)
        if _SIGNED.search(text):
            self._change(draft.at, draft.text, Effect.MORE, "a + or # behind a word is no part of it here", here)
        try:
            return any_of(tuple(_leaf(draft, text, place) for place in here.places), at=draft.at)
        except QueryError as error:
            is_idle = not any(map(str.isalnum, draft.text))
            return (Lost(text=draft.text or '""', at=draft.at, why=error.reason, is_idle=is_idle),)

    def _counted(self, draft: foreign.Words, text: str, here: _Here) -> tuple[foreign.Words, str]:
        """Let a prefix be one while there are not too many of them; its inflections must do for a later one."""
        self.prefixes += len(here.places)
        if self.prefixes <= MAX_PREFIXES:
            return draft, text
        word = text.rstrip("*")
        is_one = word.isalpha()
        what = "inflections" if is_one else "the word itself"
        says = f"{what} only: a query may have {MAX_PREFIXES} prefixes"
        self._change(draft.at, draft.text, Effect.LESS, says, here)
        return replace(draft, case=Case.INFLECTED if is_one else draft.case), word

    def _drop(self, lost: tuple[Lost, ...], effect: Effect, here: _Here) -> None:
        for one in lost:
            self._tell(Finding(one.at, one.text, Fate.DROPPED, Effect.SAME if one.is_idle else effect, one.why), here)

    def _change(self, at: int, text: str, effect: Effect, says: str, here: _Here) -> None:
        self._tell(Finding(at, text, Fate.CHANGED, effect, says), here)

    def _tell(self, finding: Finding, here: _Here) -> None:
        effect = _OPPOSITE.get(finding.effect, finding.effect) if here.is_negated else finding.effect
        self.findings.append(finding._replace(effect=effect))


def _chunks(phrase: str) -> Iterator[tuple[int, str]]:
    """Cut a phrase behind every wildcard, and count the lone * before each part.

    >>> list(_chunks("the wom?n of new york* state * * said *"))
    [(0, 'the'), (0, 'wom?n'), (0, 'of new york*'), (0, 'state'), (2, 'said')]
    """
    gap, words = 0, list[str]()
    for word in phrase.split():
        is_gap = not word.strip("*")
        is_wild = is_gap or "?" in word or "*" in word.rstrip("*")
        if is_wild and words:
            yield gap, " ".join(words)
            gap, words = 0, []
        if is_gap:
            gap += 1
            continue
        words.append(word)
        if is_wild or word.endswith("*"):
            yield gap, " ".join(words)
            gap, words = 0, []
    if words:
        yield gap, " ".join(words)


def _leaf(draft: foreign.Words, text: str, place: Place) -> Leaf:
    said = text.lower() if place.field in _LOWER_CASE else text
    return leaf(LeafText(said, draft.at, draft.at, draft.case, place.field, place.within))
