"""What each service's own rules of precedence and spelling make of a query."""

from __future__ import annotations

import pytest

from worker.errors import QueryError
from worker.matching.foreign.origin import Source
from worker.matching.foreign.translation import translate


@pytest.mark.parametrize(
    ("query", "becomes"),
    [
        ("vacation london OR paris OR rome", "vacation AND (london OR paris OR rome)"),
        ("a1 OR b1 c1 OR d1", "(a1 OR b1) AND (c1 OR d1)"),
        ("(a1 b1) | (c1 d1)", "a1 AND b1 OR c1 AND d1"),
        ("a1 OR b1 -c1 d1", "(a1 OR b1) NOT c1 AND d1"),
        ("-c1 a1", "NOT c1 AND a1"),
        ("a1 –c1", "a1 NOT c1"),
        ("a1 - c1", "a1 AND c1"),
        ("a1 --c1", "a1 NOT c1"),
        ("a1 \u200eOR\u200e b1", "a1 OR b1"),
        ("covid-19", '"covid 19"'),
        ("-intitle:film korea", "NOT title:film AND korea"),
        ("intitle:(film OR series) korea", "(title:film OR title:series) AND korea"),
        ("Intitle: film korea", "title:film AND korea"),
        ("allintitle: korea missile", "title:korea AND title:missile"),
        ("allintitle:korea OR japan missile", "(title:korea OR title:japan) AND title:missile"),
        ("“north korea”（missile　OR rocket）", '"north korea" AND (missile OR rocket)'),
        ("apple AROUND (3) pie OR tart", "apple NEAR/4 pie OR tart"),
        ("site:*.gov korea", "url:gov AND korea"),
        ("site:https://www.example.com/news korea", 'url:"https www example com news" AND korea'),
        ("http://example.com/a", '"http example com a"'),
        ("inurl:watch?v=7", 'url:"watch v 7"'),
        ("why? korea", "korea"),
        ("news about AI regulation in EU", "news AND AI AND regulation AND EU"),
        ("us korea", "korea"),
        ("C# developer", "c AND developer"),
        ("@kremlin #nato", "kremlin AND nato"),
        ("AT&T", '"at t"'),
        ("북한 OR 조선 미사일", "(북한 OR 조선) AND 미사일"),
        ("SOURCE:BBC korea", "source:BBC AND korea"),
        ("inurl:NEWS korea", "url:news AND korea"),
    ],
)
def test_google_alerts(query: str, becomes: str) -> None:
    assert translate(query, Source.GOOGLE).query == becomes


@pytest.mark.parametrize(
    ("query", "becomes"),
    [
        ("bill clinton or gore and george bush", '"bill clinton" OR gore AND "george bush"'),
        ("a1 or b1 not c1 and d1", "a1 OR b1 NOT c1 AND d1"),
        ("a1 not b1 not c1", "a1 NOT b1 NOT c1"),
        ("a1 AND NOT b1", "a1 NOT b1"),
        ("hd=a1 near5 b1 c1", 'title:a1 NEAR/5 title:"b1 c1"'),
        ("nokia hd=europe", "nokia AND title:europe"),
        ("not hd=film and korea", "NOT title:film AND korea"),
        ("a1 near5 b1 near6 c1", "a1 NEAR/5 b1 NEAR/6 c1"),
        ("bill (clinton or gates)", "bill ONEAR/1 (clinton OR gates)"),
        ("/N3/", "refused"),
        ("a1/n3/b1", "a1 NEAR/3 b1"),
        ("a1 w/ 3 b1", "a1 ONEAR/3 b1"),
        ("a1 near0 b1", "a1 NEAR/1 b1"),
        ("world cup/F50/ and rugby", 'FIRST/50 "world cup" AND rugby'),
        ("(a1 and b1)/F20/", "FIRST/20 a1 AND FIRST/20 b1"),
        ("atleast1 korea", "korea"),
        ("atleast3 kim jong un", 'ATLEAST/3 "kim jong un"'),
        ("bill clinton's 'economic plan'", '"bill clinton economic plan"'),
        ("jean-claude trichet", '"jean claude trichet"'),
        ("a1 and (b1 and c1) near3 d1", "a1 AND b1 AND c1 AND d1"),
        ("a1 near3 hd=b1", "a1 NEAR/3 title:b1"),
        ("near korea", "refused"),
        ("hd:europe trade", "title:europe AND trade"),
        ('north korea and sn:"financial times"', 'north AND korea AND source:"financial times"'),
        ("re: your mail", '"re your mail"'),
        ("coffee -tea cup", "coffee NOT tea AND cup"),
        ("date 20240101 and korea", "korea"),
        ("date -7 and korea", "korea"),
        ("closing date and korea", '"closing date" AND korea'),
        ("the", "refused"),
        ("date last 30 days and korea", "korea"),
        ("korea and date last week", "korea"),
        ("nearly korea", '"nearly korea"'),
        ("korea\tand\u00a0missile", "korea AND missile"),
        ("la=ko and north korea", 'lang:ko AND "north korea"'),
        ("LA=EN AND NORTH KOREA AND MISSILE", 'lang:en AND "north korea" AND missile'),
    ],
)
def test_factiva(query: str, becomes: str) -> None:
    if becomes == "refused":
        with pytest.raises(QueryError):
            translate(query, Source.FACTIVA)
    else:
        assert translate(query, Source.FACTIVA).query == becomes


@pytest.mark.parametrize(
    ("query", "becomes"),
    [
        ("a1 or b1 and c1 not d1", "a1 OR b1 AND c1 NOT d1"),
        ('("privacy law" OR gdpr) near/5 fine', '("privacy law" OR gdpr) NEAR/6 fine'),
        ("a1 NEAR b1 AND c1", "a1 NEAR/5 b1 AND c1"),
        ("near AND far", "near AND far"),
        ("apple -juice", "apple NOT juice"),
        ('apple -"apple juice" AND pear', 'apple NOT "apple juice" AND pear'),
        ("title:a1 NEAR/3 body:b1", "title:a1 AND body:b1"),
        ("Title:(a1 OR {B1})", "title:a1 OR title:=B1"),
        ("{}", "refused"),
        ("hashtag:climate OR #cop30", "climate OR cop30"),
        ('{"North Korea"} AND a1', '="North Korea" AND a1'),
        ("metaData.url:example.com AND a1", 'url:"example com" AND a1'),
        ("https://example.com/a AND b1", '"https example com a" AND b1'),
        ("language:de AND a1", "lang:de AND a1"),
        ("NOT a1 AND b1", "NOT a1 AND b1"),
        ("a1 AND (b1 OR c1)^10 NOT d1^3.5", "a1 AND (b1 OR c1) NOT d1"),
    ],
)
def test_meltwater(query: str, becomes: str) -> None:
    if becomes == "refused":
        with pytest.raises(QueryError):
            translate(query, Source.MELTWATER)
    else:
        assert translate(query, Source.MELTWATER).query == becomes


@pytest.mark.parametrize(
    ("query", "becomes"),
    [
        ("bankrupt! w/25 discharg! and student or college", "bankrupt* NEAR/25 discharg* AND (student OR college)"),
        ("a1 and b1 and not c1 or d1", "a1 AND b1 NOT (c1 OR d1)"),
        ("a1 /5 b1", "a1 NEAR/5 b1"),
        ("a1 -b1 and c1", "a1 NOT b1 AND c1"),
        ("a1 near/5 b1 onear/2 c1", "a1 NEAR/5 b1 ONEAR/2 c1"),
        ("george washington and delaware", '"george washington" AND delaware'),
        ("body(a1 w/3 b1)", "body:a1 NEAR/3 body:b1"),
        ("language(english) and a1", "lang:en AND a1"),
        ("date aft 1/1/2020 and a1", "a1"),
        ("atleast3(a1 or b1)", "ATLEAST/3 (a1 OR b1)"),
        ("wom*n", "woman OR women OR womin OR womon OR womun OR womyn"),
    ],
)
def test_nexis(query: str, becomes: str) -> None:
    assert translate(query, Source.NEXIS).query == becomes


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize(
    ("query", "reason", "offset"),
    [
        ("", "the query is empty", 0),
        ("  ", "the query is empty", 0),
        ("(korea", "this bracket is never closed", 0),
        ("korea)", "this bracket closes nothing", 5),
        (")", "this bracket closes nothing", 0),
        ("korea ()", "these brackets are empty", 6),
        ('korea "north', "this quote is never closed", 6),
        ("korea OR", "a word is missing after OR", 6),
        ("OR korea", "a word is missing before OR", 0),
        ("korea AND OR film", "a word is missing after AND", 6),
        ("(" * 51 + "korea" + ")" * 51, "nested more than 50 deep", 50),
        ("x" * 20_001, "the query is longer than 20,000 characters", 20_000),
    ],
)
def test_what_breaks_any_language_is_refused_with_its_place(
    source: Source, query: str, reason: str, offset: int
) -> None:
    with pytest.raises(QueryError) as refusal:
        translate(query, source)
    assert (refusal.value.reason, refusal.value.offset) == (reason, offset)
