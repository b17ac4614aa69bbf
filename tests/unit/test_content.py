"""Frozen contents: the same words have the same hash, and come back as they went in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from worker.content import (
    AlertContent,
    AnyContent,
    ConfirmationContent,
    CorrectionContent,
    DigestContent,
    NewsletterContent,
    Reason,
    RollingContent,
    Section,
    StoryCard,
    UpdateNote,
    card_numbers,
    freeze,
    frozen_digest,
    hash_of,
    recarded,
    thaw,
    without,
)
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
    update=st.none() | st.builds(UpdateNote, note=TEXT, at=MOMENTS),
)
SOME_CARDS = st.lists(CARDS, min_size=1, max_size=2).map(tuple)
SECTIONS = st.builds(Section, topic=TEXT, cards=SOME_CARDS, left_out=st.lists(IDS, max_size=2).map(tuple))
SOME_SECTIONS = st.lists(SECTIONS, max_size=2).map(tuple)
CONTENTS = st.one_of(
    st.builds(AlertContent, locale=TEXT, severity=st.sampled_from(Severity), card=CARDS, personal_to=st.none() | IDS),
    st.builds(DigestContent, locale=TEXT, day=st.dates(), sections=SOME_SECTIONS, away=st.booleans()),
    st.builds(RollingContent, locale=TEXT, since=MOMENTS, until=MOMENTS, sections=SOME_SECTIONS),
    st.builds(
        NewsletterContent,
        locale=TEXT,
        slug=TEXT,
        name=TEXT,
        day=st.dates(),
        sender_name=TEXT,
        sender_address=TEXT,
        note=TEXT,
        cards=SOME_CARDS,
        notes=st.lists(st.tuples(IDS, TEXT), max_size=2).map(tuple),
    ),
    st.builds(CorrectionContent, locale=TEXT, retracted=st.booleans(), title=TEXT, note=TEXT, card=st.none() | CARDS),
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


def numbered(content: AnyContent) -> dict[str, int]:
    return {key: number for number, key in enumerate({card.digest(): 0 for card in content.all_cards()}, 100)}


@given(CONTENTS)
def test_a_content_frozen_with_numbers_comes_back_with_its_cards(content):
    numbers = numbered(content)
    frozen = freeze(content, numbers)
    assert card_numbers(frozen) == tuple(numbers[card.digest()] for card in content.all_cards())
    assert thaw(frozen, {numbers[card.digest()]: card for card in content.all_cards()}) == content
    assert thaw(content.model_dump_json(), {}) == content
    assert card_numbers(content.model_dump_json()) == ()


@given(
    st.builds(
        DigestContent,
        locale=TEXT,
        day=st.dates(),
        sections=SOME_SECTIONS,
        away=st.booleans(),
        personal_to=st.none() | IDS,
    )
)
def test_a_digest_frozen_of_its_parts_is_as_if_it_had_been_made_first(content):
    numbers = numbered(content)
    sections = [
        (one.topic, one.slug, [numbers[card.digest()] for card in one.cards], list(one.left_out))
        for one in content.sections
    ]
    assert frozen_digest(
        locale=content.locale,
        personal_to=content.personal_to,
        day=content.day,
        sections=sections,
        away=content.away,
    ) == freeze(content, numbers)


@given(CONTENTS, CONTENTS)
def test_frozen_contents_share_a_hash_only_when_they_are_equal(first, second):
    keys = {card.digest() for content in (first, second) for card in content.all_cards()}
    numbers = {key: number for number, key in enumerate(sorted(keys), 1)}
    one, other = freeze(first, numbers), freeze(second, numbers)
    assert (hash_of(one) == hash_of(other)) is (first == second)


@given(CONTENTS.filter(lambda content: content.all_cards()))
def test_a_card_without_a_number_and_a_number_without_a_card_are_refused(content):
    with pytest.raises(KeyError):
        freeze(content, {})
    with pytest.raises(ValidationError):
        thaw(freeze(content, numbered(content)), {})


@given(CONTENTS, CARDS)
def test_another_card_comes_in_a_cards_place_and_nothing_else_changes(content, new):
    if not content.all_cards():
        assert recarded(content, {"another": new}) is content
        return
    old = content.all_cards()[0]
    changed = recarded(content, {old.digest(): new})
    assert changed is not None
    assert changed.all_cards() == tuple(new if card == old else card for card in content.all_cards())
    assert type(changed) is type(content)


def test_a_story_taken_out_takes_its_section_and_its_note_with_it():
    letter = NewsletterContent(
        locale="en",
        slug="top",
        name="Top",
        day=date(2026, 11, 23),
        sender_name="",
        sender_address="",
        cards=(card(1), card(2)),
        notes=((1, "first"), (2, "second")),
    )
    left = without(letter, {1})
    assert isinstance(left, NewsletterContent)
    assert (left.stories(), left.notes) == ((2,), ((2, "second"),))
    assert without(letter, {1, 2}) is None
    sections = (Section(topic="a", cards=(card(3),)), Section(topic="b", cards=(card(4),), left_out=(5, 6)))
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    rolling = RollingContent(locale="en", since=moment, until=moment, sections=sections)
    left = without(rolling, {3})
    assert isinstance(left, RollingContent)
    assert [(section.topic, section.more) for section in left.sections] == [("b", 2)]
    assert without(CorrectionContent(locale="en", retracted=False, title="", note="", card=card(1)), {1}) is None
