"""What a match leaves behind: the topic, and every place in the article that made it true.

Decides how strong a match is. The mail's "why you got this" line, the highlights and the ranking come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from worker.model import Field


class Strength(IntEnum):
    """Where the best evidence stands; the numbers are stored. Other fields than title and summary count as the body."""

    BODY = 1
    SUMMARY = 2
    TITLE = 3


_STRENGTHS = {Field.TITLE: Strength.TITLE, Field.SUMMARY: Strength.SUMMARY}


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A place that made a query true. `start` and `end` count code points of the field's original text.

    `part` is the canonical text of the word, phrase or prefix that was found, `alias` what stands there. A span in
    `tag` counts in all tags joined by one character each (`analyser.TAG_SEPARATOR`).
    """

    field: Field
    start: int
    end: int
    part: str
    alias: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """An expression that an article makes true, and why. `spans` is never empty; ordered by field, then by place."""

    expression: int
    spans: tuple[Span, ...]

    @property
    def strength(self) -> Strength:
        """Return the strength of the strongest span."""
        return max(_STRENGTHS.get(span.field, Strength.BODY) for span in self.spans)
