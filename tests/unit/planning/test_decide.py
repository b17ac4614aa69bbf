"""What becomes of one reader's digest or alert, and how a digest is laid out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import StoryId, SubscriberId, SubscriptionId, TopicId
from worker.planning.decide_alert import Act, AlertCase, decide_alert
from worker.planning.decide_digest import DigestCase, Followed, decide_digest
from worker.planning.lay_out import lay_out
from worker.planning.news import News, Pair, StoryFacts
from worker.planning.rules import ReaderTerms, Rules

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
RULES = Rules(alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12), section_cap=2, mail_cap=3)
READER = ReaderTerms(subscriber_id=SubscriberId(1), locale="en", timezone="UTC", awake=True)
ASLEEP = ReaderTerms(subscriber_id=SubscriberId(1), locale="en", timezone="UTC", awake=False)


def facts(story: int, *, hours: int = 0, lang: str = "", update_no: int = 0) -> StoryFacts:
    at = AT - timedelta(hours=hours)
    return StoryFacts(story_id=StoryId(story), created_at=at, published_at=at, lang=lang, update_no=update_no)


def news(stories: list[StoryFacts], strengths: dict[tuple[int, int], int]) -> News:
    """News in which a story's number is also that of its pairs."""
    topics = sorted({topic for _, topic in strengths})
    pairs = {
        TopicId(topic): tuple(Pair(story, StoryId(story), AT) for story, other in sorted(strengths) if other == topic)
        for topic in topics
    }
    strong = {(StoryId(story), TopicId(topic)): strength for (story, topic), strength in strengths.items()}
    return News(stories={one.story_id: one for one in stories}, pairs=pairs, strengths=strong)


NEWS = news(
    [facts(1, hours=3), facts(2, hours=2, lang="ko"), facts(3, hours=1), facts(4), facts(5, update_no=1)],
    {(1, 1): 3, (2, 1): 3, (3, 1): 1, (3, 2): 2, (4, 2): 2, (5, 2): 1},
)


def digest(reader: ReaderTerms = READER, **values: Any) -> DigestCase:
    followed = (Followed(SubscriptionId(7), TopicId(1), 0), Followed(SubscriptionId(8), TopicId(2), 0))
    case: dict[str, Any] = {"reader": reader, "followed": followed, "due_at": AT, "head": 5}
    return DigestCase(**case | values)


def shown(case: DigestCase, *, at: datetime = AT) -> list[tuple[int, list[int]]]:
    layout = decide_digest(case, NEWS, RULES, at=at).layout
    return [(topic, list(stories)) for topic, stories in layout.sections] if layout else []


def test_a_digest_has_each_story_once_under_its_strongest_topic_within_its_caps():
    verdict = decide_digest(digest(), NEWS, RULES, at=AT)
    assert shown(digest()) == [(1, [1, 2]), (2, [4])]
    assert verdict.layout is not None
    assert verdict.layout.left_out == {3: 2, 5: 2}
    assert (verdict.send, verdict.cursor_moves, verdict.reason) == (True, True, "3 stories")


def test_what_a_reader_has_seen_comes_again_only_when_updated_or_owed():
    seen = {StoryId(story): 0 for story in range(1, 6)}
    assert shown(digest(seen=seen)) == [(2, [5])]
    assert shown(digest(seen=seen | {StoryId(5): 1})) == []
    assert shown(digest(seen=seen | {StoryId(5): 1}, owed=(StoryId(1),))) == [(1, [1])]


@pytest.mark.parametrize(
    ("case", "late", "moves", "reason"),
    [
        (digest(ASLEEP), 0, False, "paused"),
        (digest(), 12, False, "too old: due at 2026-11-23T07:00:00Z"),
        (digest(head=0), 0, True, "nothing new"),
    ],
)
def test_no_mail_says_why_and_whether_the_cursor_moves(case, late, moves, reason):
    verdict = decide_digest(case, NEWS, RULES, at=AT + timedelta(hours=late))
    assert (verdict.send, verdict.cursor_moves, verdict.reason) == (False, moves, reason)


PAIRS = st.dictionaries(st.tuples(st.integers(1, 8), st.integers(1, 4)), st.integers(1, 3), min_size=1)


@given(PAIRS, st.randoms(), st.integers(1, 4), st.integers(1, 9))
def test_a_layout_shows_or_leaves_out_each_story_once_whatever_the_order_it_is_told_in(pairs, chance, cap, most):
    world = news([facts(story, hours=story % 3, lang="ko" if story % 4 else "") for story, _ in pairs], pairs)
    fresh = {topic: [pair.story_id for pair in found] for topic, found in world.pairs.items()}
    turned = {
        topic: chance.sample(fresh[topic], len(fresh[topic])) for topic in chance.sample(sorted(fresh), len(fresh))
    }
    one, other = (lay_out(told, world, locale="en", at=AT, section_cap=cap, mail_cap=most) for told in (fresh, turned))
    assert one == other
    assert sorted([*one.stories, *one.left_out]) == sorted({story for story, _ in pairs})
    assert len(one.stories) <= most
    assert all(0 < len(stories) <= cap for _, stories in one.sections)
    assert set(one.topics_of) == set(one.stories)


def alert(reader: ReaderTerms = READER, **values: Any) -> AlertCase:
    case: dict[str, Any] = {"reader": reader, "topics": (TopicId(1),), "facts": facts(5, update_no=1), "due_at": AT}
    return AlertCase(**case | values)


@pytest.mark.parametrize(
    ("case", "act", "threads"),
    [
        (alert(), Act.SEND, False),
        (alert(seen_update=0), Act.SEND, True),
        (alert(seen_update=1), Act.NONE, False),
        (alert(ASLEEP), Act.NONE, False),
    ],
)
def test_an_alert_goes_once_an_update_to_whoever_is_awake(case, act, threads):
    verdict = decide_alert(case, RULES, at=AT)
    assert (verdict.act, verdict.threads) == (act, threads)
