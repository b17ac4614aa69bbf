"""The same article or another one: pairs of sightings, each with its verdict and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake import wire
from worker.intake.decide import Known
from worker.intake.likeness import are_titles_related
from worker.intake.sighting import Sight, is_moved_along, recognise, why_reused
from worker.model import ArticleId, ParsedArticle

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FERRIES = ParsedArticle(
    guid="1",
    url="https://gull.example/ferries",
    title="Fog holds the ferries at Marlow",
    summary="No boat left Marlow before noon on Monday, the harbour master said, for the fog would not lift.",
    published_at=NOON,
)
VOTE = ParsedArticle(
    guid="1",
    url="https://gull.example/vote",
    title="Ostrau rejects the bridge",
    summary="Six in ten voters said no to the toll bridge over the strait, with every district counted.",
    published_at=NOON + timedelta(hours=3),
)
BRIEFING = ParsedArticle(
    guid="latest", url="https://gull.example/briefing", title="Morning briefing", published_at=NOON, body=wire.AGENCY
)
KOREAN = ParsedArticle(
    guid="9", url="https://yon.example/9", title="북한, 단거리 미사일 두 발 발사", body=wire.KOREAN, published_at=NOON
)
UNTOLD: dict[str, Any] = {"published_at": None}


def later(hours: float) -> dict[str, Any]:
    return {"published_at": NOON + timedelta(hours=hours)}


def at(path: str) -> dict[str, Any]:
    return {"url": f"https://gull.example/{path}"}


# The earlier telling, the later one under the same key, whether that is another article, and why.
SAME_KEY = [
    (FERRIES, FERRIES, False, "told again"),
    (FERRIES, replace(FERRIES, title="Marlow's ferries sail again after fog"), False, "a rewritten headline"),
    (FERRIES, replace(FERRIES, title="Harbour reopens"), False, "another headline over the same words"),
    (FERRIES, replace(FERRIES, title="Harbour reopens", summary="Boats sail."), False, "a rewrite at one address"),
    (FERRIES, replace(VOTE, url=FERRIES.url, **later(0)), False, "all rewritten, under address and date that it had"),
    (FERRIES, replace(VOTE, url=FERRIES.url, **later(3)), False, "all rewritten within hours at one address"),
    (FERRIES, replace(VOTE, url=FERRIES.url, **later(19)), False, "all rewritten within a day at one address"),
    (FERRIES, replace(VOTE, url=FERRIES.url, **later(24)), True, "a page with another article every day"),
    (FERRIES, replace(VOTE, url=FERRIES.url, **UNTOLD), False, "at one address, and no date says otherwise"),
    (FERRIES, VOTE, True, "GUID 1 again, for all else"),
    (FERRIES, replace(VOTE, **UNTOLD), True, "GUID 1 again, undated"),
    (replace(FERRIES, **UNTOLD), VOTE, True, "GUID 1 again, the first undated"),
    (FERRIES, replace(VOTE, **later(0)), False, "its address made anew of its headline, its date as it was"),
    (FERRIES, replace(VOTE, **later(-48)), True, "an earlier article that bears our GUID"),
    (FERRIES, replace(FERRIES, **at("ferries-2")), False, "moved to another address"),
    (FERRIES, replace(FERRIES, **at("ferries-2"), **later(5)), False, "moved and dated anew"),
    (FERRIES, replace(FERRIES, **at("2"), title="Marlow ferries held by fog", summary=""), False, "shortened, moved"),
    (FERRIES, replace(FERRIES, **at("2"), summary=VOTE.summary, **later(2)), False, "its headline, moved within hours"),
    (FERRIES, replace(FERRIES, **at("2"), summary=VOTE.summary, **later(30)), True, "the same headline on another day"),
    (FERRIES, replace(FERRIES, summary=VOTE.summary, **later(30)), True, "a page that keeps title and address"),
    (FERRIES, replace(FERRIES, summary="Fog.", **later(30)), False, "too few words to be another day's"),
    (FERRIES, replace(FERRIES, url="http://GULL.example/ferries/?utm_source=rss"), False, "the same address"),
    (FERRIES, replace(FERRIES, url=""), False, "without its address, in the same words"),
    (FERRIES, replace(VOTE, url="", **later(2)), False, "nobody knows where it stands: a rewrite within hours"),
    (FERRIES, replace(VOTE, url="", **later(24)), True, "nobody knows where it stands: another day, title, wording"),
    (replace(FERRIES, url=""), replace(VOTE, url="", **UNTOLD), False, "nothing to tell them apart by but their words"),
    (BRIEFING, replace(BRIEFING, body=wire.ANOTHER_REPORT, **later(24)), True, "the next day's briefing"),
    (BRIEFING, replace(BRIEFING, body=wire.ANOTHER_REPORT, **later(6)), False, "the briefing, brought up to date"),
    (BRIEFING, replace(BRIEFING, body=wire.TRIMMED, **later(24)), False, "the briefing, cut, with a later date"),
    (BRIEFING, replace(BRIEFING, body=wire.WITH_A_TAIL, **later(24)), False, "the briefing, longer, with a later date"),
    (BRIEFING, replace(BRIEFING, title="Evening briefing", body=wire.ANOTHER_REPORT, **later(48)), True, "later"),
    (KOREAN, replace(KOREAN, title="북한이 미사일을 발사했다", body=""), False, "the same in other forms of its words"),
    (KOREAN, replace(KOREAN, title="합참 \"추가 도발 대비\"", **later(2)), False, "another headline, the same text"),
    (KOREAN, replace(KOREAN, url="https://yon.example/10", title="코스피 사상 최고치 마감", body="", **later(2)), True,
     "GUID 9 again, for the stock exchange"),
    (replace(FERRIES, title="Live: storm nears"), replace(FERRIES, title="Live: storm at Marlow", **later(2)), False,
     "a live page goes on"),
    (replace(FERRIES, title="Quake", summary=""), replace(FERRIES, title="Quake kills 12", summary=""), False,
     "a headline that grows"),
    (replace(FERRIES, summary="", **at("a")), replace(VOTE, summary="", **at("b")), True, "headlines alone, apart"),
    (replace(FERRIES, summary=""), replace(VOTE, url=FERRIES.url, summary="", **later(2)), False,
     "headlines only, one address"),
    (replace(FERRIES, body=wire.AGENCY), replace(VOTE, body=wire.TRIMMED, **later(2)), False,
     "the same report under another headline and address"),
    (replace(FERRIES, summary=wire.AGENCY), replace(FERRIES, title="Boats meet", summary=wire.TRIMMED, **at("x")),
     False, "a desk's own headline over the agency's words"),
    (replace(FERRIES, title="Fire in Marlow", summary="", **at("a")),
     replace(FERRIES, title="Fire in Ostrau", summary="", **at("b"), **later(1)), True, "half a headline"),
    (FERRIES, replace(FERRIES, title="Fog holds the ferries at Marlow | 12 views", **later(30)), False, "a counter"),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "told", "is_another", "why"), SAME_KEY, ids=[case[3] for case in SAME_KEY])
def test_one_key_may_stand_for_two_articles(ours, told, is_another, why):
    assert bool(why_reused(told, ours)) is is_another, why
    seen = recognise(told, Known(article_id=ArticleId(7), article=ours), [])
    assert (seen.sight is not Sight.SAME) is is_another
    assert not is_another or seen.reason.startswith("its GUID was article 7's: another ")


OTHER_KEY = [
    (FERRIES, replace(FERRIES, guid="2"), True, "its GUID made anew"),
    (FERRIES, replace(FERRIES, guid="https://gull.example/ferries?utm_source=rss"), True, "a permalink that tracks"),
    (FERRIES, replace(FERRIES, guid="2", url="http://gull.example/ferries/"), True, "http, and a slash"),
    (FERRIES, replace(FERRIES, guid="2", title="Marlow's ferries sail after fog"), True, "its GUID of its headline"),
    (FERRIES, replace(FERRIES, guid="2", title="Harbour reopens"), True, "other headline, same words, same address"),
    (FERRIES, replace(VOTE, guid="2", url=FERRIES.url), False, "two items that link to one page"),
    (FERRIES, replace(FERRIES, guid="2", **at("ferries-2")), False, "two addresses: perhaps a copy, not the item"),
    (BRIEFING, replace(BRIEFING, guid="2", body=wire.ANOTHER_REPORT, **later(24)), False, "the next day's briefing"),
    (BRIEFING, replace(BRIEFING, guid="2", **later(24)), True, "dated anew, in the same words"),
    (replace(FERRIES, url=""), replace(FERRIES, url="", guid="2"), True, "no address: title and date"),
    (replace(FERRIES, url=""), replace(FERRIES, url="", guid="2", **UNTOLD), True, "no address, and undated"),
    (replace(FERRIES, url=""), replace(FERRIES, url="", guid="2", **later(5)), False, "no address, another date"),
    (replace(FERRIES, url=""), replace(FERRIES, url="", guid="2", summary=VOTE.summary), False, "other words"),
    (replace(FERRIES, url=""), FERRIES, False, "with an address and without"),
    (replace(FERRIES, url="", title=""), replace(FERRIES, url="", title="", guid="2"), False, "no title, no address"),
]


@pytest.mark.parametrize(("ours", "told", "is_ours", "why"), OTHER_KEY, ids=[case[3] for case in OTHER_KEY])
def test_two_keys_may_stand_for_one_article(ours, told, is_ours, why):
    seen = recognise(told, None, [Known(article_id=ArticleId(7), article=ours)])
    assert (seen.sight is Sight.MOVED) is is_ours, why
    assert not is_ours or "as article 7 under another GUID" in seen.reason
    told_apart = recognise(told, None, [Known(article_id=ArticleId(7), article=ours)], present={ArticleId(7)})
    assert told_apart.sight is Sight.UNKNOWN  # its document tells both


def test_an_earlier_article_under_our_key_leaves_us_the_key():
    seen = recognise(replace(VOTE, **later(-48)), Known(article_id=ArticleId(7), article=FERRIES), [])
    assert (seen.sight, seen.apart) == (Sight.BORROWED, frozenset({ArticleId(7)}))


def test_what_bears_anothers_key_and_stands_where_it_stood_is_itself():
    holder, itself = Known(article_id=ArticleId(8), article=VOTE), Known(article_id=ArticleId(7), article=FERRIES)
    seen = recognise(FERRIES, holder, [holder, itself])
    assert (seen.sight, seen.known) == (Sight.SAME, itself)
    assert seen.reason == "same address as article 7 under the GUID of article 8"


@pytest.mark.parametrize(
    ("change", "is_ours"),
    [
        ({"url": "https://www.gull.example/ferries"}, True),
        ({"url": "https://news.tern.example/2026/11/marlow"}, True),  # the title and date that it had
        ({"url": "https://www.gull.example/ferries", **later(9)}, True),  # the path that it had
        ({"url": "https://news.tern.example/2026/11/marlow", **later(9)}, False),
        ({"url": "https://www.gull.example/ferries", "title": "Fog holds the ferries"}, False),
        ({"url": "https://www.gull.example/ferries", "summary": VOTE.summary}, False),
    ],
)
def test_after_a_move_of_a_whole_source_title_and_path_or_date_are_enough(change, is_ours):
    assert is_moved_along(replace(FERRIES, guid="2", **change), FERRIES) is is_ours


@pytest.mark.parametrize(
    ("one", "other", "related"),
    [
        ("Ministers summon ambassador", "Ambassador summoned by minister", True),
        ("The men in the port", "The men in the city", False),
        ("Nation votes", "Votes of the nation", True),
        ("", "", False),
        ("日本で大地震", "大地震、日本の東北で", True),
        ("日本で大地震", "株価が最高値を更新", False),
    ],
)
def test_titles_are_compared_by_their_telling_words(one, other, related):
    assert are_titles_related(one, other) is related


_TOLD = st.builds(
    ParsedArticle,
    guid=st.just("1"),
    url=st.sampled_from(["", FERRIES.url, VOTE.url, "http://gull.example/vote/?utm_source=x"]),
    title=st.sampled_from(["", FERRIES.title, VOTE.title, BRIEFING.title]),
    summary=st.sampled_from(["", FERRIES.summary, VOTE.summary]),
    body=st.sampled_from(["", wire.AGENCY, wire.ANOTHER_REPORT]),
    published_at=st.none() | st.integers(-60, 60).map(lambda hours: NOON + timedelta(hours=hours)),
)


@given(_TOLD)
def test_what_is_told_again_word_for_word_is_always_itself(told):
    ours = Known(article_id=ArticleId(7), article=told)
    assert recognise(told, ours, [ours]).sight is Sight.SAME


@given(_TOLD, st.none() | _TOLD, st.lists(_TOLD, max_size=3))
def test_a_sighting_always_hangs_together(told, by_key, at_place):
    known = Known(article_id=ArticleId(1), article=by_key) if by_key else None
    here = [Known(article_id=ArticleId(2 + n), article=one) for n, one in enumerate(at_place)]
    seen = recognise(told, known, here)
    assert (seen.sight is Sight.UNKNOWN) == (seen.known is None)
    assert bool(seen.reason) == (seen.sight is not Sight.UNKNOWN)
    assert by_key is None or seen.sight not in {Sight.UNKNOWN, Sight.MOVED}
    assert seen.sight in {Sight.REUSED, Sight.BORROWED, Sight.UNKNOWN} or seen.known not in [
        one for one in here if one.article_id in seen.apart
    ]
