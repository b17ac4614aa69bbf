"""Whatever a source does to its keys and addresses: each article is stored once, and none is lost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.intake.test_taking_in import watch
from worker.intake.run import Intake, Taken
from worker.model import ParsedArticle
from worker.store import sources
from worker.store.schema import Article

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = ("quay", "crane", "tide", "rope", "mast")
_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """An article, and how it is told this time."""

    number: int
    guid: str
    address: str
    tail: str
    later_h: int

    def told(self) -> ParsedArticle:
        word = WORDS[self.number]
        return ParsedArticle(
            guid=self.guid.format(self.number),
            url=self.address.format(word),
            title=f"{word.title()}men of {word}yard and {word}side {self.tail}".strip(),
            summary=" ".join(f"{word}{other}" for other in (*WORDS, *map(str, range(12)))),
            published_at=NOON + timedelta(hours=7 * self.number + self.later_h),
        )


_SIGHTINGS = st.builds(
    Sighting,
    number=st.integers(0, len(WORDS) - 1),
    guid=st.sampled_from(["", "a{}", "b{}", "latest", "https://gull.example/?p={}"]),
    address=st.sampled_from(
        ["https://gull.example/{}", "http://gull.example/{}/?utm_source=rss", "https://gull.example/{}/amp#top"]
    ),
    tail=st.sampled_from(["", "reopens", "| 12 views", "| 99 views"]),
    later_h=st.sampled_from([0, 0, 3]),
)
_DOCUMENTS = st.lists(_SIGHTINGS, min_size=1, max_size=len(WORDS), unique_by=lambda one: one.number)
_HISTORIES = st.lists(_DOCUMENTS, min_size=1, max_size=4)


def stored_after(database, history: Sequence[Sequence[Sighting]]) -> tuple[list[str], list[Taken]]:
    """Tell a new source's history; return where its articles stand, and what became of each document."""
    source_id = watch(database, f"https://gull.example/{next(_NUMBERS)}.xml")
    intake = Intake(database, age_limit=timedelta(hours=6))
    taken = []
    for document in history:
        with database.read() as conn:
            source = sources.by_id(conn, source_id)
        assert source is not None
        taken.append(intake.take_feed(source, [one.told() for one in document]))
    with database.read() as conn:
        addresses = conn.execute(sa.select(Article.canonical_url).where(Article.source_id == source_id)).scalars()
        return sorted(one.partition("://")[2] for one in addresses), taken


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_HISTORIES)
def test_each_article_is_stored_once_however_often_and_under_whatever_key_it_is_told(database, history):
    expected = sorted({f"gull.example/{WORDS[one.number]}" for document in history for one in document})
    addresses, taken = stored_after(database, history)
    assert addresses == expected
    assert sum(one.new for one in taken) == len(expected)
    counted = [one.new + one.updated + one.unchanged + one.refused for one in taken]
    assert counted == [len(document) for document in history]
    assert not any(one.refused for one in taken)
    told_backwards, _ = stored_after(database, [document[::-1] for document in history])
    assert told_backwards == expected


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=_DOCUMENTS)
def test_what_is_told_again_is_always_unchanged(database, document):
    _, (_, again) = stored_after(database, [document, document])
    assert again == Taken(unchanged=len(document))
