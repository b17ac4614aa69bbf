"""How large a mail shows a story's picture: across the whole column, small beside the words, or not at all.

Decides by the original's pixels, which may be unknown; never enlarges one, never looks at it. Pure. `cards` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from worker.content import Image
from worker.rendering.prose import one_line, shorten

COLUMN: Final = 552  # pixels between a sheet's margins, see templates/mail/inlined.css.j2
_SIDE: Final = 132  # the longer side of a picture beside the words
_LEAST: Final = 60  # what is smaller is a logo or a button
_LEAST_WIDE: Final = 300  # what is narrower would look lost above a headline
_TALLEST: Final = 0.8  # height by width: a taller one would push the words off a phone's screen
ALT_CHARS: Final = 250
CREDIT_CHARS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """Pixels; `height` is 0 where nobody knows it."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageView:
    """A story's picture. `wide` is its place by a headline, None where it is too small or too tall for that."""

    url: str  # absolute, and never empty
    alt: str  # "" where nobody has said what it shows: then it only decorates
    credit: str
    wide: Frame | None
    small: Frame


def image_view(image: Image, url: str, *, title: str = "") -> ImageView | None:
    """Frame the picture of a story, which is served from `url`; None without one, and for a mere button.

    >>> shown = image_view(Image(url="", width=1600, height=900), "https://img.courier.example/7.jpg")
    >>> shown.wide, shown.small
    (Frame(width=552, height=310), Frame(width=132, height=74))
    """
    if not url or 0 < max(image.width, image.height) < _LEAST:
        return None
    alt = shorten(one_line(image.alt), ALT_CHARS)
    return ImageView(
        url=url,
        alt="" if alt.casefold() == title.casefold() else alt,  # whoever hears the mail has just heard that
        credit=shorten(one_line(image.credit), CREDIT_CHARS),
        wide=_wide(image),
        small=_small(image),
    )


def _wide(image: Image) -> Frame | None:
    if image.width and image.width < _LEAST_WIDE:
        return None
    if image.width and image.height > _TALLEST * image.width:
        return None
    return _within(image, COLUMN)


def _small(image: Image) -> Frame:
    if image.width and image.height > image.width:
        return _within(image, max(1, _SIDE * image.width // image.height))
    return _within(image, _SIDE)


def _within(image: Image, width: int) -> Frame:
    """Return a frame of at most that width, in the original's proportions. Of one side alone no height follows."""
    if not image.width:
        return Frame(width=width, height=0)
    shown = min(width, image.width)
    return Frame(width=shown, height=max(1, round(shown * image.height / image.width)) if image.height else 0)
