"""How queries are read, written and refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.errors import QueryError
from worker.matching.query import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    Word,
    canonical,
    parse,
)
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
    ("query", "expected"),
    [
        ("alpha NEAR/5 bravo", Near(left=A, right=B, distance=5)),
        ("alpha ONEAR/100 bravo", Near(left=A, right=B, distance=100, is_ordered=True)),
        ("alpha NEAR/1(bravo|carol)", Near(left=A, right=Or(children=(B, C)), distance=1)),
        ("alpha bravo NEAR/5 carol", And(children=(A, Near(left=B, right=C, distance=5)))),
        ("alpha NOT bravo NEAR/5 carol", And(children=(A, Not(child=Near(left=B, right=C, distance=5))))),
        (
            "alpha NEAR/2 bravo ONEAR/3 carol",
            Near(left=Near(left=A, right=B, distance=2), right=C, distance=3, is_ordered=True),
        ),
        (
            "alpha NEAR/2 (bravo NEAR/3 carol)",
            Near(left=A, right=Near(left=B, right=C, distance=3), distance=2),
        ),
        ("ATLEAST/3 alpha", AtLeast(count=3, child=A)),
        ("ATLEAST/3 (alpha OR (bravo | carol))", AtLeast(count=3, child=Or(children=(A, B, C)))),
        ("ATLEAST/1 alpha", A),
        ("ATLEAST/2 alpha bravo", And(children=(AtLeast(count=2, child=A), B))),
        ("ANY/2 (alpha, bravo, carol)", AnyOf(count=2, children=(A, B, C))),
        ("ANY/2 (alpha,bravo、carol，alpha)", AnyOf(count=2, children=(A, B, C, A))),
        ("ANY/2(alpha bravo, carol NOT bravo, @x)", AnyOf(
            count=2,
            children=(
                And(children=(A, B)), And(children=(C, Not(child=B))), Reference(slug="x"),
            ),
        )),
        ("ANY/1 (alpha, bravo | carol)", Or(children=(A, B, C))),
        ("ANY/3 (alpha, bravo, carol)", And(children=(A, B, C))),
        ("ANY/1 (alpha)", A),
        ("ANY/2 (1,000, 2,000, alpha)", AnyOf(count=2, children=(term("1,000"), term("2,000"), A))),
        ("alpha, bravo", And(children=(A, B))),
        ("~Missiles", Term(word=Word(key="missiles", case=Case.INFLECTED, surface="missiles"))),
        ("~Élysée", Term(word=Word(key="elysee", case=Case.INFLECTED, surface="élysée"))),
        ('~"UK"', Term(word=Word(key="uk", case=Case.INFLECTED, surface="uk"))),
    ],
)  # fmt: skip
def test_operators_with_a_number_are_read_as_the_grammar_says(query, expected):
    assert parse(query) == expected


def cut(leaf: Term, within: int, scope: Field | None = None) -> Term:
    return Term(word=leaf.word, scope=scope, within=within)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("FIRST/50 alpha bravo", And(children=(cut(A, 50), B))),
        ("FIRST/50 (alpha | bravo)", Or(children=(cut(A, 50), cut(B, 50)))),
        ("FIRST/50 (alpha FIRST/20 bravo)", And(children=(cut(A, 50), cut(B, 20)))),
        ("FIRST/20 (alpha FIRST/50 bravo)", And(children=(cut(A, 20), cut(B, 20)))),
        ("FIRST/50 FIRST/20 FIRST/90 alpha", cut(A, 20)),
        ("FIRST/50 title:alpha", cut(A, 0, Field.TITLE)),
        ("title:FIRST/50 alpha", cut(A, 0, Field.TITLE)),
        ("FIRST/50 body:alpha", cut(A, 50, Field.BODY)),
        ("body:(FIRST/50 alpha)", cut(A, 50, Field.BODY)),
        ("FIRST/50 (alpha NEAR/3 bravo)", Near(left=cut(A, 50), right=cut(B, 50), distance=3)),
        ("ATLEAST/2 FIRST/50 alpha", AtLeast(count=2, child=cut(A, 50))),
        ("FIRST/50 ATLEAST/2 alpha", AtLeast(count=2, child=cut(A, 50))),
        ("title:ATLEAST/2 alpha", AtLeast(count=2, child=cut(A, 0, Field.TITLE))),
        (
            "title:ANY/2 (alpha, bravo, carol)",
            AnyOf(count=2, children=tuple(cut(leaf, 0, Field.TITLE) for leaf in (A, B, C))),
        ),
    ],
)
def test_first_stands_at_every_word_and_the_smaller_wins(query, expected):
    assert parse(query) == expected


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
        ('"NEAR5"', '"NEAR5"'),
        ("(alpha|bravo) NEAR/5 (carol)", "(alpha OR bravo) NEAR/5 carol"),
        ("(alpha NEAR/2 bravo) NEAR/5 (carol ONEAR/3 delta)", "alpha NEAR/2 bravo NEAR/5 (carol ONEAR/3 delta)"),
        ("alpha|(bravo NEAR/5 carol)", "alpha OR bravo NEAR/5 carol"),
        ("-(bravo NEAR/5 carol) alpha", "NOT bravo NEAR/5 carol AND alpha"),
        ("ATLEAST/3(alpha|bravo)", "ATLEAST/3 (alpha OR bravo)"),
        ("ATLEAST/3 (alpha)", "ATLEAST/3 alpha"),
        ("ANY/2(alpha|bravo,(carol),ANY/2(a,b,c))", "ANY/2 (alpha OR bravo, carol, ANY/2 (a, b, c))"),
        ("title:ANY/2 (alpha, bravo, carol)", "ANY/2 (title:alpha, title:bravo, title:carol)"),
        ("FIRST/50 (alpha body:bravo title:carol)", "FIRST/50 alpha AND FIRST/50 body:bravo AND title:carol"),
        ("~Missiles", "~missiles"),
        ("title:~“U.K.”", "title:~u.k."),
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


@thorough(many=600)
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
