"""The figures by which intake judges, in one place, each with its reason. Decides nothing itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SHINGLE_WORDS: Final = 3
"""Words in a row that count as one piece of wording: two are everybody's phrases, four lose an edit's neighbours."""

MIN_WORDS: Final = 48
"""Texts of fewer words are only compared exactly: a paragraph about one event reads much alike everywhere."""

MIN_EXACT_WORDS: Final = 8
"""Below this even equal texts are not copies: "Live updates" is every day's title."""

MIN_CONTAINMENT: Final = 0.8
"""Share of an article's wording that another one has, from which on it is a copy. Desks cut and add a paragraph."""

MIN_JACCARD: Final = 0.5
"""Shared wording over all wording of both, from which on one is a copy of the other, whoever was longer."""

BANDS: Final = 24
"""Keys of a fingerprint. Of a text's copy in one four times as long, about one in 200 then goes unnoticed."""

COPY_WINDOW: Final = timedelta(days=14)
"""How far back copies are looked for: the same words a month later are an anniversary, not a wire."""

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
