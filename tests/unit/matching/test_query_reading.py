"""How queries are read, written and refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.errors import QueryError
from worker.matching.checks import MAX_CHARACTERS, MAX_DEPTH, MAX_PREFIXES
from worker.matching.query import And, Case, Not, Or, Phrase, Prefix, Reference, Term, Word, canonical, parse
from worker.model import Field


def term(key: str, case: Case = Case.ANY, scope: Field | None = None) -> Term:
    return Term(word=Word(key=key, case=case), scope=scope)


def phrase(*keys: str, stem: str = "") -> Phrase:
    return Phrase(words=tuple(Word(key=key) for key in keys), stem=stem)


A, B, C = term("alpha"), term("bravo"), term("carol")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("alpha", A),
        ("alpha bravo", And(children=(A, B))),
        ("alpha AND bravo", And(children=(A, B))),
        ("alpha OR bravo", Or(children=(A, B))),
        ("alpha|bravo", Or(children=(A, B))),
        ("alpha NOT bravo", And(children=(A, Not(child=B)))),
        ("alpha AND NOT bravo", And(children=(A, Not(child=B)))),
        ("alpha -bravo", And(children=(A, Not(child=B)))),
        ("alpha –bravo", And(children=(A, Not(child=B)))),
        ("NOT bravo alpha", And(children=(Not(child=B), A))),
        ("alpha bravo OR carol", Or(children=(And(children=(A, B)), C))),
        ("alpha NOT bravo OR carol", Or(children=(And(children=(A, Not(child=B))), C))),
        ("alpha (bravo OR carol)", And(children=(A, Or(children=(B, C))))),
        ("((alpha) ((bravo carol)))", And(children=(A, B, C))),
        ("alpha (NOT bravo)", And(children=(A, Not(child=B)))),
        ("alpha -(bravo carol)", And(children=(A, Not(child=And(children=(B, C)))))),
        ('"alpha bravo"', phrase("alpha", "bravo")),
        ("“alpha bravo”", phrase("alpha", "bravo")),
        ("„alpha bravo“", phrase("alpha", "bravo")),
        ("«alpha bravo»", phrase("alpha", "bravo")),
        ("alpha-bravo", phrase("alpha", "bravo")),
        ('"alpha"', A),
        ("北朝鮮", phrase("北", "朝", "鮮")),
        ("AT&T", phrase("at", "t")),
        ("alph*", Prefix(stem="alph")),
        ("북한*", Prefix(stem="북한")),
        ("北*", Prefix(stem="北")),
        ('"kim jong*"', phrase("kim", stem="jong")),
        ("kim-jong*", phrase("kim", stem="jong")),
        ("@north-korea", Reference(slug="north-korea")),
        ("@a (@b)", And(children=(Reference(slug="a"), Reference(slug="b")))),
        ("alpha and", And(children=(A, term("and")))),
        ("（alpha｜bravo）", Or(children=(A, B))),
        ("alpha,", A),
        ("7:30", phrase("7", "30")),
    ],
)
def test_a_query_is_read_as_its_grammar_says(query, expected):
    assert parse(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("US", term("us", Case.CAPITALS)),
        ("U.S.", term("us", Case.CAPITALS)),
        ('"US"', term("us", Case.CAPITALS)),
        ("NATO", term("nato", Case.CAPITALS)),
        ("США", term("сша", Case.CAPITALS)),
        ("H5N1", term("h5n1", Case.CAPITALS)),
        ("G7", term("g7")),
        ("Nato", term("nato")),
        ("iPhone", term("iphone")),
        ("NGOs", term("ngos")),
        ('"KIM JONG-UN"', phrase("kim", "jong", "un")),
        ('"US troops"', Phrase(words=(Word(key="us", case=Case.CAPITALS), Word(key="troops")))),
        ('"US 2024"', Phrase(words=(Word(key="us", case=Case.CAPITALS), Word(key="2024")))),
        ("COVID-19", Phrase(words=(Word(key="covid", case=Case.CAPITALS), Word(key="19")))),
        ("=Turkey", Term(word=Word(key="turkey", case=Case.EXACT, surface="Turkey"))),
        ("=U.S.", Term(word=Word(key="us", case=Case.EXACT, surface="U.S."))),
    ],
)
def test_capitals_in_a_query_mean_an_acronym_unless_all_of_a_phrase_is_in_capitals(query, expected):
    assert parse(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title:alpha", term("alpha", scope=Field.TITLE)),
        ("Title: alpha", term("alpha", scope=Field.TITLE)),
        ("tags:alpha", term("alpha", scope=Field.TAG)),
        ("title:(alpha OR bravo)", Or(children=(term("alpha", scope=Field.TITLE), term("bravo", scope=Field.TITLE)))),
        (
            "url:https://example.org",
            Phrase(words=(Word(key="https"), Word(key="example"), Word(key="org")), scope=Field.URL),
        ),
        ("title:=Turkey", Term(word=Word(key="turkey", case=Case.EXACT, surface="Turkey"), scope=Field.TITLE)),
        ("lang:it", term("it", scope=Field.LANG)),
        ("title:alph* bravo", And(children=(Prefix(stem="alph", scope=Field.TITLE), B))),
    ],
)
def test_a_field_restricts_the_word_or_the_group_behind_it(query, expected):
    assert parse(query) == expected


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
        ("alpha & bravo", 6, "no word in '&'"),
        ('alpha ""', 6, "no word"),
        ("alpha - bravo", 6, "no word in '-'"),
        ("a NEAR/5 b", 2, "NEAR is not known yet"),
        ("a NEAR b", 2, "NEAR is not known yet"),
        ("a near/5 b", 2, "NEAR is not known yet"),
        ("a ONEAR/5 b", 2, "ONEAR is not known yet"),
        ("ATLEAST/3 (a OR b)", 0, "ATLEAST is not known yet"),
        ("ANY/2 (a, b, c)", 0, "ANY is not known yet"),
        ("FIRST/50 (a)", 0, "FIRST is not known yet"),
        ("~missile", 0, "~ is not known yet"),
        ("alpha-(bravo)", 5, "a dash between"),
        ('alpha–"bravo"', 5, "a dash between"),
        ("title:~missile", 6, "~ is not known yet"),
    ],
)
def test_a_bad_query_is_refused_with_its_offset_and_what_to_write_instead(query, offset, reason):
    with pytest.raises(QueryError) as refusal:
        parse(query)
    assert reason in refusal.value.reason
    assert refusal.value.offset == offset
    assert refusal.value.hint


@pytest.mark.parametrize(
    "query", ["WHO", "IS OR US", '"The WHO"', "the alpha", '"the alpha"', "the*", "lang:is", "@the"]
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
    parse(" ".join(["alph*"] * MAX_PREFIXES))
    with pytest.raises(QueryError, match=f"at offset {6 * MAX_PREFIXES}"):
        parse(" ".join(["alph*"] * MAX_PREFIXES + ['"bravo carol*"']))


def test_a_query_of_six_thousand_alternatives_is_read():
    node = parse("aa|" * 6_600 + "bb")
    assert isinstance(node, Or)
    assert len(node.children) == 6_601


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("alpha   AND bravo", "alpha AND bravo"),
        ("alpha -bravo", "alpha NOT bravo"),
        ("(alpha|bravo) carol", "(alpha OR bravo) AND carol"),
        ("alpha NOT (bravo carol)", "alpha NOT (bravo AND carol)"),
        ("alpha NOT (bravo | carol)", "alpha NOT (bravo OR carol)"),
        ("Kim-Jong Un", '"kim jong" AND un'),
        ("U.S. Élysée", "US AND elysee"),
        ("title:(US | NATO)", "title:US OR title:NATO"),
        ('"AND"', '"AND"'),
        ("A.N.Y.", '"ANY"'),
        ("=Kim-Jong", '="Kim Jong"'),
        ("北朝鮮 北朝*", "北朝鮮 AND 北朝*"),
        ('"北 missile"', '"北 missile"'),
    ],
)
def test_the_canonical_text_is_short_and_plain(query, text):
    assert canonical(parse(query)) == text


ODD_WORDS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="abUSlLdśsŚ'’.,*-0½™éÉßẞİıŉ북한이北か\u3099\u0301\u093e\u00ad\u0345ǅ\u13a0\u13a1Σς", max_size=10),
    st.sampled_from(
        ["russia", "US", "NATO", "북한", "北朝鮮", "Kim-Jong", "missil*", "AND", "any", "the", "AT&T", "COVID-19"]
    ),
)
leaves = st.one_of(
    ODD_WORDS,
    ODD_WORDS.map(lambda word: f"={word}"),
    ODD_WORDS.map(lambda word: f"@{word}"),
    st.lists(ODD_WORDS, max_size=4).map(lambda words: f'"{" ".join(words)}"'),
    st.tuples(st.sampled_from(["title", "tags", "url"]), ODD_WORDS).map(":".join),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" ", " AND ", " OR ", "|", " NOT ", " -"]), inner).map("".join),
        inner.map(lambda query: f"({query})"),
        inner.map(lambda query: f"body:({query})"),
    ),
    max_leaves=8,
)


@settings(max_examples=600)
@given(st.one_of(queries, st.text(max_size=30), st.text(alphabet='ab" ()|-*=@~:ANDORT/5', max_size=20)))
def test_any_text_is_refused_with_an_offset_in_it_or_its_canonical_text_reads_as_the_same_tree(query):
    try:
        node = parse(query)
    except QueryError as error:
        refusal = error
    else:
        assert parse(canonical(node)) == node
        assert canonical(parse(canonical(node))) == canonical(node)
        return
    assert 0 <= refusal.offset <= len(query)
    assert refusal.hint
