"""What a template shows of one story: cleaned text, dates and lists in the reader's language, and why it is there.

Knows no markup and no escaping. Pure. `view` makes the views of whole mails of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Protocol

from worker.content import Image, Reason, StoryCard
from worker.pictures import address_fault
from worker.rendering.language import Language, direction_of
from worker.rendering.markdown import words_of
from worker.rendering.pictures import ImageView, image_view
from worker.rendering.prose import Run, one_line, shorten, snippet, web_address
from worker.rendering.words import Words

TITLE_CHARS = 180
SUBJECT_TITLE_CHARS = 110
NAME_CHARS = 60
NOTE_CHARS = 600
TOPICS_SHOWN = 8
_WORDS_SHOWN = 5
_OUTLETS_SHOWN = 3
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


PictureAddress = Callable[[Image], str]
"""From where a mail shows a story's picture: an absolute address, "" for a picture that it does not show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardView:
    """One story. Strings are single lines and may be empty, but for the title; addresses are where a link is unsafe."""

    story: int  # its number, for links about it
    title: str
    subject_title: str  # short enough to leave room for "and 7 more stories"
    url: str  # as shown
    href: str  # where a link to it leads: there, or by way of our own address where clicks are counted
    lang: str  # only where it is not the mail's own
    turned: str  # "rtl" or "ltr" where it is written the other way than the mail, else ""
    summary: tuple[Run, ...]
    section: str  # of its newspaper; "" under a head that says the same
    author: str
    source: str
    moment: str
    also_in: str
    found: str  # topics and the words that made them match; "" where the highlights tell it already
    update: Words  # what an editor says is new in it; none for a story that is told for the first time
    image: ImageView | None

    @property
    def summary_text(self) -> str:
        """Return the summary without its highlights."""
        return "".join(run.text for run in self.summary)

    @property
    def marked_text(self) -> str:
        """Return the summary with its highlights between stars, as plain text marks words."""
        return "".join(f"*{run.text}*" if run.hit else run.text for run in self.summary)


class Tell(Protocol):
    """Makes a story fit to print: `card_view` for one mail's language and zone."""

    def __call__(self, card: StoryCard, *, under: str = "") -> CardView:
        """Return the view of a card, `under` a section's head."""


def as_served(image: Image) -> str:
    """Return a picture's own address, if mails may show it from there: by https only, or a reader's client warns.

    >>> as_served(Image(url="https://img.courier.example/a b.jpg")), as_served(Image(url="http://courier.example/a.jpg"))
    ('https://img.courier.example/a%20b.jpg', '')
    """
    url = web_address(image.url)
    return url if url.lower().startswith("https://") and not address_fault(url) else ""


def unshown(_image: Image) -> str:
    """Show no picture."""
    return ""


@lru_cache(maxsize=2048)  # a story stands in the digests of all who follow one of its topics
def card_view(
    card: StoryCard, language: Language, zone: tzinfo, *, under: str = "", pictures: PictureAddress = as_served
) -> CardView:
    """Make one story fit to print, `under` a section's head, with its picture from where `pictures` says.

    A story without a title is called by its summary, or by its source, or what it is.
    """
    title = one_line(card.title) or shorten(one_line(card.summary), SUBJECT_TITLE_CHARS) or name(card.source)
    title = title or language.gettext("A story without a title")
    direction = direction_of(title)
    foreign = _LANGUAGE_TAG.fullmatch(card.lang) and card.lang.partition("-")[0] != language.tag.partition("-")[0]
    summary = snippet(card.summary, card.highlights)
    told = len(card.reasons) == 1 and any(run.hit for run in summary)
    url = web_address(card.url)
    return CardView(
        story=card.story_id,
        title=shorten(title, TITLE_CHARS),
        subject_title=shorten(title, SUBJECT_TITLE_CHARS),
        url=url,
        href=url,
        lang=card.lang if foreign else "",
        turned=direction if direction not in {"", language.direction} else "",
        summary=summary,
        section="" if card.section.casefold() == under.casefold() else name(card.section),
        author=called(re.sub(r"^[Bb]y\s+", "", card.author), language),
        source=called(card.source, language),
        moment=language.moment(card.published_at, zone),
        also_in=_also_in(card.also_in, language),
        update=note(card.update.note) if card.update else Words(),
        image=image_view(card.image, pictures(card.image), title=title) if card.image else None,
        found="" if told else " · ".join(_found(reason, language) for reason in card.reasons[:TOPICS_SHOWN]),
    )


def name(text: str) -> str:
    r"""Clean and shorten the name of a topic, an outlet, or a person.

    >>> name("North\nKorea")
    'North Korea'
    """
    return shorten(one_line(text), NAME_CHARS)


def called(text: str, language: Language) -> str:
    """Clean and shorten a name that stands amid our own words.

    One that is written the other way ends with a mark of our direction (UAX #9, 2.6), or it would draw what stands
    behind it, such as a dot and the next name, to its own side.
    """
    cleaned = name(text)
    if direction_of(cleaned) in {"", language.direction}:
        return cleaned
    return cleaned + ("\N{RIGHT-TO-LEFT MARK}" if language.direction == "rtl" else "\N{LEFT-TO-RIGHT MARK}")


def note(text: str) -> Words:
    r"""Read an editor's words on one story, of which not too many are shown.

    >>> note("The count was wrong:\n12, not 120.").plain
    'The count was wrong: 12, not 120.'
    """
    return words_of(text, limit_chars=NOTE_CHARS)


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
    shown, rest = list(topics[:TOPICS_SHOWN]), len(topics) - TOPICS_SHOWN
    if rest > 0:
        shown.append(language.ngettext("%(num)s more topic", "%(num)s more topics", rest) % {"num": rest})
    return language.listing(shown)


def _followed(reason: Reason, language: Language) -> str:
    if reason.slug is not None:
        return called(reason.topic, language)
    return language.gettext("your search “%(query)s”") % {"query": called(reason.topic, language)}


def _found(reason: Reason, language: Language) -> str:
    words = ", ".join(_quoted(word, language) for word in _unique(reason.words)[:_WORDS_SHOWN])
    topic = called(reason.topic, language)
    return f"{topic}: {words}" if words else topic


def _quoted(word: str, language: Language) -> str:
    return language.gettext("“%(words)s”") % {"words": called(word, language)}


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _also_in(outlets: Sequence[str], language: Language) -> str:
    if not outlets:
        return ""
    shown, rest = [called(outlet, language) for outlet in outlets[:_OUTLETS_SHOWN]], len(outlets) - _OUTLETS_SHOWN
    if rest > 0:
        shown.append(language.ngettext("%(num)s other outlet", "%(num)s other outlets", rest) % {"num": rest})
    return language.gettext("Also in %(outlets)s") % {"outlets": language.listing(shown)}
