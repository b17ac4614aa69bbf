"""What a template shows of a content: cleaned text, dates and lists in the reader's language, and why the mail came.

Decides all wording that depends on the content; wording that does not is in the templates. Knows no markup and no
escaping. Pure. `compile` makes views and hands them to the templates as `view`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache

from worker.content import (
    AlertContent,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    NewsletterContent,
    Reason,
    RollingContent,
    Section,
    StoryCard,
)
from worker.model import Severity
from worker.rendering.language import Language
from worker.rendering.prose import Run, one_line, shorten, snippet, web_address

TITLE_CHARS = 180
SUBJECT_TITLE_CHARS = 110
NAME_CHARS = 60
_WORDS_SHOWN = 5
_OUTLETS_SHOWN = 3
_TOPICS_SHOWN = 8
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True, slots=True)
class CardView:
    """One story. Strings are single lines and may be empty, but for the title; `url` is "" where a link is unsafe."""

    title: str
    subject_title: str  # short enough to leave room for "and 7 more stories"
    url: str
    lang: str  # only where it is not the mail's own
    summary: tuple[Run, ...]
    section: str  # of its newspaper; "" under a head that says the same
    author: str
    source: str
    moment: str
    also_in: str
    found: str  # topics and the words that made them match; "" where the highlights tell it already

    @property
    def summary_text(self) -> str:
        """Return the summary without its highlights."""
        return "".join(run.text for run in self.summary)


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
    """A digest's part for one topic; `more` stories of it wait on the web."""

    topic: str
    url: str
    cards: tuple[CardView, ...]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestView:
    """A day's stories.

    `lead` is the first of all, `others` counts the rest; `contents` has the first topics with their numbers of stories;
    `elsewhere` counts the stories of topics that the mail had no room for.
    """

    day: str
    lead: CardView
    others: int
    contents: tuple[tuple[str, int], ...]
    contents_more: int
    sections: tuple[SectionView, ...]
    elsewhere: int
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmationView:
    """What a reader-to-be asked for; `topics` may be empty, `topics_line` then too."""

    topics: tuple[str, ...]
    topics_line: str


View = AlertView | DigestView | ConfirmationView


def view_of(
    content: Content, language: Language, *, base_url: str, kept: Sequence[int] | None = None, zone: tzinfo = UTC
) -> View:
    """Make the view of a content. `kept` says how many stories of each of a digest's sections to show; None: all."""
    match content:
        case AlertContent():
            return _alert(content, language, zone)
        case DigestContent():
            return _digest(content, language, base_url, kept, zone)
        case ConfirmationContent():
            topics = tuple(map(name, content.topics))
            return ConfirmationView(topics=topics, topics_line=names(topics, language) if topics else "")
        case RollingContent() | NewsletterContent() | CorrectionContent():
            raise ValueError(f"there is no template for the kind {content.kind}")


def _alert(content: AlertContent, language: Language, zone: tzinfo) -> AlertView:
    card = content.card
    return AlertView(
        severity=content.severity,
        day=language.day(card.published_at.astimezone(zone).date()),
        topics=tuple(name(reason.topic) for reason in card.reasons)[:_TOPICS_SHOWN],
        card=card_view(card, language, zone),
        why=why(card.reasons, language),
    )


def _digest(
    content: DigestContent, language: Language, base_url: str, kept: Sequence[int] | None, zone: tzinfo
) -> DigestView:
    shown = kept if kept is not None else [len(section.cards) for section in content.sections]
    contents = tuple((name(section.topic), len(section.cards)) for section in content.sections)
    return DigestView(
        day=language.day(content.day),
        lead=card_view(content.sections[0].cards[0], language, zone),
        others=len(content.stories()) - 1,
        contents=contents[:_TOPICS_SHOWN],
        contents_more=len(contents[_TOPICS_SHOWN:]),
        sections=tuple(
            _section(section, language, base_url, keep, zone)
            for section, keep in zip(content.sections, shown, strict=True)
            if keep
        ),
        elsewhere=sum(len(section.cards) for section, keep in zip(content.sections, shown, strict=True) if not keep),
        why=why([Reason(topic=section.topic, slug=section.slug) for section in content.sections], language),
    )


def _section(section: Section, language: Language, base_url: str, keep: int, zone: tzinfo) -> SectionView:
    return SectionView(
        topic=name(section.topic),
        url=f"{base_url}/topics/{section.slug}" if section.slug else "",
        cards=tuple(card_view(card, language, zone, under=section.topic) for card in section.cards[:keep]),
        more=len(section.cards) - keep,
    )


@lru_cache(maxsize=2048)  # a story stands in the digests of all who follow one of its topics
def card_view(card: StoryCard, language: Language, zone: tzinfo, *, under: str = "") -> CardView:
    """Make one story fit to print, `under` a section's head.

    A story without a title is called by its summary, or by its source.
    """
    title = one_line(card.title) or shorten(one_line(card.summary), SUBJECT_TITLE_CHARS) or name(card.source)
    foreign = _LANGUAGE_TAG.fullmatch(card.lang) and card.lang.partition("-")[0] != language.tag.partition("-")[0]
    summary = snippet(card.summary, card.highlights)
    told = len(card.reasons) == 1 and any(run.hit for run in summary)
    return CardView(
        title=shorten(title, TITLE_CHARS),
        subject_title=shorten(title, SUBJECT_TITLE_CHARS),
        url=web_address(card.url),
        lang=card.lang if foreign else "",
        summary=summary,
        section="" if card.section.casefold() == under.casefold() else name(card.section),
        author=name(re.sub(r"^[Bb]y\s+", "", card.author)),
        source=name(card.source),
        moment=language.moment(card.published_at, zone),
        also_in=_also_in(card.also_in, language),
        found="" if told else " · ".join(_found(reason, language) for reason in card.reasons[:_TOPICS_SHOWN]),
    )


def name(text: str) -> str:
    r"""Clean and shorten the name of a topic, an outlet, or a person.

    >>> name("North\nKorea")
    'North Korea'
    """
    return shorten(one_line(text), NAME_CHARS)


def why(reasons: Iterable[Reason], language: Language) -> str:
    """Say why the mail came: what the reader follows, and the words in which the article says it."""
    reasons = list(reasons)
    topics = names([_followed(reason, language) for reason in reasons], language)
    words = _unique(word for reason in reasons for word in reason.words)
    if not words:
        return language.gettext("You get this because you follow %(topics)s.") % {"topics": topics}
    said = language.listing(_quoted(word, language) for word in words[:_WORDS_SHOWN])
    sentence = language.gettext("You get this because you follow %(topics)s: it says %(words)s.")
    return sentence % {"topics": topics, "words": said}


def names(topics: Sequence[str], language: Language) -> str:
    """List topics; of very many the first few and a count."""
    shown, rest = list(topics[:_TOPICS_SHOWN]), len(topics) - _TOPICS_SHOWN
    if rest > 0:
        shown.append(language.ngettext("%(num)s more topic", "%(num)s more topics", rest) % {"num": rest})
    return language.listing(shown)


def _followed(reason: Reason, language: Language) -> str:
    if reason.slug is not None:
        return name(reason.topic)
    return language.gettext("your search “%(query)s”") % {"query": name(reason.topic)}


def _found(reason: Reason, language: Language) -> str:
    words = ", ".join(_quoted(word, language) for word in _unique(reason.words)[:_WORDS_SHOWN])
    return f"{name(reason.topic)}: {words}" if words else name(reason.topic)


def _quoted(word: str, language: Language) -> str:
    return language.gettext("“%(words)s”") % {"words": name(word)}


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _also_in(outlets: Sequence[str], language: Language) -> str:
    if not outlets:
        return ""
    shown, rest = [name(outlet) for outlet in outlets[:_OUTLETS_SHOWN]], len(outlets) - _OUTLETS_SHOWN
    if rest > 0:
        shown.append(language.ngettext("%(num)s other outlet", "%(num)s other outlets", rest) % {"num": rest})
    return language.gettext("Also in %(outlets)s") % {"outlets": language.listing(shown)}
