"""What invented readers follow: standing queries about the world's names and topics, and the two ways to write them.

Decides the mix: words, phrases, OR, AND, NOT, NEAR, prefixes, weighted as in news alerts. `written` is our query
language, `polish` what the peer's program reads: operators first, each list with its length, nothing to quote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from random import Random
from typing import Final

from tests.bench.matching.world import Topic, World
from worker.matching.tree import And, Near, Node, Not, Or, Phrase, Prefix, Term, Word

_MIX: Final = {"term": 40, "phrase": 25, "or": 15, "and": 11, "near": 1, "andnot": 5, "prefix": 3}


def queries(world: World, random: Random) -> Iterator[Node]:
    """Ask one query after another, without end."""
    while True:
        yield _Reader(world, random).query()


class _Reader:
    """Asks one query."""

    def __init__(self, world: World, random: Random) -> None:
        self._world, self._random = world, random
        self._topic: Topic = world.topic(random)

    def query(self) -> Node:
        (kind,) = self._random.choices(tuple(_MIX), tuple(_MIX.values()))
        kinds: dict[str, Callable[[], Node]] = {
            "term": self._term,
            "phrase": self._phrase,
            "or": lambda: self._any(3, 6, self._leaf),
            "and": lambda: And(children=self._branches((2, 2, 3))),
            "andnot": lambda: And(children=(*self._branches((1, 2, 2)), Not(child=self._broad()))),
            "near": self._near,
            "prefix": self._prefix,
        }
        return kinds[kind]()

    def _term(self) -> Term:
        if self._random.random() < 0.5:
            return term(self._random.choice(self._world.name(self._random)))
        return term(self._world.word(self._random, 12_000, 120_000))

    def _broad(self) -> Term:
        """Draw what stands beside something else in a query: more common, and of one topic."""
        if self._random.random() < 0.6:
            return term(self._topic.words[self._world.word_ranks.draw(self._random)])
        return term(self._world.word(self._random, 1_500, 40_000))

    def _phrase(self) -> Phrase:
        name: tuple[str, ...] = ()
        while len(name) < 2:
            name = self._world.name(self._random)
        return Phrase(words=tuple(Word(key=word) for word in name[:2]))

    def _leaf(self) -> Node:
        return self._term() if self._random.random() < 0.6 else self._phrase()

    def _any(self, low: int, high: int, leaf: Callable[[], Node]) -> Or:
        return Or(children=tuple(leaf() for _ in range(self._random.randint(low, high))))

    def _branches(self, lengths: Sequence[int]) -> tuple[Node, ...]:
        return tuple(self._branch() for _ in range(self._random.choice(lengths)))

    def _branch(self) -> Node:
        drawn = self._random.random()
        return self._broad() if drawn < 0.6 else self._any(2, 3, self._broad) if drawn < 0.85 else self._phrase()

    def _near(self) -> Near:
        left = right = self._broad()
        while left == right:
            right = self._broad()
        return Near(left=left, right=right, distance=5)

    def _prefix(self) -> Prefix:
        word = ""
        while len(word) < 8:
            word = self._world.word(self._random, 2_500, 120_000)
        return Prefix(stem=word[: max(6, len(word) - 3)])


def hot(words: Sequence[str]) -> Iterator[Node]:
    """Ask only about words that stand in many articles: one of them, then all and any of two, of three, of four."""
    yield from map(term, words)
    for size in (2, 3, 4):
        for chosen in combinations(words, size):
            children = tuple(map(term, chosen))
            yield And(children=children)
            yield Or(children=children)


def term(word: str) -> Term:
    """Return the query for one word in any case."""
    return Term(word=Word(key=word))


def written(node: Node, *, is_whole: bool = True) -> str:
    """Write a query in our language.

    >>> written(And(children=(term("a"), Or(children=(term("b"), term("c"))), Not(child=term("d")))))
    'a AND (b OR c) AND NOT d'
    """
    match node:
        case Term():
            return node.word.key
        case Prefix():
            return f"{node.stem}*"
        case Phrase():
            return '"' + " ".join(word.key for word in node.words) + '"'
        case Not():
            return f"NOT {written(node.child, is_whole=False)}"
        case Near():
            return f"{written(node.left)} NEAR/{node.distance} {written(node.right)}"
        case And() | Or():
            word = " AND " if isinstance(node, And) else " OR "
            joined = word.join(written(child, is_whole=False) for child in node.children)
            return joined if is_whole else f"({joined})"
        case _:
            raise ValueError(f"the benchmark asks no {type(node).__name__}")


def polish(node: Node) -> str:
    """Write a query for the peer.

    >>> polish(And(children=(Phrase(words=(Word(key="a"), Word(key="b"))), Not(child=term("d")))))
    'and 2 phrase 2 a b not term d'
    """
    match node:
        case Term():
            return f"term {node.word.key}"
        case Prefix():
            return f"prefix {node.stem}"
        case Phrase():
            return " ".join(["phrase", str(len(node.words)), *(word.key for word in node.words)])
        case Not():
            return f"not {polish(node.child)}"
        case Near():
            return f"near {node.distance} {polish(node.left)} {polish(node.right)}"
        case And() | Or():
            name = "and" if isinstance(node, And) else "or"
            return " ".join([name, str(len(node.children)), *map(polish, node.children)])
        case _:
            raise ValueError(f"the benchmark asks no {type(node).__name__}")
