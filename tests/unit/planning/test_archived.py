"""An issue in the archive, whatever has become of its stories: nothing that was stopped shows, and no number moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.content import NewsletterContent, StoryCard
from worker.facts import Mending, Telling
from worker.model import Severity, StoryId
from worker.planning.archived import Place, as_it_stands

AT = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
STORIES = range(1, 6)


def card(story: int) -> StoryCard:
    return StoryCard(
        story_id=story,
        article_id=10 * story,
        revision=2,
        title=f"Title {story} as sent",
        summary=f"Summary {story} as sent",
        url=f"https://a.example/{story}",
        source="A",
        published_at=AT,
        reasons=(),
    )


def telling(story: int, article: int) -> Telling:
    return Telling(
        article_id=article,
        story_id=StoryId(story),
        revision=7,
        title=f"Title {story} put right",
        summary="Right.",
        body="",
        url="",
        outlet="A",
        house=True,
        lang="en",
        author="",
        section="",
        severity=Severity.NORMAL,
        published_at=AT,
        seen_at=AT,
        is_copy=False,
    )


CONTENT = NewsletterContent(
    locale="en",
    slug="top",
    name="Top",
    day=date(2026, 11, 24),
    sender_name="A",
    sender_address="a@a.example",
    cards=tuple(card(story) for story in STORIES),
    notes=((1, "A remark on 1"), (3, "A remark on 3")),
)
mendings = st.builds(
    lambda story, upto, retracts, hours: Mending(
        StoryId(story), 10 * story, upto, f"what was wrong in {story}", retracts, AT + timedelta(hours=hours)
    ),
    st.sampled_from(STORIES),
    st.integers(1, 4),
    st.booleans(),
    st.integers(1, 99),
)
stories = st.frozensets(st.sampled_from(STORIES))


@settings(max_examples=60)
@given(stopped=stories, mended=st.lists(mendings, max_size=6), retold_by_others=stories, untold=stories)
def test_nothing_that_was_stopped_shows_and_no_number_moves(stopped, mended, retold_by_others, untold):
    tellings = {
        StoryId(story): [telling(story, 10 * story + (story in retold_by_others))]
        for story in STORIES
        if story not in untold
    }
    places = as_it_stands(CONTENT, stopped=stopped, mendings=mended, tellings=tellings)
    assert len(places) == len(CONTENT.cards)
    for sent, place in zip(CONTENT.cards, places, strict=True):
        faults = [one for one in mended if one.article_id == sent.article_id and sent.revision <= one.faulty_upto]
        retracted = any(one.retracts for one in faults)
        assert place.is_retracted == retracted
        if sent.story_id in stopped or retracted:
            assert place.card is None
            assert place.remark == ""
        if sent.story_id in stopped and not retracted:
            assert place == Place(card=None)
        if not faults and sent.story_id not in stopped:
            assert place == Place(card=sent, remark=dict(CONTENT.notes).get(sent.story_id, ""))
        if faults and place.card:
            assert place.card.title == f"Title {sent.story_id} put right"
            assert [note for _, note in place.mended] == [one.note for one in faults]


def test_a_correction_of_an_earlier_revision_is_not_about_what_was_sent():
    mended = [Mending(StoryId(1), 10, 1, "wrong in the first version", False, AT)]
    [first, *_] = as_it_stands(CONTENT, stopped=(), mendings=mended, tellings={})
    assert first == Place(card=card(1), remark="A remark on 1")
