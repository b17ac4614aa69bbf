"""The figures that are intake's alone, each with its reason. Decides nothing itself.

What makes two articles one copy or one story is in `worker.sameness`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MIN_TITLE_OVERLAP: Final = 0.5
"""Share of the shorter title's words, from which on two items at one address are one item."""

MATERIAL_JACCARD: Final = 0.8
"""An update that keeps more than this of its wording, and its title's words, is a touch-up."""

MAX_CLOCK_SKEW: Final = timedelta(minutes=10)
"""How far into our future a source's clock may be before its dates are taken for wrong."""

MAX_TEXT_BYTES: Final = 2_000_000
"""Summary and body of one article, as UTF-8: three novels."""

MAX_TITLE_CHARS: Final = 1_000
MAX_URL_CHARS: Final = 2_000

MAX_PICTURE_WORDS_CHARS: Final = 1_000
"""What a picture shows, and its credit; a mail shows the first 250 and 60 characters."""
