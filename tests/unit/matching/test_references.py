"""How topics that name topics are put together, and which are refused."""

from __future__ import annotations

import inspect
import sys

import pytest

from worker.errors import QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.checks import MAX_DEPTH
from worker.matching.evaluate import evidence, holds
from worker.matching.query import Node, canonical, parse
from worker.matching.references import resolve, resolve_all, slugs
from worker.matching.tree import depth


def read(**queries: str) -> dict[str, Node]:
    return {slug: parse(query) for slug, query in queries.items()}


def resolved(**queries: str) -> dict[str, str]:
    return {slug: canonical(node) for slug, node in resolve_all(read(**queries)).items()}


def test_a_reference_is_replaced_by_its_topics_query():
    assert resolved(kim='"kim jong un" | 김정은', news="@kim -film") == {
        "kim": '"kim jong un" OR 김정은',
        "news": '("kim jong un" OR 김정은) NOT film',
    }


def test_references_are_followed_through_topics_in_any_order():
    assert resolved(a="@b alpha", b="@c | bravo", c="carol NOT drill")["a"] == "(carol NOT drill OR bravo) AND alpha"


def test_a_reference_may_be_denied():
    assert resolved(a="alpha -@b", b="bravo -carol")["a"] == "alpha NOT (bravo NOT carol)"


def test_groups_stay_flat_so_that_equal_queries_are_equal():
    assert resolve_all(read(a="@b bravo", b="alpha carol"))["a"] == parse("alpha carol bravo")


def test_topics_keep_their_order():
    assert list(resolved(z="@a", a="alpha")) == ["z", "a"]


def test_an_unknown_topic_is_refused_with_its_place_and_a_guess():
    with pytest.raises(QueryError) as refusal:
        resolve_all(read(news="alpha @nort-korea", **{"north-korea": "korea"}))
    assert (refusal.value.where, refusal.value.offset) == ("news", 6)
    assert "@nort-korea" in refusal.value.reason
    assert refusal.value.hint == "did you mean @north-korea?"


def test_an_unknown_topic_that_resembles_none_is_refused_without_a_guess():
    with pytest.raises(QueryError, match="no topic @zzz at offset 0"):
        resolve(parse("@zzz"), {})


def test_a_circle_is_named_from_end_to_end():
    with pytest.raises(QueryError) as refusal:
        resolve_all(read(a="alpha @b", b="@c", c="carol | @a", d="delta"))
    slug, *_ = names = refusal.value.reason.removeprefix("topics refer to each other in a circle: ").split(" -> ")
    assert names in (["@a", "@b", "@c", "@a"], ["@b", "@c", "@a", "@b"], ["@c", "@a", "@b", "@c"])
    assert (refusal.value.where, refusal.value.offset) in {("a", 6), ("b", 0), ("c", 8)}
    assert slug == f"@{refusal.value.where}"


def test_a_topic_that_names_itself_is_a_circle():
    with pytest.raises(QueryError, match="@a -> @a at offset 6"):
        resolve_all(read(a="alpha @a"))


def test_one_query_is_resolved_against_texts_that_are_read_only_when_named():
    node = resolve(parse("@a"), {"a": "alpha | @b", "b": "bravo", "broken": "("})
    assert canonical(node) == "alpha OR bravo"


def test_a_broken_topic_that_is_named_is_refused_by_its_name():
    with pytest.raises(QueryError) as refusal:
        resolve(parse("alpha @a"), {"a": "bravo @b", "b": "(carol"})
    assert (refusal.value.where, refusal.value.offset) == ("b", 0)


def test_one_query_may_not_lead_into_a_circle_either():
    with pytest.raises(QueryError, match="circle"):
        resolve(parse("@a"), {"a": "@b", "b": "@a"})


def test_topics_that_double_each_other_cannot_fill_the_memory():
    doubling = {f"t{n}": f"(@t{n - 1} alpha{n}) | (@t{n - 1} bravo{n})" for n in range(1, 40)}
    with pytest.raises(QueryError, match="grows to"):
        resolve_all(read(t0="alpha", **doubling))


def test_a_chain_of_topics_is_not_followed_without_end():
    chain = {f"t{n}": f"@t{n - 1} alpha" for n in range(1, 2_000)}
    with pytest.raises(QueryError, match=f"brackets {MAX_DEPTH + 1} deep"):
        resolve_all(read(t0="alpha", **chain))


def test_ten_thousand_topics_that_name_one_are_resolved():
    topics = resolve_all(read(hub="alpha | bravo", **{f"t{n}": f"@hub t{n}" for n in range(10_000)}))
    assert len(topics) == 10_001


def test_slugs_are_those_that_a_query_names_itself():
    assert slugs(parse("@a (@b | alpha) -@c")) == {"a", "b", "c"}


def test_one_of_several_may_be_a_topic():
    assert resolved(a="ANY/2 (@b, alpha, carol -film)", b="bravo | delta NEAR/3 echo")["a"] == (
        "ANY/2 (bravo OR delta NEAR/3 echo, alpha, carol NOT film)"
    )


def test_nears_and_lists_count_as_brackets_once_topics_are_put_in():
    near = " NEAR/5 ".join(["alpha"] * MAX_DEPTH)  # as deep as it may be, less one
    assert resolve_all(read(a="@b | bravo", b=near))
    with pytest.raises(QueryError, match=f"brackets {MAX_DEPTH + 1} deep"):
        resolve_all(read(a="ANY/2 (@b, bravo, carol)", b=near))


@pytest.mark.parametrize(
    "outer", ["bravo -@{}", "ANY/2 (@{}, bravo, carol)", "bravo | (carol -@{})", "ANY/2 (carol -@{}, bravo, carol)"]
)
def test_the_deepest_tree_is_evaluated_on_three_quarters_of_the_usual_stack(outer):
    step = 2 if outer.startswith("ANY") else 1
    chain = {f"t{level + 1}": outer.format(f"t{level}") for level in range(MAX_DEPTH // step - 1)}
    topics = read(t0="alpha", **chain)
    article = analyse(ArticleText(title="alpha bravo"))
    usual, frames = sys.getrecursionlimit(), len(inspect.stack())
    sys.setrecursionlimit(frames + 750)
    try:
        deepest = resolve_all(topics)[f"t{len(chain)}"]
        assert depth(deepest) > MAX_DEPTH // 2 - 2
        assert bool(evidence(deepest, article)) == holds(deepest, article)
        assert parse(canonical(deepest)) == deepest
        assert hash(deepest) == hash(parse(canonical(deepest)))
    finally:
        sys.setrecursionlimit(usual)
