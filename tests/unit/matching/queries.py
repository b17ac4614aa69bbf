"""Queries and articles for property tests, odd characters included. Asserts nothing."""

from __future__ import annotations

from hypothesis import strategies as st

from worker.errors import QueryError
from worker.matching.analyser import ArticleText
from worker.matching.query import Node, parse

WORDS = (
    "us", "US", "U.S.", "Us", "nato", "NATO", "Nato", "korea", "Korea’s", "KOREA", "korean", "n.", "N.", "the", "The",
    "북한", "북한이", "북한에서는", "북한산", "북", "北", "朝", "か\u3099", "が", "e\u0301", "é", "E", "mis\u00adsile",
    "missiles", "3.5", "G7이", "½", "™", "İ", "ß", "SS", "\0", "\ud800", "…", "l’é",
)  # fmt: skip
SEPARATORS = (" ", " ", " ", "-", "\n", "\n\n", ", ", ". ", "")

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SEPARATORS)), max_size=12).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
articles = st.builds(
    ArticleText, title=texts, summary=texts, body=texts, author=texts, tags=st.lists(texts, max_size=3).map(tuple)
)
leaf_texts = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda word: f"={word}"),
    st.sampled_from(["kor*", "missil*", "북한*", "北*", '"the kor*"', '"us kor*"']),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.tuples(st.sampled_from(["title", "tag", "author"]), st.sampled_from(WORDS)).map(":".join),
)
query_texts = st.recursive(
    leaf_texts,
    lambda inner: st.tuples(inner, st.sampled_from([" ", " OR ", " NOT "]), inner).map("({0[0]}){0[1]}({0[2]})".format),
    max_leaves=5,
)


def read(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:
        return None


nodes = query_texts.map(read).filter(lambda node: node is not None)
