"""Says in a reader's own language what a query asks for, so that they can see whether it is what they mean.

Decides the wording of every construct of the query language; reads and stores nothing. Pure: the caller's `Tongue`
translates. The pages call it beside the box in which a query is typed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from worker.matching.checks import idle_words
from worker.matching.leaves import letters
from worker.matching.spelling import from_keys, spelled
from worker.matching.tree import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Leaf,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    leaves,
    walk,
)
from worker.model import Field

_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_ISOLATE: Final = "\u2068%s\u2069"  # what is between the two turns no word around them (UAX 9)
_OPERATORS: Final = ("and", "or", "not")
_SHORT: Final = 4  # letters; below, a word in capitals is found in capitals only


class Tongue(Protocol):
    """One language; `worker.rendering.language.Language` is one."""

    def gettext(self, message: str) -> str:
        """Translate a sentence."""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a sentence that has a number in it."""

    def listing(self, words: Iterable[str]) -> str:
        """Join words as a sentence does: "A, B, and C"."""

    def either(self, words: Iterable[str]) -> str:
        """Join words of which one is enough: "A, B, or C"."""


class _Place(NamedTuple):
    """Where in an article a word must stand; nowhere in particular is `None` and 0."""

    scope: Field | None
    within: int


_ANYWHERE: Final = _Place(None, 0)


def in_plain_words(node: Node, language: Tongue, *, query: str = "", topics: Mapping[str, str] | None = None) -> str:
    """Return what a query asks for, fit to stand after "stories with".

    `query` is the text that `node` was read from, so that words are told as they were typed; `topics` has the names of
    topics by slug. Brackets stand where without them it could be read in two ways.

    >>> from worker.matching.parser import parse
    >>> from worker.rendering.language import Languages
    >>> from worker.resources import templates_dir
    >>> english = Languages(templates_dir() / "locales").best("en")
    >>> def say(text: str) -> None:
    ...     print(in_plain_words(parse(text), english, query=text, topics={"oman": "Oman"}))
    >>> say('"North Korea" missile -film')
    “North Korea” and “missile”, but not “film”
    >>> say("title:(kim OR 김정은) @oman -(tv OR radio)")
    (“kim” or “김정은”) in the headline and the topic Oman, but not “tv” or “radio”
    >>> say("US OR =Turkey OR ~missile OR nav*")
    “US” in capital letters, “Turkey” exactly as written, “missile” in any form, or a word that begins with “nav”
    >>> say("kim NEAR/5 trump ATLEAST/3 summit")
    (“kim” and “trump” at most 5 words apart) and “summit” at least 3 times
    >>> say("kim ANY/2 (oslo, rome, lima)")
    “kim” and (at least 2 of these: “oslo”, “rome”, and “lima”)
    >>> say("FIRST/50 (quake ONEAR/1 relief)")
    (“quake” and then “relief”, at most 1 word apart) in the headline or the first 50 words
    >>> say('"north kor*" lang:ko'), say("oman OR (iran -film)")
    a phrase that begins with “north kor” and “ko” as its language
    “oman” or (“iran”, but not “film”)
    (None, None)
    """
    return _Speech(language, query, topics or {}).of(node, _ANYWHERE)


def slips(node: Node, language: Tongue) -> tuple[str, ...]:
    """Say what in a query may not mean what its author thinks, though it is allowed.

    >>> from worker.matching.parser import parse
    >>> from worker.rendering.language import Languages
    >>> from worker.resources import templates_dir
    >>> english = Languages(templates_dir() / "locales").best("en")
    >>> print(*slips(parse("korea or japan"), english), *slips(parse("korea OR it"), english), sep=chr(10))
    “or” is looked for as a word like any other. To join words, write OR.
    “it” alone makes this find nearly everything.
    """
    words = dict.fromkeys(leaf.word.key for leaf in leaves(node) if isinstance(leaf, Term))
    operator = language.gettext("“%(word)s” is looked for as a word like any other. To join words, write %(operator)s.")
    idle = language.gettext("“%(word)s” alone makes this find nearly everything.")
    return (
        *(operator % {"word": word, "operator": word.upper()} for word in words if word in _OPERATORS),
        *(idle % {"word": word} for word in dict.fromkeys(map(from_keys, idle_words(node)))),
    )


@dataclass(frozen=True, slots=True)
class _Speech:
    language: Tongue
    query: str
    topics: Mapping[str, str]

    def of(self, node: Node, around: _Place, *, is_inner: bool = False) -> str:
        """Word a node. What `around` says already is not said again; an inner one of several parts is in brackets."""
        place = _place_of(node)
        if place not in {around, _ANYWHERE}:
            said = self.of(node, place, is_inner=True)
            return self._placed(said, place)
        said = self._said(node, around)
        return f"({said})" if is_inner and isinstance(node, And | Or | AnyOf | Near) else said

    def _said(self, node: Node, around: _Place) -> str:
        match node:
            case Term() | Prefix() | Phrase():
                return self._leaf(node)
            case Reference():
                return self.language.gettext("the topic %(topic)s") % {
                    "topic": _isolated(self.topics.get(node.slug, node.slug))
                }
            case And():
                return self._all(node, around)
            case Or():
                return self.language.either([self.of(child, around, is_inner=True) for child in node.children])
            case Not():
                return self.language.gettext("not %(what)s") % {"what": self.of(node.child, around, is_inner=True)}
            case Near():
                return self._near(node, around)
            case AtLeast() | AnyOf():
                return self._counted(node, around)

    def _counted(self, node: AtLeast | AnyOf, around: _Place) -> str:
        if isinstance(node, AtLeast):
            several = self.language.ngettext(
                "%(what)s at least %(num)s time", "%(what)s at least %(num)s times", node.count
            )
            return several % {"what": self.of(node.child, around, is_inner=True), "num": node.count}
        some = self.language.ngettext(
            "at least %(num)s of these: %(what)s", "at least %(num)s of these: %(what)s", node.count
        )
        parts = self.language.listing([self.of(child, around, is_inner=True) for child in node.children])
        return some % {"num": node.count, "what": parts}

    def _all(self, node: And, around: _Place) -> str:
        wanted = [self.of(child, around, is_inner=True) for child in node.children if not isinstance(child, Not)]
        refused = [child.child for child in node.children if isinstance(child, Not)]
        said = self.language.listing(wanted)
        if not refused:
            return said
        unwanted = [self.of(child, around, is_inner=len(refused) > 1) for child in refused]
        sentence = self.language.gettext("%(wanted)s, but not %(unwanted)s")
        return sentence % {"wanted": said, "unwanted": self.language.either(unwanted)}

    def _near(self, node: Near, around: _Place) -> str:
        if node.is_ordered:
            apart = self.language.ngettext(
                "%(left)s and then %(right)s, at most %(num)s word apart",
                "%(left)s and then %(right)s, at most %(num)s words apart",
                node.distance,
            )
        else:
            apart = self.language.ngettext(
                "%(left)s and %(right)s at most %(num)s word apart",
                "%(left)s and %(right)s at most %(num)s words apart",
                node.distance,
            )
        left, right = (self.of(side, around, is_inner=True) for side in (node.left, node.right))
        return apart % {"left": left, "right": right, "num": node.distance}

    def _leaf(self, leaf: Leaf) -> str:
        words = self.language.gettext("“%(words)s”") % {"words": _isolated(spelled(leaf, self.query))}
        match leaf:
            case Prefix():
                return self.language.gettext("a word that begins with %(words)s") % {"words": words}
            case Phrase(stem=stem) if stem:
                return self.language.gettext("a phrase that begins with %(words)s") % {"words": words}
            case Term(word=word) if word.case is Case.CAPITALS and letters(word.key) < _SHORT:
                return self.language.gettext("%(words)s in capital letters") % {"words": words}
            case Term(word=word) if word.case is Case.INFLECTED:
                return self.language.gettext("%(words)s in any form") % {"words": words}
        first = leaf.word if isinstance(leaf, Term) else leaf.words[0]
        if first.case is Case.EXACT:
            return self.language.gettext("%(words)s exactly as written") % {"words": words}
        return words

    def _placed(self, what: str, place: _Place) -> str:
        if place.within:
            return self._at_first(what, place)
        sentences = {
            Field.TITLE: self.language.gettext("%(what)s in the headline"),
            Field.SUMMARY: self.language.gettext("%(what)s in the summary"),
            Field.BODY: self.language.gettext("%(what)s in the text"),
            Field.AUTHOR: self.language.gettext("%(what)s in the author's name"),
            Field.SECTION: self.language.gettext("%(what)s in the section's name"),
            Field.TAG: self.language.gettext("%(what)s among the tags"),
            Field.SOURCE: self.language.gettext("%(what)s in the outlet's name"),
            Field.LANG: self.language.gettext("%(what)s as its language"),
            Field.URL: self.language.gettext("%(what)s in the web address"),
        }
        return sentences[place.scope or Field.BODY] % {"what": what}

    def _at_first(self, what: str, place: _Place) -> str:
        if place.scope is Field.BODY:
            sentence = self.language.ngettext(
                "%(what)s in the first %(num)s word of the text",
                "%(what)s in the first %(num)s words of the text",
                place.within,
            )
        else:
            sentence = self.language.ngettext(
                "%(what)s in the headline or the first %(num)s word",
                "%(what)s in the headline or the first %(num)s words",
                place.within,
            )
        return sentence % {"what": what, "num": place.within}


def _place_of(node: Node) -> _Place:
    """Return the place that all words of a node share; a topic's words are anywhere."""
    if any(isinstance(part, Reference) for part in walk(node)):
        return _ANYWHERE
    places = {_Place(leaf.scope, leaf.within) for leaf in leaves(node)}
    return places.pop() if len(places) == 1 else _ANYWHERE


def _isolated(words: str) -> str:
    """Keep words that run from right to left from turning the sentence around them."""
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in words):
        return _ISOLATE % words
    return words
