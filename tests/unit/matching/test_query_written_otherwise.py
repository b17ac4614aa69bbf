"""The same wish, written with more or fewer brackets, signs, spaces and quotes, is read as the same tree."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from worker.matching.canonical import canonical
from worker.matching.query import And, AnyOf, AtLeast, Case, Near, Node, Not, Or, Phrase, Prefix, Term, parse, walk
from worker.matching.tree import Word, all_of, any_of

WORDS = ("korea", "missile", "envoy", "geneva", "film")
LOOSE, TIGHT, TIGHTER, TIGHTEST = range(4)  # OR; AND and NOT; NEAR; an operand


@dataclass
class Writer:
    """Writes a tree with brackets where they must be, and by chance elsewhere, and every sign by chance."""

    chance: Random

    def write(self, node: Node, floor: int = LOOSE) -> str:
        text, power = self.text(node)
        spare = 0 if self.chance.random() < 0.7 else self.chance.randint(1, 2)
        opened, closed = self.chance.choice([("(", ")"), ("( ", " )"), ("（", "）")])
        needed = (power < floor) + spare
        return opened * needed + text + closed * needed

    def text(self, node: Node) -> tuple[str, int]:
        match node:
            case Or():
                signs = [" OR ", " | ", "|", "\tOR\n", " ｜ "]
                return self.joined(node.children, signs, TIGHT), LOOSE
            case And():
                first, *others = node.children
                parts = [self.write(first, TIGHTER)]
                parts += [
                    self.chance.choice([" ", " AND ", "\u00a0AND\u3000"]) + self.write(one, TIGHTER) for one in others
                ]
                return "".join(parts), TIGHT
            case Not():
                sign = self.chance.choice(["NOT ", "-", "–", "－", "NOT\n"])
                return sign + self.write(node.child, TIGHTER), TIGHTER
            case Near():
                operator = f"{'O' * node.is_ordered}NEAR/{node.distance}"
                return f"{self.write(node.left, TIGHTER)} {operator} {self.write(node.right, TIGHTEST)}", TIGHTER
            case AtLeast():
                return f"ATLEAST/{node.count} {self.write(node.child, TIGHTEST)}", TIGHTEST
            case AnyOf():
                commas = [", ", ",", " , ", "，", "、"]
                return (
                    f"ANY/{node.count}{self.chance.choice(['', ' '])}({self.joined(node.children, commas, LOOSE)})",
                    TIGHTEST,
                )
            case Term():
                return self.quoted(node.word.key), TIGHTEST
            case Phrase():
                return f"“{' '.join(word.key for word in node.words)}”", TIGHTEST
            case Prefix():
                return f"{node.stem}*", TIGHTEST
            case _:
                raise TypeError(node)

    def joined(self, nodes: tuple[Node, ...], signs: list[str], floor: int) -> str:
        first, *others = nodes
        return self.write(first, floor) + "".join(self.chance.choice(signs) + self.write(one, floor) for one in others)

    def quoted(self, word: str) -> str:
        return self.chance.choice([word, word, word.title(), f'"{word}"', f"« {word}»"])


def _term(word: str) -> Node:
    return Term(word=Word(key=word, case=Case.ANY))


terms = st.sampled_from(WORDS).map(_term)
leaves = st.one_of(
    terms,
    terms,
    st.just(Prefix(stem="missil")),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(
        lambda words: Phrase(words=tuple(Word(key=word) for word in words))
    ),
)
sides = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Near, left=inner, right=inner, distance=st.integers(1, 100), is_ordered=st.booleans()),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: any_of(tuple(nodes))),
    ),
    max_leaves=5,
)
counted = st.builds(
    AtLeast,
    count=st.integers(2, 9),
    child=st.lists(leaves, min_size=1, max_size=3).map(lambda nodes: any_of(tuple(nodes))),
)


def _conjunction(pair: tuple[list[Node], list[Node]]) -> Node:
    wanted, unwanted = pair
    return all_of((*wanted, *(Not(child=one) for one in unwanted)))


wishes = st.recursive(
    st.one_of(sides, counted),
    lambda inner: st.one_of(
        st.tuples(st.lists(inner, min_size=1, max_size=3), st.lists(inner, max_size=2)).map(_conjunction),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: any_of(tuple(nodes))),
        st.lists(inner, min_size=3, max_size=4).map(lambda nodes: AnyOf(count=2, children=tuple(nodes))),
    ),
    max_leaves=8,
).filter(lambda node: sum(isinstance(part, Prefix) for part in walk(node)) <= 20)


@given(node=wishes, chance=st.randoms(use_true_random=False))
def test_a_tree_is_read_from_any_way_to_write_it(node: Node, chance: Random) -> None:
    query = Writer(chance).write(node)
    assert parse(query) == node, query
    assert parse(canonical(node)) == node
