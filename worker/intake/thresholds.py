"""The figures that are intake's alone, each with its reason. Decides nothing itself.

What makes two articles one copy or one story is in `worker.sameness`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MIN_TITLE_OVERLAP: Final = 0.5
"""Share of the shorter title's words, from which on two items at one address are one item."""

RELATED_TITLES: Final = 0.4
"""Share of the shorter title's telling words, from which on two headlines may be of one article: rewrites keep the
names. Below it, and with other wording too, one key stands for two articles."""

RELATED_WORDING: Final = 0.3
"""Share of either text's wording that the other has, from which on they are versions of one: a rewrite that keeps less
keeps its address. An outlet's boilerplate is less of any but the shortest of texts."""

APART_TITLES: Final = 0.6
APART_WORDING: Final = 0.5
"""The same for two tellings at different addresses, which stand for two articles more often: "Fire in Marlow" and "Fire
in Ostrau" have half a title in common, two reports of one robot a third of their words."""

MIN_TOLD_WORDS: Final = 8
"""Summaries and bodies of fewer words prove nothing, neither that they are one nor that they are two."""

ANOTHER_ISSUE: Final = timedelta(hours=20)
"""So much later is another day's edition of a page whose address or GUID stays: dailies come 24 hours apart, give or
take, while an article is rewritten under the date it had."""

FLIPS_SETTLE: Final = timedelta(hours=6)
"""So long a version must have stood before the return of an earlier one is believed a second time: headlines under test
alternate by the minute, a newsroom takes something back once."""

MAX_VERSIONS: Final = 20
"""Versions kept of an article: the first, and the newest. A live page has hundreds, nobody asks for the 40th."""

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
