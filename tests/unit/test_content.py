"""Frozen contents: the same words have the same hash, and come back as they went in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from worker.content import AlertContent, ConfirmationContent, DigestContent, Reason, Section, StoryCard, thaw
from worker.model import Severity

# As PostgreSQL and JSON take it: no surrogates, no NUL.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
IDS = st.integers(min_value=1, max_value=2**40)
MOMENTS = st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  zone is given
REASONS = st.builds(Reason, topic=TEXT, slug=st.none() | TEXT, words=st.lists(TEXT, max_size=2).map(tuple))
CARDS = st.builds(
    StoryCard,
    story_id=IDS,
    article_id=IDS,
    revision=IDS,
    title=TEXT,
    summary=TEXT,
    url=TEXT,
    source=TEXT,
    published_at=MOMENTS,
    also_in=st.lists(TEXT, max_size=2).map(tuple),
    highlights=st.lists(st.tuples(IDS, IDS), max_size=2).map(tuple),
    reasons=st.lists(REASONS, max_size=2).map(tuple),
)
SECTIONS = st.builds(Section, topic=TEXT, cards=st.lists(CARDS, min_size=1, max_size=2).map(tuple))
CONTENTS = st.one_of(
    st.builds(AlertContent, locale=TEXT, severity=st.sampled_from(Severity), card=CARDS, personal_to=st.none() | IDS),
    st.builds(DigestContent, locale=TEXT, day=st.dates(), sections=st.lists(SECTIONS, max_size=2).map(tuple)),
    st.builds(ConfirmationContent, locale=TEXT, topics=st.lists(TEXT, max_size=3).map(tuple)),
)


@given(CONTENTS)
def test_a_content_comes_back_as_it_was_frozen(content):
    thawed = thaw(content.model_dump_json())
    assert thawed == content
    assert thawed.digest() == content.digest()


@given(CONTENTS, CONTENTS)
def test_contents_share_a_hash_only_when_they_are_equal(first, second):
    assert (first.digest() == second.digest()) is (first == second)


@given(CONTENTS)
def test_a_content_that_belongs_to_one_reader_is_nobody_elses(content):
    owned = [content.model_copy(update={"personal_to": reader}).digest() for reader in (None, 1, 2)]
    assert len(set(owned)) == 3


def card(story: int) -> StoryCard:
    return StoryCard(
        story_id=story,
        article_id=1,
        revision=1,
        title="",
        summary="",
        url="",
        source="",
        published_at=datetime(2026, 11, 23, tzinfo=UTC),
        reasons=(),
    )


def test_a_content_tells_which_stories_it_shows_in_order():
    sections = (Section(topic="a", cards=(card(3), card(1))), Section(topic="b", cards=(card(2),)))
    assert DigestContent(locale="en", day=date(2026, 11, 23), sections=sections).stories() == (3, 1, 2)
    assert AlertContent(locale="en", card=card(9)).stories() == (9,)
    assert ConfirmationContent(locale="en", topics=()).stories() == ()


@pytest.mark.parametrize("frozen", ["{}", '{"kind": "rumour"}', "not JSON", '{"kind": "alert", "locale": "en"}'])
def test_what_is_no_content_does_not_thaw(frozen):
    with pytest.raises(ValidationError):
        thaw(frozen)
