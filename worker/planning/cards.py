"""Decides how a story is told to the followers of some topics: which article, which reasons, which words are marked.

Pure: takes what the store read, returns frozen contents. Called by the planning of alerts and digests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from worker.content import AlertContent, Image, Reason, Section, StoryCard, UpdateNote
from worker.facts import Concern, DueStory, Telling
from worker.model import StoryId, TopicId

SNIPPET_CHARS = 320
_MOST_WORDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """All that is known of some stories, by story and by (story, topic)."""

    tellings: dict[StoryId, list[Telling]]
    concerns: dict[tuple[StoryId, TopicId], list[Concern]]
    updates: Mapping[StoryId, UpdateNote] = field(default_factory=dict)  # what editors say is new in them

    @classmethod
    def of(
        cls,
        tellings: Sequence[Telling],
        concerns: Sequence[Concern],
        updates: Mapping[StoryId, UpdateNote] | None = None,
    ) -> Library:
        """Sort what the store read into shelves; the order within each is kept."""
        by_story: dict[StoryId, list[Telling]] = {}
        by_pair: dict[tuple[StoryId, TopicId], list[Concern]] = {}
        for telling in tellings:
            by_story.setdefault(telling.story_id, []).append(telling)
        for concern in concerns:
            by_pair.setdefault((concern.story_id, concern.topic_id), []).append(concern)
        return cls(tellings=by_story, concerns=by_pair, updates=updates or {})

    def strength(self, story_id: StoryId, topic_id: TopicId) -> int:
        """Return how strongly the story concerns the topic: 3 in a title, 1 in a body, 0 not any more."""
        return max((concern.strength for concern in self.concerns.get((story_id, topic_id), ())), default=0)


def card(library: Library, story_id: StoryId, topics: Collection[TopicId], *, locale: str) -> StoryCard | None:
    """Tell a story to somebody who follows `topics`; None when nothing is left to tell: killed, or matching no more."""
    told = library.tellings.get(story_id)
    reasons = [reason(found, locale=locale) for topic in topics if (found := library.concerns.get((story_id, topic)))]
    if not told or not reasons:
        return None
    highlights = _highlights(library, told[0], snippet(told[0]), topics)
    return told_card(
        told,
        reasons=sorted(reasons, key=lambda reason: reason.topic),
        highlights=highlights,
        update=library.updates.get(story_id),
    )


def told_card(
    told: Sequence[Telling],
    *,
    reasons: Sequence[Reason] = (),
    highlights: tuple[tuple[int, int], ...] = (),
    update: UpdateNote | None = None,
) -> StoryCard:
    """Make a card of a story's tellings, the one that is shown first; without reasons it is an editor's choice."""
    best = told[0]
    summary = snippet(best)
    return StoryCard(
        story_id=best.story_id,
        article_id=best.article_id,
        revision=best.revision,
        title=best.title or summary[:80],
        summary=summary,
        url=best.url,
        source=best.outlet,
        lang=best.lang,
        author=best.author,
        section=best.section,
        published_at=best.published_at,
        also_in=tuple(
            dict.fromkeys(other.outlet for other in told[1:] if other.outlet and other.outlet != best.outlet)
        ),
        highlights=highlights,
        reasons=tuple(reasons),
        update=update,
        image=image_of(best),
    )


def image_of(telling: Telling) -> Image | None:
    """Return the picture of the article that is shown: another's would stand under the wrong outlet's name."""
    return Image(**asdict(telling.image)) if telling.image else None


def tellable(library: Library, story: DueStory) -> tuple[TopicId, ...]:
    """Return those of a story's topics for which there is something to tell: not killed, and matching still."""
    told = library.tellings.get(story.story_id)
    return tuple(topic for topic in story.topics if told and library.concerns.get((story.story_id, topic)))


def alert(library: Library, story_id: StoryId, topics: Collection[TopicId], *, locale: str) -> AlertContent | None:
    """Write the alert of one story, None when there is nothing to tell."""
    told = card(library, story_id, topics, locale=locale)
    if told is None:
        return None
    return AlertContent(locale=locale, severity=library.tellings[story_id][0].severity, card=told)


def sections(library: Library, fresh: Mapping[TopicId, Sequence[StoryId]], *, locale: str) -> tuple[Section, ...]:
    """Lay fresh stories out in a section a topic, each story once, under the topic that it concerns most.

    Stories in the reader's own language come first, then by strength, then the newest; sections by their first story.
    In which order topics and stories are handed in makes no difference: readers of the same share a content.
    """
    topics_of: dict[StoryId, list[TopicId]] = {}
    for topic, stories in fresh.items():
        for story in stories:
            topics_of.setdefault(story, []).append(topic)
    shelves: dict[TopicId, list[StoryCard]] = {}
    for story, topics in topics_of.items():
        told = card(library, story, topics, locale=locale)
        if told is not None:
            home = max(topics, key=lambda topic: (library.strength(story, topic), -topic))
            shelves.setdefault(home, []).append(told)
    laid = [_section(library, topic, cards, locale=locale) for topic, cards in shelves.items()]
    return tuple(section for _, section in sorted(laid, key=lambda pair: pair[0]))


def is_private(library: Library, stories: Collection[StoryId], topics: Collection[TopicId]) -> bool:
    """Tell whether a content about these would quote somebody's own query."""
    pairs = ((story, topic) for story in stories for topic in topics)
    return any(concern.slug is None for pair in pairs for concern in library.concerns.get(pair, ()))


def snippet(telling: Telling) -> str:
    """Return the article's summary, or the beginning of its body, cut at a word.

    The cut keeps offsets: what is left of a summary is its own beginning.
    """
    text = telling.summary.strip() or " ".join(telling.body[: 4 * SNIPPET_CHARS].split())
    if len(text) <= SNIPPET_CHARS:
        return text
    cut = text.rfind(" ", SNIPPET_CHARS // 2, SNIPPET_CHARS)
    return text[: cut if cut > 0 else SNIPPET_CHARS].rstrip(" ,;:") + "…"


def reason(found: Sequence[Concern], *, locale: str) -> Reason:
    """Say why a story concerns a topic: its name and the words that told, as they stand in the articles."""
    first = found[0]
    words: dict[str, str] = {}
    for span in (span for concern in found for span in concern.evidence):
        words.setdefault(str(span["alias"]).casefold(), str(span["alias"]))  # a dateline says it in capitals once more
    name = first.names.get(locale) or first.names.get("en") or first.query
    return Reason(topic=name, slug=first.slug, words=tuple(words.values())[:_MOST_WORDS])


def _section(
    library: Library, topic: TopicId, cards: list[StoryCard], *, locale: str
) -> tuple[tuple[bool, int, float, int, str], Section]:
    def rank(told: StoryCard) -> tuple[bool, int, float, int]:
        strength = library.strength(StoryId(told.story_id), topic)
        return (is_foreign(told.lang, locale), -strength, -told.published_at.timestamp(), -told.story_id)

    cards.sort(key=rank)
    named = reason(library.concerns[StoryId(cards[0].story_id), topic], locale=locale)
    return (*rank(cards[0]), named.topic), Section(topic=named.topic, slug=named.slug, cards=tuple(cards))


def is_foreign(lang: str, locale: str) -> bool:
    """Tell whether an article is certainly not in the reader's language; dialects of one language are one.

    >>> [is_foreign(lang, "en") for lang in ("en-GB", "ko", "")]
    [False, True, False]
    """
    return lang != "" and lang.partition("-")[0].lower() != locale.partition("-")[0].lower()


def _highlights(
    library: Library, best: Telling, summary: str, topics: Collection[TopicId]
) -> tuple[tuple[int, int], ...]:
    """Return where the summary says what the reader follows; a snippet made of the body has no such places."""
    leading = len(best.summary) - len(best.summary.lstrip())
    if not best.summary.strip():
        return ()
    spans = {
        (int(span["start"]) - leading, int(span["end"]) - leading)
        for topic in topics
        for concern in library.concerns.get((best.story_id, topic), ())
        if concern.article_id == best.article_id
        for span in concern.evidence
        if span["field"] == "summary"
    }
    shown = len(summary.rstrip("…")) if summary.endswith("…") else len(summary)
    return tuple(sorted((start, end) for start, end in spans if 0 <= start < end <= shown))
