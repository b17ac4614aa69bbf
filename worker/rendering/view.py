"""What a template shows of a whole mail: its date, its parts, what it leaves for the web, and why it came.

Decides all wording that depends on the content; wording that does not is in the templates. Knows no markup and no
escaping. Pure. `compile` makes views and hands them to the templates as `view`; `cards` makes those of stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from worker.content import (
    AlertContent,
    ChangedContent,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    GoodbyeContent,
    LetterContent,
    NewsletterContent,
    Reason,
    RollingContent,
    Section,
    StoryCard,
    WelcomeContent,
)
from worker.model import Severity
from worker.rendering.cards import (
    SUBJECT_TITLE_CHARS,
    TITLE_CHARS,
    TOPICS_SHOWN,
    CardView,
    PictureAddress,
    Tell,
    as_served,
    called,
    card_view,
    name,
    names,
    note,
    why,
)
from worker.rendering.courtesies import CourtesyView, courtesy_view
from worker.rendering.language import Language
from worker.rendering.letter import LetterView, letter_view
from worker.rendering.newsletter import NewsletterView, newsletter_view
from worker.rendering.prose import one_line, shorten
from worker.rendering.words import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertView:
    """One story, now."""

    severity: Severity
    day: str
    topics: tuple[str, ...]
    card: CardView
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionView:
    """A mail's part for one topic; `more` stories of it wait on the web, `left_out` on the topic's page."""

    topic: str
    url: str
    cards: tuple[CardView, ...]
    more: int
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _SectionsView:
    """Many stories, by topic.

    `lead` is the first of all, `count` all of them, `others` all but the lead; `contents` has the first topics with
    their numbers of stories; `elsewhere` counts the stories of topics that the mail had no room for.
    """

    day: str
    lead: CardView
    count: int
    others: int
    contents: tuple[tuple[str, int], ...]
    contents_more: int
    sections: tuple[SectionView, ...]
    elsewhere: int
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestView(_SectionsView):
    """A day's stories; `away`: the best of those that a pause has missed."""

    away: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RollingView(_SectionsView):
    """The stories of a burst, which came between two moments. `topics` lists what they are about."""

    topics: str
    since: str
    until: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionView:
    """What was wrong in a story, called by the title under which it was sent; `card` is it as it is now."""

    retracted: bool
    title: str
    subject_title: str
    note: Words
    card: CardView | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmationView:
    """What a reader-to-be asked for; `topics` may be empty, `topics_line` then too."""

    topics: tuple[str, ...]
    topics_line: str


_Editorial = AlertView | DigestView | RollingView | CorrectionView | NewsletterView
View = _Editorial | ConfirmationView | LetterView | CourtesyView


def view_of(
    content: Content,
    language: Language,
    *,
    base_url: str,
    newsroom: str = "",
    kept: Sequence[int] | None = None,
    zone: tzinfo = UTC,
    pictures: PictureAddress = as_served,
) -> View:
    """Make the view of a content. `kept` says how many stories of each of its sections to show; None: all."""

    def tell(card: StoryCard, *, under: str = "") -> CardView:
        return card_view(card, language, zone, under=under, pictures=pictures)

    match content:
        case AlertContent():
            return _alert(content, language, zone, tell)
        case DigestContent():
            day = language.day(content.day)
            sections = _sections(content.sections, language, base_url, kept, tell)
            return DigestView(day=day, away=content.away, **sections)
        case RollingContent():
            return RollingView(
                day=language.day(content.until.astimezone(zone).date()),
                topics=names([called(section.topic, language) for section in content.sections], language),
                since=language.moment(content.since, zone),
                until=language.moment(content.until, zone),
                **_sections(content.sections, language, base_url, kept, tell),
            )
        case CorrectionContent():
            return _correction(content, language, tell)
        case ConfirmationContent():
            topics = tuple(map(name, content.topics))
            return ConfirmationView(topics=topics, topics_line=names(topics, language) if topics else "")
        case LetterContent():
            return letter_view(content, language, newsroom=newsroom)
        case WelcomeContent() | ChangedContent() | GoodbyeContent():
            return courtesy_view(content, language)
        case NewsletterContent():
            return newsletter_view(content, language, tell, kept=kept[0] if kept else None)


def _alert(content: AlertContent, language: Language, zone: tzinfo, tell: Tell) -> AlertView:
    card = content.card
    return AlertView(
        severity=content.severity,
        day=language.day(card.published_at.astimezone(zone).date()),
        topics=tuple(called(reason.topic, language) for reason in card.reasons)[:TOPICS_SHOWN],
        card=tell(card),
        why=why(card.reasons, language),
    )


def _correction(content: CorrectionContent, language: Language, tell: Tell) -> CorrectionView:
    title = one_line(content.title) or language.gettext("A story without a title")
    return CorrectionView(
        retracted=content.retracted,
        title=shorten(title, TITLE_CHARS),
        subject_title=shorten(title, SUBJECT_TITLE_CHARS),
        note=note(content.note),
        card=tell(content.card) if content.card else None,
        why=(
            language.gettext("You get this because we sent you the story.")
            if content.retracted
            else language.gettext("You get this because we sent you the story as it was before.")
        ),
    )


def _sections(
    sections: Sequence[Section], language: Language, base_url: str, kept: Sequence[int] | None, tell: Tell
) -> dict[str, Any]:
    """Return what all views of many stories have, but for the day."""
    shown = kept if kept is not None else [len(section.cards) for section in sections]
    contents = tuple((called(section.topic, language), len(section.cards)) for section in sections)
    count = sum(number for _, number in contents)
    return {
        "lead": tell(sections[0].cards[0]),
        "count": count,
        "others": count - 1,
        "contents": contents[:TOPICS_SHOWN],
        "contents_more": len(contents[TOPICS_SHOWN:]),
        "sections": tuple(
            _section(section, base_url, keep, tell) for section, keep in zip(sections, shown, strict=True) if keep
        ),
        "elsewhere": sum(len(section.cards) for section, keep in zip(sections, shown, strict=True) if not keep),
        "why": why([Reason(topic=section.topic, slug=section.slug) for section in sections], language),
    }


def _section(section: Section, base_url: str, keep: int, tell: Tell) -> SectionView:
    return SectionView(
        topic=name(section.topic),
        url=f"{base_url}/topics/{section.slug}" if section.slug else "",
        cards=tuple(tell(card, under=section.topic) for card in section.cards[:keep]),
        more=len(section.cards) - keep,
        left_out=section.more,
    )
