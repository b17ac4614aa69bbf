"""What a reader's wishes make of a digest: quiet hours, a floor, a pause; and in which order stories come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.planning.worlds import AT, NIGHT, RULES, facts, news, reader
from worker.model import BelowFloor, Severity, StoryId, SubscriptionId, TopicId
from worker.planning.decide_digest import DigestCase, Followed, decide_digest
from worker.planning.rank import diversify, score

NEWS = news([facts(story, hours=story) for story in range(1, 7)], {(story, 1): 1 for story in range(1, 7)})


def case(**values: Any) -> DigestCase:
    about: dict[str, Any] = {
        "reader": reader(),
        "followed": (Followed(SubscriptionId(7), TopicId(1), 0),),
        "due_at": AT,
        "head": 6,
    }
    return DigestCase(**about | values)


def test_a_digest_within_quiet_hours_is_held_until_they_are_over():
    verdict = decide_digest(case(reader=reader(quiet=NIGHT)), NEWS, RULES, at=AT)
    assert (verdict.send, verdict.cursor_moves) == (False, False)
    assert verdict.hold_until == AT + timedelta(minutes=30)
    assert verdict.reason == "quiet hours until 2026-11-23T07:30:00Z"
    assert decide_digest(case(reader=reader(quiet=NIGHT)), NEWS, RULES, at=AT + timedelta(minutes=30)).send


@pytest.mark.parametrize(
    ("below", "moves", "omitted", "reason"),
    [
        (BelowFloor.MERGE, False, (), "fewer than 3: kept for the next"),
        (BelowFloor.SKIP, True, (2,), "fewer than 3: skipped"),
    ],
)
def test_too_few_stories_are_kept_or_skipped_as_the_reader_chose_and_what_is_owed_is_never_dropped(
    below, moves, omitted, reason
):
    wished = reader(floor=3, below_floor=below)
    verdict = decide_digest(case(reader=wished, head=2, owed=(StoryId(1),)), NEWS, RULES, at=AT)
    assert (verdict.send, verdict.cursor_moves, verdict.omitted, verdict.reason) == (False, moves, omitted, reason)
    assert decide_digest(case(reader=wished, head=3), NEWS, RULES, at=AT).send


def test_nothing_new_is_below_no_floor():
    verdict = decide_digest(case(reader=reader(floor=3), head=0), NEWS, RULES, at=AT)
    assert (verdict.cursor_moves, verdict.reason) == (True, "nothing new")


def test_after_a_pause_come_the_best_stories_of_all_topics_and_the_rest_is_told_to_be_left_out():
    rules = RULES.__class__(alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12), away_cap=4)
    back = reader(paused_at=AT - timedelta(days=3))
    verdict = decide_digest(case(reader=back), NEWS, rules, at=AT)
    assert verdict.layout is not None
    assert verdict.layout.stories == (1, 2, 3, 4)
    assert (verdict.omitted, verdict.away, verdict.layout.left_out) == ((5, 6), True, {})
    assert decide_digest(case(reader=back, head=0), NEWS, rules, at=AT).away


def test_a_story_ranks_by_strength_outlets_an_editors_word_urgency_and_age():
    plain = score(facts(1), 1, locale="en", at=AT)
    better = [
        score(facts(1), 2, locale="en", at=AT),
        score(facts(1, outlets=14), 1, locale="en", at=AT),
        score(facts(1, boost=1), 1, locale="en", at=AT),
        score(facts(1, severity=Severity.IMPORTANT), 1, locale="en", at=AT),
        score(facts(1), 1, locale="ko-KR", at=AT),
    ]
    worse = [score(facts(1, hours=5), 1, locale="en", at=AT), score(facts(1, lang="ko"), 3, locale="en", at=AT)]
    assert all(one > plain for one in better[:-1])
    assert better[-1] == plain  # of an unknown language nothing is known
    assert all(one < plain for one in worse)
    assert score(facts(1, hours=48), 1, locale="en", at=AT) == score(facts(1, hours=480), 1, locale="en", at=AT)
    assert score(facts(1, hours=-5), 1, locale="en", at=AT) == plain


def test_the_second_of_an_outlet_makes_room_for_another_one():
    same = [(10.0, facts(1, outlet="Gazette")), (9.5, facts(2, outlet="Gazette")), (9.0, facts(3, outlet="Ledger"))]
    assert [story for _, story in diversify(same)] == [1, 3, 2]
    assert diversify(same) == diversify(same[::-1])
    sections = [(10.0, facts(1, section="world")), (9.5, facts(2, section="world")), (9.2, facts(3))]
    assert [story for _, story in diversify(sections)] == [1, 3, 2]
    homes = {StoryId(1): TopicId(1), StoryId(2): TopicId(1), StoryId(3): TopicId(2)}
    assert [story for _, story in diversify([(10.0, facts(1)), (9.5, facts(2)), (9.0, facts(3))], homes=homes)] == [
        1,
        3,
        2,
    ]
