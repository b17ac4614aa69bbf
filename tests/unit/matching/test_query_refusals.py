"""Which queries are refused, where, and what to write instead."""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress

import pytest

from worker.errors import QueryError
from worker.matching.checks import MAX_CHARACTERS, MAX_DEPTH, MAX_PREFIXES
from worker.matching.query import Or, canonical, parse


def refused(query: str, offset: int, reason: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(query)
    assert reason in refusal.value.reason
    assert refusal.value.offset == offset
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("query", "offset", "reason"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("(a", 0, "never closed"),
        ("a (b (c)", 2, "never closed"),
        ("(", 0, "never closed"),
        ("a)", 1, "closes nothing"),
        (")", 0, "closes nothing"),
        ("a ()", 2, "empty"),
        ('북한 "a b', 3, "quote is never closed"),
        ("alpha OR", 6, "missing after OR"),
        ("OR alpha", 0, "missing before OR"),
        ("alpha AND OR bravo", 6, "missing after AND"),
        ("alpha NOT", 6, "missing after NOT"),
        ("alpha NOT NOT bravo", 6, "missing after NOT"),
        ("NOT alpha", 0, "only absence"),
        ("-alpha -bravo", 0, "only absence"),
        ("(NOT alpha)", 1, "only absence"),
        ("alpha OR NOT bravo", 9, "NOT cannot be a branch of OR"),
        ("alpha (bravo | -carol)", 15, "NOT cannot be a branch of OR"),
        ("alpha NOT (NOT bravo)", 6, "NOT of what is absent"),
        ("the", 0, "stop words"),
        ("us it", 0, "stop words"),
        ("u.s.", 0, "stop words"),
        ('"of the"', 0, "stop words"),
        ("  title:the -alpha", 8, "stop words"),
        ("그리고", 0, "stop words"),
        ("=The", 0, "stop words"),
        ("alpha *", 6, "nothing before this *"),
        ("*alpha", 0, "nothing before this *"),
        ("al*ha", 2, "may only end"),
        ('"kim* jong"', 4, "may only end"),
        ('"kim *"', 5, "nothing before this *"),
        ("alpha-*", 6, "nothing before this *"),
        ("ab*", 0, "too short"),
        ("북*", 0, "too short"),
        ('"kim jo*"', 5, "too short"),
        ("=alph*", 0, "do not go together"),
        ("alpha foo:bar", 6, "no field is called 'foo'"),
        ("title:(body:alpha)", 7, "inside another"),
        ("title:-alpha", 0, "cannot stand before"),
        ("title:@alpha", 0, "cannot stand before"),
        ("title:(alpha @bravo)", 13, "cannot be restricted"),
        ("title:", 0, "missing after the field"),
        ("alpha @", 6, "names no topic"),
        ("alpha = bravo", 6, "no word in '='"),
        ("==alpha", 0, "right behind"),
        ("=title:alpha", 0, "right behind"),
        ('alpha ""', 6, "no word"),
        ("alpha - bravo", 6, "no word in '-'"),
        ("alpha-(bravo)", 5, "a dash between"),
        ('alpha–"bravo"', 5, "a dash between"),
    ],
)
def test_a_bad_query_is_refused_with_its_offset_and_what_to_write_instead(query, offset, reason):
    refused(query, offset, reason)


@pytest.mark.parametrize(
    ("query", "offset", "reason"),
    [
        ("alpha NEAR bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR/ bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR / 5 bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR/five bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR/-5 bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR/5.5 bravo", 6, "NEAR wants a whole number"),
        ("alpha NEAR5 bravo", 6, "NEAR wants a whole number"),
        ("alpha ONEAR bravo", 6, "ONEAR wants a whole number"),
        ("ATLEAST (alpha)", 0, "ATLEAST wants a whole number"),
        ("ANY (alpha, bravo)", 0, "ANY wants a whole number"),
        ("FIRST alpha", 0, "FIRST wants a whole number"),
        ("alpha NEAR/0 bravo", 6, "NEAR wants a number from 1 to 100"),
        ("alpha NEAR/101 bravo", 6, "NEAR wants a number from 1 to 100"),
        ("alpha ONEAR/0 bravo", 6, "ONEAR wants a number from 1 to 100"),
        (f"alpha NEAR/{'9' * 5_000} bravo", 6, "NEAR wants a number from 1 to 100"),
        ("ATLEAST/0 alpha", 0, "ATLEAST wants a number from 1 to 1,000"),
        ("ATLEAST/1001 alpha", 0, "ATLEAST wants a number from 1 to 1,000"),
        ("FIRST/0 alpha", 0, "FIRST wants a number from 1 to 10,000"),
        ("FIRST/10001 alpha", 0, "FIRST wants a number from 1 to 10,000"),
        ("ANY/0 (alpha, bravo)", 0, "ANY wants a number from 1 to"),
        ("alpha near/5 bravo", 6, "in capitals"),
        ("alpha Near/5 bravo", 6, "in capitals"),
        ("alpha onear/5 bravo", 6, "in capitals"),
        ("atleast/3 alpha", 0, "in capitals"),
        ("any/2 (alpha, bravo)", 0, "in capitals"),
        ("first/50 alpha", 0, "in capitals"),
        ("alpha || bravo", 6, "|| is no operator"),
        ("alpha||bravo", 5, "|| is no operator"),
        ("alpha && bravo", 6, "&& is no operator"),
        ("alpha & bravo", 6, "& is no operator"),
        ("alpha !bravo", 6, "! is no operator"),
        ("alpha !(bravo carol)", 6, "! is no operator"),
    ],
)
def test_an_operator_that_is_written_wrongly_is_refused(query, offset, reason):
    refused(query, offset, reason)


@pytest.mark.parametrize(
    ("query", "offset", "reason"),
    [
        ("NEAR/5 alpha", 0, "missing before NEAR/5"),
        ("alpha NEAR/5", 6, "missing after NEAR/5"),
        ("alpha NEAR/5 OR bravo", 6, "missing after NEAR/5"),
        ("alpha NEAR/5 NEAR/3 bravo", 6, "missing after NEAR/5"),
        ("alpha AND NEAR/5 bravo", 6, "missing after AND"),
        ("(NEAR/5 alpha)", 1, "missing before NEAR/5"),
        ("(alpha NEAR/5)", 7, "missing after NEAR/5"),
        ("alpha NEAR/5 NOT bravo", 13, "NOT cannot stand beside NEAR/5"),
        ("alpha NEAR/5 -bravo", 13, "NOT cannot stand beside NEAR/5"),
        ("alpha NEAR/5 (bravo carol)", 14, "AND cannot stand beside NEAR/5"),
        ("alpha NEAR/5 (bravo NOT carol)", 14, "AND cannot stand beside NEAR/5"),
        ("alpha ONEAR/5 (bravo | carol delta)", 23, "AND cannot stand beside ONEAR/5"),
        ("(alpha bravo) NEAR/5 carol", 1, "AND cannot stand beside NEAR/5"),
        ("alpha NEAR/5 (NOT bravo)", 14, "NOT cannot stand beside NEAR/5"),
        ("alpha NEAR/5 @bravo", 13, "a topic cannot stand beside NEAR/5"),
        ("@alpha NEAR/5 bravo", 0, "a topic cannot stand beside NEAR/5"),
        ("alpha NEAR/5 ATLEAST/2 bravo", 13, "ATLEAST cannot stand beside NEAR/5"),
        ("ATLEAST/2 alpha NEAR/5 bravo", 0, "ATLEAST cannot stand beside NEAR/5"),
        ("alpha NEAR/5 ANY/2 (a, b, c)", 13, "ANY cannot stand beside NEAR/5"),
        ("title:alpha NEAR/5 body:bravo", 24, "different fields"),
        ("FIRST/50 alpha NEAR/5 summary:bravo", 30, "different fields"),
        ("author:alpha NEAR/5 bravo", 20, "different fields"),
        ("(title:alpha NEAR/5 bravo) NEAR/5 body:carol", 39, "different fields"),
        ("title: NEAR/5 alpha", 0, "missing after the field"),
    ],
)
def test_near_stands_between_words_only(query, offset, reason):
    refused(query, offset, reason)


@pytest.mark.parametrize(
    ("query", "offset", "reason"),
    [
        ("ATLEAST/3", 0, "missing after ATLEAST/3"),
        ("alpha ATLEAST/3 OR bravo", 6, "missing after ATLEAST/3"),
        ("ATLEAST/3 NOT alpha", 0, "missing after ATLEAST/3"),
        ("ATLEAST/3 ()", 10, "brackets are empty"),
        ("ATLEAST/3 @alpha", 10, "a topic cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 (alpha bravo)", 11, "AND cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 (alpha -bravo)", 11, "AND cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 (-alpha)", 11, "NOT cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 (alpha NEAR/5 bravo)", 11, "NEAR cannot stand behind ATLEAST/3"),
        ("ATLEAST/1 (alpha NEAR/5 bravo)", 11, "NEAR cannot stand behind ATLEAST/1"),
        ("ATLEAST/3 (alpha | ANY/2 (a, b, c))", 19, "ANY cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 ATLEAST/2 alpha", 10, "ATLEAST cannot stand behind ATLEAST/3"),
        ("ATLEAST/3 (alpha | ATLEAST/2 bravo)", 19, "ATLEAST cannot stand behind ATLEAST/3"),
        ("ANY/2", 0, "wants a list"),
        ("ANY/2 alpha", 0, "wants a list"),
        ("ANY/2 ()", 6, "brackets are empty"),
        ("ANY/2 (alpha, bravo", 6, "never closed"),
        ("ANY/2 (alpha, , bravo)", 12, "missing after the comma"),
        ("ANY/2 (alpha, bravo,)", 19, "missing after the comma"),
        ("ANY/2 (, alpha)", 7, "missing before the comma"),
        ("ANY/2 (alpha OR, bravo)", 13, "missing after OR"),
        ("ANY/2 (alpha, NOT bravo, carol)", 14, "only absence is asked for between commas"),
        ("ANY/2 (alpha, -bravo -delta, carol)", 14, "only absence is asked for between commas"),
        ("ANY/4 (alpha, bravo, carol)", 0, "wants more than the 3"),
        ("alpha ANY/2 (bravo OR carol)", 6, "wants more than the 1"),
        ("ANY/2 (alpha, (bravo, carol), delta)", 20, "a comma stands in brackets inside"),
        ("ANY/1 (the, of)", 7, "stop words"),
        ("ANY/2 (the, of, and)", 7, "stop words"),
        ("the NEAR/5 of", 0, "stop words"),
        ("ATLEAST/3 the", 10, "stop words"),
        ("FIRST/50 the", 9, "stop words"),
        ("~the", 0, "stop words"),
        ("FIRST/50", 0, "missing after FIRST/50"),
        ("FIRST/50 @alpha", 0, "FIRST/50 cannot stand before this"),
        ("FIRST/50 -alpha", 0, "FIRST/50 cannot stand before this"),
        ("FIRST/50 FIRST/20 NOT alpha", 9, "FIRST/20 cannot stand before this"),
        ("FIRST/50 (alpha @bravo)", 16, "a topic cannot be cut"),
        ("title:title:alpha", 6, "inside another"),
        ("alpha ~ bravo", 6, "no word in '~'"),
        ("~~alpha", 0, "~ wants a word right behind it"),
        ("=~alpha", 0, "= wants a word right behind it"),
        ("~title:alpha", 0, "~ wants a word right behind it"),
        ("~missil*", 0, "~ and * do not go together"),
        ('alpha ~"north korea"', 6, "~ goes with one word"),
        ("~Kim-Jong", 0, "~ goes with one word"),
        ("~北朝鮮", 0, "~ goes with one word"),
        ("~,", 0, "no word in ','"),
    ],
)
def test_what_counts_lists_cuts_and_inflects_wants_its_own_operand(query, offset, reason):
    refused(query, offset, reason)


@pytest.mark.parametrize(
    ("field", "meant"),
    [("titel", "title"), ("headline", "title"), ("byline", "author"), ("Keywords", "tag"), ("sorce", "source")],
)
def test_an_unknown_field_is_refused_with_a_guess(field, meant):
    with pytest.raises(QueryError) as refusal:
        parse(f"alpha {field}:bravo")
    assert refusal.value.offset == 6
    assert refusal.value.hint.startswith(f"did you mean {meant}:")


@pytest.mark.parametrize(
    "query",
    [
        "WHO",
        "IS OR US",
        '"The WHO"',
        "the alpha",
        '"the alpha"',
        "the*",
        "lang:is",
        "@the",
        "it @alpha",
        "(it | the) alpha",
        "alpha -it",
        "alpha OR it bravo",
        "alpha OR it NEAR/5 bravo",
        "ANY/2 (it, alpha, bravo)",
    ],
)
def test_acronyms_longer_queries_and_other_fields_are_not_only_stop_words(query):
    parse(query)


def test_a_query_may_have_20000_characters_and_no_more():
    longest = "alpha ".ljust(MAX_CHARACTERS)
    parse(longest)
    with pytest.raises(QueryError, match=r"longer than 20,000 characters at offset 20000"):
        parse(longest + " ")


def test_brackets_may_be_nested_50_deep_and_no_more():
    parse("(" * MAX_DEPTH + "alpha" + ")" * MAX_DEPTH)
    with pytest.raises(QueryError, match=f"at offset {MAX_DEPTH}"):
        parse("(" * (MAX_DEPTH + 1) + "alpha" + ")" * (MAX_DEPTH + 1))


def test_a_tree_as_deep_as_brackets_allow_is_read_and_written():
    query = "alpha"
    for level in range(MAX_DEPTH):
        query = f"bravo{level} ({query})" if level % 2 else f"carol{level} | ({query}) -delta"
    assert parse(canonical(parse(query))) == parse(query)


def test_20_prefixes_are_allowed_and_the_21st_is_pointed_at():
    prefixes = [f"alp{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz"[:MAX_PREFIXES]]
    parse(" ".join(prefixes))
    with pytest.raises(QueryError, match=f"at offset {6 * MAX_PREFIXES}"):
        parse(" ".join([*prefixes, '"bravo carol*"']))


@pytest.mark.parametrize("nested", ["(", "FIRST/50 (", "title:(", "ANY/2 (b, c, ", "b | (", "x -(", "b | (c -("])
def test_the_deepest_query_is_read_and_written_on_half_of_the_usual_stack(nested):
    levels = MAX_DEPTH // nested.count("(") if nested != "title:(" else 1
    query = nested * levels + "alpha" + ")" * (nested.count("(") * levels)
    frames = sum(1 for _ in inspect.stack())
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + 500)
    try:
        node = parse(query)
        assert parse(canonical(node)) == node
        assert hash(node)
    finally:
        sys.setrecursionlimit(usual)


def test_nears_in_a_row_count_as_brackets():
    parse(" NEAR/5 ".join(["alpha"] * (MAX_DEPTH + 1)))
    chain = " NEAR/5 ".join(["alpha"] * (MAX_DEPTH + 2))
    refused(chain, chain.rindex("NEAR"), "a NEAR counting as a pair")
    refused(f"(((alpha NEAR/5 ({chain}", chain.index("NEAR") + 17 + 13 * (MAX_DEPTH - 4), "a NEAR counting as a pair")


@pytest.mark.parametrize(
    "prefix", ["FIRST/5 ", "ATLEAST/2 ", "title:", "NOT ", "-", "~", "=", "ANY/1 ", "FIRST/5 title:"]
)
def test_signs_and_operators_in_a_row_never_exhaust_the_stack(prefix):
    query = prefix * ((MAX_CHARACTERS - 5) // len(prefix)) + "alpha"
    with suppress(QueryError):
        parse(query)


def test_a_query_of_three_thousand_alternatives_is_read():
    node = parse("|".join(f"w{number}" for number in range(3_300)))
    assert isinstance(node, Or)
    assert len(node.children) == 3_300
