"""How a story is told: which article, which reasons, which words are marked, in which section."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.content import Image
from worker.facts import Concern, DueStory, Telling
from worker.model import Picture, Severity, StoryId, TopicId
from worker.planning.cards import (
    SNIPPET_CHARS,
    Library,
    alert,
    card,
    is_private,
    reason,
    sections,
    snippet,
    tellable,
    told_card,
)
from worker.planning.recarding import corrected

AT = datetime(2026, 11, 23, tzinfo=UTC)
KOREA, RUSSIA, OWN = TopicId(1), TopicId(2), TopicId(3)
NAMES = {KOREA: {"en": "North Korea", "ko": "북한"}, RUSSIA: {"en": "Russia"}, OWN: {}}
SLUGS = {KOREA: "north-korea", RUSSIA: "russia", OWN: None}


def telling(article: int = 1, story: int = 1, **values: Any) -> Telling:
    about: dict[str, Any] = {
        "article_id": article,
        "story_id": StoryId(story),
        "revision": 1,
        "title": f"Title {article}",
        "summary": "",
        "body": "",
        "url": f"https://gazette.example/{article}",
        "outlet": "Gazette",
        "house": False,
        "lang": "en",
        "author": "",
        "section": "",
        "severity": Severity.NORMAL,
        "published_at": AT,
        "seen_at": AT,
        "is_copy": False,
    }
    return Telling(**{**about, **values})


def concern(
    topic: TopicId = KOREA, article: int = 1, story: int = 1, *, strength: int = 3, evidence: tuple[Any, ...] = ()
) -> Concern:
    return Concern(
        article_id=article,
        story_id=StoryId(story),
        topic_id=topic,
        slug=SLUGS[topic],
        names=NAMES[topic],
        query="harbour OR quay",
        strength=strength,
        evidence=list(evidence),
        matched_at=AT,
    )


def span(alias: str, start: int, *, field: str = "summary") -> dict[str, Any]:
    return {"field": field, "start": start, "end": start + len(alias), "part": 0, "alias": alias}


def test_the_first_telling_speaks_and_other_outlets_are_named_once():
    library = Library.of(
        [telling(1), telling(2, outlet="Ledger"), telling(3, outlet="Gazette"), telling(4, outlet="Ledger")],
        [concern()],
    )
    told = card(library, StoryId(1), [KOREA], locale="en")
    assert told is not None
    assert (told.article_id, told.title, told.also_in) == (1, "Title 1", ("Ledger",))


def test_a_reason_is_named_in_the_readers_language_else_in_english_else_by_its_query():
    assert reason([concern()], locale="ko").topic == "북한"
    assert reason([concern(RUSSIA)], locale="ko").topic == "Russia"
    own = reason([concern(OWN)], locale="ko")
    assert (own.topic, own.slug) == ("harbour OR quay", None)


def test_a_reason_names_each_word_once_and_not_too_many():
    spans = [span(word, 0) for word in ("DPRK", "DPRK", "Pyongyang", "Kim", "North", "N. Korea", "Wonsan")]
    words = reason([concern(evidence=tuple(spans))], locale="en").words
    assert words == ("DPRK", "Pyongyang", "Kim", "North", "N. Korea")


def test_words_are_marked_where_they_stand_in_the_summary():
    summary = "  Envoys of the DPRK met in Moscow."
    shown = summary.strip()
    spans = (
        span("DPRK", summary.index("DPRK")),
        span("Moscow", summary.index("Moscow")),
        span("DPRK", 3, field="body"),
    )
    library = Library.of([telling(summary=summary)], [concern(evidence=spans)])
    told = card(library, StoryId(1), [KOREA], locale="en")
    assert told is not None
    assert [told.summary[start:end] for start, end in told.highlights] == ["DPRK", "Moscow"]
    assert told.summary == shown


def test_nothing_is_marked_in_a_snippet_of_the_body_or_for_another_article():
    library = Library.of(
        [telling(body="The DPRK said so.")], [concern(evidence=(span("DPRK", 4, field="body"), span("DPRK", 4)))]
    )
    told = card(library, StoryId(1), [KOREA], locale="en")
    assert told is not None
    assert (told.summary, told.highlights) == ("The DPRK said so.", ())


@given(st.text(st.characters(codec="utf-8"), max_size=900), st.data())
def test_a_snippet_is_short_and_every_mark_lies_within_it(summary, data):
    start = data.draw(st.integers(0, max(len(summary) - 1, 0)))
    library = Library.of(
        [telling(summary=summary, body="Body.")], [concern(evidence=(span(summary[start : start + 5], start),))]
    )
    told = card(library, StoryId(1), [KOREA], locale="en")
    assert told is not None
    assert len(told.summary) <= SNIPPET_CHARS + 1
    for first, last in told.highlights:
        assert 0 <= first < last <= len(told.summary)
        assert told.summary[first:last] == summary[start : start + 5]


@pytest.mark.parametrize("text", ["word " * 200, "x" * 2000, "한국어" * 300])
def test_a_long_text_is_cut_at_a_word_where_there_is_one(text):
    cut = snippet(telling(summary=text))
    assert cut.endswith("…")
    assert text.startswith(cut.removesuffix("…"))
    assert not cut.removesuffix("…").endswith(" ")


def test_a_story_of_which_nothing_is_left_is_not_told():
    assert card(Library.of([], [concern()]), StoryId(1), [KOREA], locale="en") is None
    assert card(Library.of([telling()], []), StoryId(1), [KOREA], locale="en") is None
    assert alert(Library.of([telling()], [concern(RUSSIA)]), StoryId(1), [KOREA], locale="en") is None


def test_only_topics_with_something_to_tell_are_tellable():
    story = DueStory(story_id=StoryId(1), topics={KOREA: 4, RUSSIA: 5})
    assert tellable(Library.of([telling()], [concern(RUSSIA)]), story) == (RUSSIA,)
    assert tellable(Library.of([], [concern(RUSSIA)]), story) == ()


def test_an_alert_is_as_urgent_as_its_article():
    library = Library.of([telling(severity=Severity.BREAKING)], [concern()])
    told = alert(library, StoryId(1), [KOREA], locale="en")
    assert told is not None
    assert told.severity is Severity.BREAKING


def test_each_story_stands_once_under_the_topic_that_it_concerns_most():
    library = Library.of(
        [telling(1, 1), telling(2, 2), telling(3, 3, published_at=AT - timedelta(hours=1))],
        [
            concern(KOREA, 1, 1, strength=3),
            concern(RUSSIA, 1, 1, strength=1),
            concern(RUSSIA, 2, 2, strength=2),
            concern(RUSSIA, 3, 3, strength=2),
        ],
    )
    fresh = {RUSSIA: [StoryId(1), StoryId(3), StoryId(2)], KOREA: [StoryId(1)]}
    laid = sections(library, fresh, locale="en")
    assert [(one.topic, [told.story_id for told in one.cards]) for one in laid] == [
        ("North Korea", [1]),
        ("Russia", [2, 3]),
    ]
    assert [one.topic for one in laid[0].cards[0].reasons] == ["North Korea", "Russia"]


STORIES = st.dictionaries(
    st.sampled_from([KOREA, RUSSIA, OWN]),
    st.lists(st.integers(1, 5).map(StoryId), min_size=1, max_size=5, unique=True),
    max_size=3,
)


@given(STORIES, st.sets(st.integers(1, 5)), st.data())
def test_every_fresh_story_that_can_be_told_is_shown_exactly_once(fresh, killed, data):
    tellings = [telling(number, number) for number in range(1, 6) if number not in killed]
    concerns = [
        concern(topic, story, story, strength=data.draw(st.integers(1, 3)))
        for topic, stories in fresh.items()
        for story in stories
    ]
    laid = sections(Library.of(tellings, concerns), fresh, locale="en")
    shown = [told.story_id for one in laid for told in one.cards]
    assert sorted(shown) == sorted({story for stories in fresh.values() for story in stories} - killed)
    assert all(one.cards for one in laid)
    assert laid == sections(Library.of(tellings, concerns), dict(reversed(fresh.items())), locale="en")


def test_what_quotes_an_own_query_is_private_and_nothing_else_is():
    library = Library.of([telling()], [concern(KOREA), concern(OWN)])
    assert is_private(library, [StoryId(1)], [KOREA, OWN])
    assert not is_private(library, [StoryId(1)], [KOREA])
    assert not is_private(library, [], [OWN])


def test_a_card_shows_the_picture_of_the_copy_that_is_shown():
    quay, crane = (Picture(url=f"https://img.gazette.example/{name}.jpg", alt=name) for name in ("quay", "crane"))
    library = Library.of([telling(1, image=quay), telling(2, image=crane)], [concern(article=1)])
    shown = card(library, StoryId(1), [KOREA], locale="en")
    assert shown is not None
    assert shown.image == Image(url=quay.url, alt="quay")
    without = card(Library.of([telling(1), telling(2, image=crane)], [concern()]), StoryId(1), [KOREA], locale="en")
    assert without is not None
    assert without.image is None


def test_a_corrected_card_shows_the_articles_present_picture():
    old = told_card([telling(image=Picture(url="https://img.gazette.example/wrong.jpg"))])
    now = telling(image=Picture(url="https://img.gazette.example/right.jpg"))
    assert corrected(old, now).image == Image(url="https://img.gazette.example/right.jpg")
    assert corrected(old, telling()).image is None
