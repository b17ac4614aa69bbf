"""Decides which stories an issue of a newsletter shows, in which order, and what of it one reader gets.

An editor's pins come first, then what they put in order, then the rest by rank: by topic strength, outlets, recency and
boost, then mixed so that neither one outlet, one section nor one topic has it all. Pure. Called by the run of
newsletters and by the simulator, which decide nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from worker.model import StoryId, TopicId
from worker.planning.cards import is_foreign
from worker.planning.news import News
from worker.planning.rank import diversify, score

_LONG: Final = 3  # times as many as an issue shows are ranked: readers have seen some


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which stories a newsletter is made of; what is empty allows all. `locale` is the language that it is in."""

    topics: tuple[TopicId, ...] = ()
    sections: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    minimum: int = 1
    maximum: int = 10
    locale: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What an editor chose for one issue. `notes` are words on stories, `note` stands above all of them."""

    pins: tuple[StoryId, ...] = ()
    order: tuple[StoryId, ...] = ()
    dropped: tuple[StoryId, ...] = ()
    notes: Mapping[StoryId, str] = field(default_factory=dict)
    note: str = ""
    subject: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Choices:
        """Read what the store kept as JSON, whose keys are texts.

        >>> Choices.read({"pins": [7], "notes": {"7": "Our own."}, "subject": "A long night"}).notes
        {7: 'Our own.'}
        """
        lists = {name: tuple(StoryId(story) for story in stored.get(name, ())) for name in ("pins", "order", "dropped")}
        notes = {StoryId(int(story)): str(words) for story, words in stored.get("notes", {}).items()}
        return cls(**lists, notes=notes, note=stored.get("note", ""), subject=stored.get("subject", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What a reader gets, in order."""

    stories: tuple[StoryId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """Why a reader, or everybody, gets nothing; `stories` are those there were."""

    stories: tuple[StoryId, ...]
    reason: str


def choose(
    candidates: Sequence[StoryId],
    news: News,
    choices: Choices,
    selection: Selection,
    *,
    seen: Mapping[StoryId, int],
    at: datetime,
) -> Chosen | Skipped:
    """Decide what a reader of an issue gets who has seen some of it, each story at an update of it."""
    return for_reader(rank(candidates, news, choices, selection, at=at), news, selection, seen=seen)


def rank(
    candidates: Iterable[StoryId], news: News, choices: Choices, selection: Selection, *, at: datetime
) -> tuple[StoryId, ...]:
    """Put an issue's stories in order, an editor's choice first: three times as many as it may show.

    In which order the candidates are handed in makes no difference. A story that is not told any more is left out.
    """
    first = [story for story in dict.fromkeys((*choices.pins, *choices.order)) if story in news.stories]
    dropped = {*choices.dropped, *first}
    fit = {story for story in candidates if story not in dropped and _fits(story, news, selection)}
    rest = _ranked(fit, news, selection, at=at)
    return tuple([*first, *rest][: _LONG * selection.maximum])


def for_reader(
    ranking: Sequence[StoryId], news: News, selection: Selection, *, seen: Mapping[StoryId, int]
) -> Chosen | Skipped:
    """Take of an issue's ranking what a reader has not seen yet, as many as it may hold."""
    fresh = tuple(
        story
        for story in ranking
        if story in news.stories and not (story in seen and seen[story] >= news.stories[story].update_no)
    )[: selection.maximum]
    if not fresh or len(fresh) < selection.minimum:
        return Skipped(stories=fresh, reason=too_few(len(fresh), selection))
    return Chosen(stories=fresh)


def too_few(count: int, selection: Selection) -> str:
    """Say why there is no issue.

    >>> too_few(3, Selection(minimum=5))
    '3 stories, the least is 5'
    """
    return f"{count} {'story' if count == 1 else 'stories'}, the least is {max(1, selection.minimum)}"


def topics_of(story: StoryId, news: News, selection: Selection) -> tuple[TopicId, ...]:
    """Return the topics of the selection that a story concerns, the strongest first."""
    topics = selection.topics or tuple(news.pairs)
    told = [topic for topic in topics if news.is_told(story, topic)]
    return tuple(sorted(told, key=lambda topic: (-news.strength(story, topic), topic)))


def _fits(story: StoryId, news: News, selection: Selection) -> bool:
    facts = news.stories.get(story)
    if facts is None or is_foreign(facts.lang, selection.locale):
        return False
    if selection.sections and facts.section.casefold() not in _folded(selection.sections):
        return False
    return not selection.sources or bool(
        {facts.outlet.casefold(), facts.source.casefold()} & _folded(selection.sources)
    )


def _ranked(stories: Iterable[StoryId], news: News, selection: Selection, *, at: datetime) -> list[StoryId]:
    """Put stories in order, the best first, and those of one outlet, section or topic apart."""
    scored = []
    homes = {}
    for story in stories:
        topics = topics_of(story, news, selection)
        if topics:
            facts, homes[story] = news.stories[story], topics[0]
            scored.append((score(facts, news.strength(story, topics[0]), locale=selection.locale, at=at), facts))
    # Where the selection is of one topic, all are at home there: that tells nothing apart.
    return [story for _, story in diversify(scored, homes=homes if len(selection.topics) != 1 else None)]


def _folded(names: Iterable[str]) -> set[str]:
    return {name.strip().casefold() for name in names}
