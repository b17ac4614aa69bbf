"""Which stories an issue of a newsletter shows, in which order, and what of it a reader gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import StoryId, TopicId
from worker.planning.decide_newsletter import Choices, Chosen, Selection, Skipped, choose, for_reader, rank
from worker.planning.news import News, Pair, StoryFacts

AT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
OMAN, RUSSIA = TopicId(1), TopicId(2)


def facts(number: int, **values: Any) -> StoryFacts:
    published_at = AT - timedelta(hours=2)
    about = {"story_id": StoryId(number), "created_at": published_at, "published_at": published_at}
    return StoryFacts(**{**about, "outlet": f"Paper {number}", **values})


def news_of(*stories: StoryFacts, topic: TopicId = OMAN, strength: int = 3) -> News:
    pairs = tuple(Pair(number, one.story_id, one.created_at) for number, one in enumerate(stories, start=1))
    return News(
        stories={one.story_id: one for one in stories},
        pairs={topic: pairs},
        strengths={(one.story_id, topic): strength for one in stories},
    )


def ranked(news: News, selection: Selection | None = None, choices: Choices | None = None) -> tuple[int, ...]:
    return rank(list(news.stories), news, choices or Choices(), selection or Selection(), at=AT)


def test_outlets_boost_and_recency_rank():
    news = news_of(facts(1), facts(2, outlets=9), facts(3, boost=4), facts(4, published_at=AT - timedelta(hours=40)))
    assert ranked(news) == (3, 2, 1, 4)


def test_one_outlet_does_not_have_it_all():
    wires = [facts(number, outlet="Wire", outlets=4) for number in (1, 2, 3)]
    news = news_of(*wires, facts(4, outlets=3, outlet="Tide"))
    assert ranked(news, Selection(topics=(OMAN,))) == (3, 4, 2, 1)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"sections": ("world",)}, {1}),
        ({"sources": ("the tide",)}, {2}),
        ({"sources": ("feed of the wire",)}, {3}),
        ({"topics": (OMAN,)}, {1, 2, 3}),
        ({"topics": (RUSSIA,)}, set()),
        ({"locale": "ko"}, {4}),
        ({}, {1, 2, 3}),
    ],
)
def test_the_selection_says_what_may_come(rule, kept):
    news = news_of(
        facts(1, section="World"),
        facts(2, outlet="The Tide"),
        facts(3, source="Feed of the Wire", lang="en-GB"),
        facts(4, lang="ko", section="세계"),
    )
    found = set(ranked(news, Selection(**rule)))
    assert found - {StoryId(4)} == kept - {4} if "locale" not in rule else StoryId(4) in found


def test_pins_come_first_whatever_the_rule_says_of_them():
    news = news_of(facts(1), facts(2), facts(3, section="Sport"), facts(4))
    choices = Choices(pins=(StoryId(3), StoryId(4)), order=(StoryId(1), StoryId(3)), dropped=(StoryId(4), StoryId(2)))
    assert ranked(news, Selection(sections=("",)), choices) == (3, 4, 1)


def test_what_is_not_told_any_more_is_no_pin():
    assert ranked(news_of(facts(1)), choices=Choices(pins=(StoryId(9),))) == (1,)


def test_three_times_as_many_as_it_shows_are_ranked():
    news = news_of(*(facts(number) for number in range(1, 12)))
    assert len(ranked(news, Selection(maximum=2))) == 6


def test_who_has_seen_some_gets_the_next_and_an_update_is_not_seen():
    news = news_of(*(facts(number, update_no=number % 2) for number in (1, 2, 3, 4)))
    order = tuple(StoryId(number) for number in (1, 2, 3, 4))
    chosen = for_reader(order, news, Selection(maximum=3), seen={StoryId(1): 0, StoryId(2): 0, StoryId(3): 1})
    assert chosen == Chosen(stories=(StoryId(1), StoryId(4)))


@pytest.mark.parametrize(
    ("count", "least", "reason"), [(3, 5, "3 stories, the least is 5"), (0, 0, "0 stories, the least is 1")]
)
def test_too_little_is_skipped_with_a_reason(count, least, reason):
    news = news_of(*(facts(number) for number in range(1, count + 1)))
    skipped = choose(list(news.stories), news, Choices(), Selection(minimum=least), seen={}, at=AT)
    assert isinstance(skipped, Skipped)
    assert (skipped.reason, len(skipped.stories)) == (reason, count)


STORIES = st.lists(
    st.builds(
        facts,
        st.integers(1, 40),
        outlet=st.sampled_from(["", "Wire", "Tide"]),
        section=st.sampled_from(["", "World", "Sport"]),
        outlets=st.integers(1, 9),
        boost=st.integers(-2, 2),
        lang=st.sampled_from(["", "en", "ko"]),
    ),
    unique_by=lambda one: one.story_id,
)
NUMBERS = st.lists(st.integers(1, 45).map(StoryId), max_size=4).map(tuple)
CHOICES = st.builds(Choices, pins=NUMBERS, order=NUMBERS, dropped=NUMBERS, notes=st.just({}), note=st.just(""))
SEEN = st.dictionaries(st.integers(1, 40).map(StoryId), st.integers(0, 1))


@given(STORIES, st.randoms(use_true_random=False), CHOICES, st.integers(1, 6))
def test_a_ranking_has_each_story_once_whatever_the_order_it_was_found_in(stories, chance, choices, most):
    news, selection = news_of(*stories), Selection(maximum=most)
    pins, order, dropped = choices.pins, choices.order, choices.dropped
    found = list(news.stories)
    first = rank(found, news, choices, selection, at=AT)
    chance.shuffle(found)
    assert rank(found, news, choices, selection, at=AT) == first
    assert len(set(first)) == len(first) <= 3 * most
    told = [story for story in dict.fromkeys((*pins, *order)) if story in news.stories]
    assert list(first[: len(told)]) == told[: 3 * most]
    assert not (set(dropped) - {*pins, *order}) & set(first)


@given(
    STORIES, st.dictionaries(st.integers(1, 40).map(StoryId), st.integers(0, 1)), st.integers(0, 4), st.integers(0, 5)
)
def test_a_reader_gets_between_the_least_and_the_most_and_nothing_seen(stories, seen, least, more):
    news, selection = news_of(*stories), Selection(minimum=least, maximum=max(1, least + more))
    verdict = choose(list(news.stories), news, Choices(), selection, seen=seen, at=AT)
    assert not set(verdict.stories) & {story for story in seen if story in news.stories}
    if isinstance(verdict, Chosen):
        assert max(1, least) <= len(verdict.stories) <= selection.maximum
    else:
        assert len(verdict.stories) < max(1, least)
