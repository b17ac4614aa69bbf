"""Every query can be said in plain words, in every language, and nothing of it is left unsaid."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.matching.generated import nodes, trees
from worker.matching.canonical import canonical
from worker.matching.plain_words import in_plain_words, slips
from worker.matching.query import Node, parse
from worker.matching.spelling import spelled
from worker.matching.tree import leaves
from worker.rendering.language import Languages
from worker.resources import templates_dir

LANGUAGES = Languages(templates_dir() / "locales")
ENGLISH, KOREAN = LANGUAGES.best("en"), LANGUAGES.best("ko")


def say(query: str, language=ENGLISH, **topics: str) -> str:
    return in_plain_words(parse(query), language, query=query, topics=topics)


@settings(max_examples=60)
@given(nodes, st.sampled_from([ENGLISH, KOREAN]))
def test_every_query_can_be_said_and_all_its_words_are_in_it(node: Node, language):
    query = canonical(node)
    read = parse(query)
    said = in_plain_words(read, language, query=query)
    assert all(f"“{spelled(leaf, query)}”" in said.replace("\u2068", "").replace("\u2069", "") for leaf in leaves(read))
    assert said.count("(") >= said.count(")") - query.count(")")
    assert "%(" not in said


@settings(max_examples=50)
@given(trees)
def test_what_is_meant_is_said_also_without_the_text_that_it_was_read_from(node: Node):
    assert in_plain_words(node, ENGLISH)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('"North Korea" missile -film', "“North Korea” and “missile”, but not “film”"),
        ("Oman", "“Oman”"),
        ("a-z korea OR (japan (tokyo OR osaka))", "(“a-z” and “korea”) or (“japan” and (“tokyo” or “osaka”))"),
        ("title:korea body:japan", "“korea” in the headline and “japan” in the text"),
        ("title:(korea japan) oman", "“korea” in the headline, “japan” in the headline, and “oman”"),
        ("title:(korea OR japan)", "(“korea” or “japan”) in the headline"),
        ("-(korea japan) oman", "“oman”, but not “korea” and “japan”"),
        ("oman -korea -japan", "“oman”, but not “korea” or “japan”"),
        ("lang:ko source:reuters oman", "“ko” as its language, “reuters” in the outlet's name, and “oman”"),
        ("body:FIRST/1 oman", "“oman” in the first 1 word of the text"),
        ("@oman -@sudan", "the topic Oman, but not the topic sudan"),
        ("“김정은”", "“김정은”"),
    ],
)
def test_queries_are_said_as_a_person_would(query, said):
    assert say(query, oman="Oman") == said


def test_korean_is_said_in_korean():
    assert say('북한 미사일 -"영화"', KOREAN) == "“북한” 및 “미사일” (제외: “영화”)"
    assert say("title:북한", KOREAN) == "제목의 “북한”"


def test_words_from_right_to_left_are_kept_apart_from_the_sentence():
    assert say("عمان korea") == "“\u2068عمان\u2069” and “korea”"


def test_words_that_look_like_operators_and_words_of_every_text_are_pointed_out():
    assert len(slips(parse("korea or japan and oman"), ENGLISH)) == 2
    assert slips(parse("korea OR it"), ENGLISH) == ("“it” alone makes this find nearly everything.",)
    assert slips(parse("korea it"), ENGLISH) == ()
