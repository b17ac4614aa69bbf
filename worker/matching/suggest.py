"""Which shared topics say what a reader's own query tries to say, and what these cover besides.

Decides when a topic is worth naming: its name, or words that alone make it match, are what the query looks for.
Pure. The pages call it beside the box in which a query is typed.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from worker.errors import QueryError
from worker.matching.canonical import canonical
from worker.matching.parser import parse
from worker.matching.spelling import spelled
from worker.matching.tree import And, Leaf, Node, Not, Or, Phrase, Prefix, Reference, Term, all_of, any_of, leaves

Keys: TypeAlias = tuple[str, ...]

_MOST: Final = 3
_MOST_WORDS: Final = 40  # of a query, that are looked up
_ALSO: Final = 3
_CLOSE: Final = 0.84


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownTopic:
    """A shared topic: its names in all languages, and its query as its editor wrote it."""

    slug: str
    names: tuple[str, ...]
    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A topic that says it better. `also` is some of what it covers besides, as its editor spells it.

    `query` is what to ask instead of the query, with the topic in it; "" where the topic alone says it all.
    """

    slug: str
    also: tuple[str, ...]
    query: str = ""


class _Alias(NamedTuple):
    keys: Keys
    text: str


class Directory:
    """The shared topics, by the words that alone make them match. Building it parses every query once a process."""

    def __init__(self, topics: Iterable[KnownTopic]) -> None:
        self._by_keys: dict[Keys, dict[str, None]] = {}
        self._by_stem: dict[str, dict[str, None]] = {}
        self._by_name: dict[str, str] = {}
        self._aliases: dict[str, tuple[_Alias, ...]] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._named: dict[str, frozenset[str]] = {}
        for topic in topics:
            self._add(topic)

    def aliases(self, slug: str) -> tuple[str, ...]:
        """Return the words that alone make a topic match, as its editor spells them, its names left out."""
        return self._texts.get(slug, ())

    def suggest(self, query: str) -> list[Suggestion]:
        """Name topics for a query that has been judged, the best first; three at most.

        >>> query = '"north korea" OR DPRK OR 평양 OR Pyongyang'
        >>> korea = KnownTopic(slug="north-korea", names=("North Korea", "북한"), query=query)
        >>> oman = KnownTopic(slug="oman", names=("Oman",), query="oman* OR muscat NOT wine")
        >>> known = Directory([korea, oman])
        >>> known.suggest("north korea")
        [Suggestion(slug='north-korea', also=('DPRK', 'Pyongyang', '평양'), query='')]
        >>> known.suggest("dprk missile -film")
        [Suggestion(slug='north-korea', also=('Pyongyang', '평양'), query='@north-korea AND missile NOT film')]
        >>> [(found.slug, found.query) for found in known.suggest("omani OR pyongyang OR iran")]
        [('oman', '@oman OR pyongyang OR iran'), ('north-korea', 'omani OR @north-korea OR iran')]
        >>> known.suggest("nroth korea")[0].slug, known.suggest("film")
        ('north-korea', [])
        """
        node = parse(query)
        found = dict[str, Suggestion]()
        for slug, instead in self._covered(node):
            if slug not in found:
                found[slug] = self._suggestion(slug, instead, node)
            if len(found) == _MOST:
                break
        if not found and (meant := self._misspelt(node, query)):
            found[meant] = self._suggestion(meant, Reference(slug=meant), node)
        return list(found.values())

    def _add(self, topic: KnownTopic) -> None:
        told = _told_by(topic.query)
        if told is None:  # switched off already, it must not keep readers from other suggestions
            return
        stems, aliases = told
        for stem in stems:
            self._by_stem.setdefault(stem, {})[topic.slug] = None
        for alias in aliases:
            self._by_keys.setdefault(alias.keys, {})[topic.slug] = None
        for name in topic.names:
            self._by_name.setdefault(name.casefold(), topic.slug)
            self._by_keys.setdefault(_keys_of(name), {})[topic.slug] = None
        self._named[topic.slug] = frozenset(key for name in topic.names for key in _keys_of(name))
        self._aliases[topic.slug] = tuple(
            alias for alias in aliases if not self._named[topic.slug].issuperset(alias.keys)
        )
        self._texts[topic.slug] = tuple(dict.fromkeys(alias.text for alias in self._aliases[topic.slug]))

    def _covered(self, node: Node) -> Iterator[tuple[str, Node]]:
        """Find topics that cover something of a query, and the query with the topic in its place."""
        match node:
            case Term() | Phrase():
                yield from ((slug, Reference(slug=slug)) for slug in self._topics_of(_keys(node)))
            case Or():
                yield from self._of_branches(node)
            case And():
                yield from self._of_run(node)

    def _of_branches(self, node: Or) -> Iterator[tuple[str, Node]]:
        """Put each topic in the place of the branches that it covers, which are looked up once."""
        covered = [(child, self._topics_of(_keys(child))) for child in node.children]
        for slug in dict.fromkeys(slug for _, slugs in covered[:_MOST_WORDS] for slug in slugs):
            yield slug, any_of(tuple(Reference(slug=slug) if slug in slugs else child for child, slugs in covered))

    def _of_run(self, node: And) -> Iterator[tuple[str, Node]]:
        """Look for the longest run of words that is a topic's: who writes `north korea` means the phrase."""
        count = min(len(node.children), _MOST_WORDS)
        for length in range(count, 0, -1):
            for first in range(count - length + 1):
                before, run, after = _cut(node.children, first, first + length)
                slugs = self._topics_of(_joined(run))
                yield from ((slug, all_of((*before, Reference(slug=slug), *after))) for slug in slugs)
                if slugs:
                    return

    def _topics_of(self, keys: Keys) -> dict[str, None]:
        """Return the topics that one of these words, or all in a row, are enough for."""
        found = dict(self._by_keys.get(keys, {})) if keys else {}
        if len(keys) == 1:
            for end in range(2, len(keys[0]) + 1):
                found |= self._by_stem.get(keys[0][:end], {})
        return found

    def _misspelt(self, node: Node, query: str) -> str | None:
        if not _joined(node.children if isinstance(node, And) else (node,)):
            return None
        near = get_close_matches(" ".join(query.split()).strip('"“”').casefold(), self._by_name, n=1, cutoff=_CLOSE)
        return self._by_name[near[0]] if near else None

    def _suggestion(self, slug: str, instead: Node, node: Node) -> Suggestion:
        asked = {key for leaf in leaves(node) for key in _keys(leaf)}
        script = _script(next(iter(asked), ""))
        named = self._named[slug]
        others = [alias for alias in self._aliases[slug] if not set(alias.keys) <= asked]
        others.sort(key=lambda alias: (_script(alias.text) != script, _is_like(alias, named)))
        also = dict.fromkeys(alias.text for alias in others)
        return Suggestion(
            slug=slug,
            also=tuple(islice(also, _ALSO)),
            query="" if isinstance(instead, Reference) else canonical(instead),
        )


@functools.lru_cache(maxsize=4096)  # an edited topic costs the others nothing
def _told_by(query: str) -> tuple[tuple[str, ...], tuple[_Alias, ...]] | None:
    """Return the beginnings, and the words, that alone make a topic match; None for a query that cannot be read."""
    try:
        enough = list(_enough(parse(query)))
    except QueryError:
        return None
    stems = tuple(leaf.stem for leaf in enough if isinstance(leaf, Prefix))
    return stems, tuple(_Alias(keys, spelled(leaf, query)) for leaf in enough if (keys := _keys(leaf)))


def _enough(node: Node) -> Iterator[Leaf]:
    """Go through the words that alone make a query true, but for what it refuses."""
    match node:
        case Term() | Phrase() | Prefix() if node.scope is None and not node.within:
            yield node
        case Or():
            for child in node.children:
                yield from _enough(child)
        case And():
            wanted = [child for child in node.children if not isinstance(child, Not)]
            if len(wanted) == 1:
                yield from _enough(wanted[0])


def _keys(node: Node) -> Keys:
    """Return the words of a leaf that looks anywhere; none for everything else."""
    match node:
        case Term(scope=None, within=0):
            return (node.word.key,)
        case Phrase(scope=None, within=0, stem=""):
            return tuple(word.key for word in node.words)
        case _:
            return ()


def _cut(nodes: Sequence[Node], start: int, end: int) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
    return nodes[:start], nodes[start:end], nodes[end:]


def _joined(run: Sequence[Node]) -> Keys:
    parts = [_keys(node) for node in run]
    return tuple(key for part in parts for key in part) if all(parts) else ()


def _keys_of(name: str) -> Keys:
    try:
        return _keys(parse(f'"{name}"'))
    except QueryError:
        return ()


def _is_like(alias: _Alias, named: frozenset[str]) -> bool:
    """Tell whether an alias is but another form of the name, and so tells nothing: Koreans, of Korea."""
    return any(name in key or key in name for name in named for key in alias.keys if len(name) > 2 and len(key) > 1)


def _script(text: str) -> str:
    """Return the script of a text's first letter: what is written alike is told first.

    >>> _script("DPRK"), _script("평양"), _script("")
    ('LATIN', 'HANGUL', '')
    """
    letter = next(filter(str.isalpha, text), "")
    return unicodedata.name(letter, "").partition(" ")[0] if letter else ""
