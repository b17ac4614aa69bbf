"""Articles and queries that Hypothesis makes up, of words that are easily mistaken for one another."""

from __future__ import annotations

from typing import TypeGuard

from hypothesis import strategies as st

from worker.errors import QueryError
from worker.matching.analyser import ArticleText
from worker.matching.checks import check
from worker.matching.operands import check_sides
from worker.matching.query import AnyOf, AtLeast, Near, Node, Not, Reference, parse, walk
from worker.matching.tree import all_of, any_of

WORDS = (
    "us", "US", "U.S.", "Us", "nato", "NATO", "Nato", "korea", "Korea’s", "KOREA", "korean", "n.", "N.", "the", "The",
    "북한", "북한이", "북한에서는", "북한산", "북", "北", "朝", "か\u3099", "が", "e\u0301", "é", "E", "mis\u00adsile",
    "missiles", "3.5", "G7이", "½", "™", "İ", "ß", "SS", "\0", "\ud800", "…", "l’é", "войны", "война", "Häuser", "Haus",
    "1,000", "J\u030c",
)  # fmt: skip
SEPARATORS = (" ", " ", " ", "-", "\n", "\n\n", ", ", ". ", "")

FEW_WORDS = ("korea", "US", "missiles", "북한이", "Nato")  # so that they meet, again and again

odd_texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SEPARATORS)), max_size=12).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
full_texts = st.lists(st.sampled_from(FEW_WORDS), min_size=6, max_size=20).map(" ".join)
texts = st.one_of(odd_texts, full_texts)
articles = st.builds(
    ArticleText,
    title=texts,
    summary=texts,
    body=full_texts | texts,
    author=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    lang=st.sampled_from(["", "en-US", "ru", "de_DE", "ja", "x"]),
)
few_leaf_texts = st.sampled_from([*FEW_WORDS, "~missile", "missil*", "북한", "NATO", '"US nato"', "FIRST/9 korea"])
leaf_texts = st.one_of(
    few_leaf_texts,
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from("=~~"), st.sampled_from(WORDS)).map("".join),
    st.sampled_from(["kor*", "missil*", "북한*", "北*", '"the kor*"', '"us kor*"']),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.tuples(st.sampled_from(["title", "tag", "author", "body"]), st.sampled_from(WORDS)).map(":".join),
    st.tuples(st.integers(1, 6), st.sampled_from(WORDS)).map("FIRST/{0[0]} {0[1]}".format),
)
sides = st.recursive(
    st.one_of(few_leaf_texts, few_leaf_texts, leaf_texts),
    lambda inner: st.tuples(inner, st.sampled_from(["OR", "NEAR/1", "NEAR/3", "ONEAR/2", "ONEAR/9"]), inner).map(
        "({0[0]}) {0[1]} ({0[2]})".format
    ),
    max_leaves=5,
)
counted_texts = st.tuples(
    st.integers(1, 4), st.lists(few_leaf_texts | leaf_texts, min_size=1, max_size=3).map(" OR ".join)
).map("ATLEAST/{0[0]} ({0[1]})".format)
query_texts = st.recursive(
    st.one_of(leaf_texts, leaf_texts, sides, counted_texts),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" ", " OR ", " NOT "]), inner).map("({0[0]}){0[1]}({0[2]})".format),
        st.tuples(st.integers(1, 3), st.lists(inner, min_size=3, max_size=4).map(", ".join)).map(
            "ANY/{0[0]} ({0[1]})".format
        ),
        st.tuples(st.integers(1, 6), inner).map("FIRST/{0[0]} ({0[1]})".format),
    ),
    max_leaves=5,
)


def read(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:
        return None


def was_read(node: Node | None) -> TypeGuard[Node]:
    return node is not None


def readable(queries: st.SearchStrategy[str]) -> st.SearchStrategy[Node]:
    return queries.map(read).filter(was_read)


nodes = readable(query_texts)


def is_allowed(node: Node) -> bool:
    try:
        check(node)
        for near in walk(node):
            if isinstance(near, Near):
                check_sides(near, "NEAR")
    except QueryError:
        return False
    return True


leaf_nodes = readable(leaf_texts)
side_nodes = st.recursive(
    leaf_nodes,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(any_of),
        st.builds(Near, left=inner, right=inner, distance=st.integers(1, 100), is_ordered=st.booleans()),
    ),
    max_leaves=6,
)
trees: st.SearchStrategy[Node] = st.recursive(
    st.one_of(
        side_nodes,
        st.builds(AtLeast, count=st.integers(2, 1_000), child=st.lists(leaf_nodes, min_size=1).map(tuple).map(any_of)),
        st.sampled_from(["north-korea", "a"]).map(lambda slug: Reference(slug=slug)),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(all_of),
        st.tuples(inner, inner.map(lambda node: Not(child=node))).map(all_of),
        st.tuples(inner, inner, inner).map(any_of),
        st.builds(AnyOf, count=st.just(2), children=st.tuples(inner, inner, inner)),
    ),
    max_leaves=8,
).filter(is_allowed)
"""Trees that no text was read for."""
