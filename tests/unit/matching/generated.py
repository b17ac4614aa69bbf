"""Articles and queries that Hypothesis makes up, of words that are easily mistaken for one another."""

from __future__ import annotations

from hypothesis import strategies as st

from worker.errors import QueryError
from worker.matching.analyser import ArticleText
from worker.matching.query import Node, parse

WORDS = (
    "us", "US", "U.S.", "Us", "nato", "NATO", "Nato", "korea", "Korea’s", "KOREA", "korean", "n.", "N.", "the", "The",
    "북한", "북한이", "북한에서는", "북한산", "북", "北", "朝", "か\u3099", "が", "e\u0301", "é", "E", "mis\u00adsile",
    "missiles", "3.5", "G7이", "½", "™", "İ", "ß", "SS", "\0", "\ud800", "…", "l’é", "войны", "война", "Häuser", "Haus",
    "1,000", "J\u030c",
)  # fmt: skip
SEPARATORS = (" ", " ", " ", "-", "\n", "\n\n", ", ", ". ", "")

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SEPARATORS)), max_size=12).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
articles = st.builds(
    ArticleText,
    title=texts,
    summary=texts,
    body=texts,
    author=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    lang=st.sampled_from(["", "en-US", "ru", "de_DE", "ja", "x"]),
)
leaf_texts = st.one_of(
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from("=~~"), st.sampled_from(WORDS)).map("".join),
    st.sampled_from(["kor*", "missil*", "북한*", "北*", '"the kor*"', '"us kor*"']),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.tuples(st.sampled_from(["title", "tag", "author", "body"]), st.sampled_from(WORDS)).map(":".join),
    st.tuples(st.integers(1, 6), st.sampled_from(WORDS)).map("FIRST/{0[0]} {0[1]}".format),
)
sides = st.recursive(
    leaf_texts,
    lambda inner: st.tuples(inner, st.sampled_from(["OR", "NEAR/1", "NEAR/3", "ONEAR/2", "ONEAR/9"]), inner).map(
        "({0[0]}) {0[1]} ({0[2]})".format
    ),
    max_leaves=5,
)
counted_texts = st.tuples(st.integers(1, 4), st.lists(leaf_texts, min_size=1, max_size=3).map(" OR ".join)).map(
    "ATLEAST/{0[0]} ({0[1]})".format
)
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


nodes = query_texts.map(read).filter(lambda node: node is not None)
