"""The figures by which two articles are one copy or one story, in one place, each with its reason. Decides nothing.

`wording` and intake read those of copies, matching those of stories. `tests/bench/bench_stories.py` prints what a
change of one of them would do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# Copies ---------------------------------------------------------------------------------------------------------------

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

COPIES_COMPARED: Final = 50
"""Candidates that are compared in full, those with most keys in common: an outlet's boilerplate shares a key or two."""

# Stories --------------------------------------------------------------------------------------------------------------

STORY_WINDOW: Final = timedelta(hours=72)
"""How far from its first article a story goes. A war is not one story: who follows it is told anew after three days."""

MIN_CLOSENESS: Final = 0.26
"""Closeness to a story from which on an article tells it: see the sweep in the bench. The cosine of title and content
together would ask for 0.3; names and hours take a little off everything."""

MIN_CONTENT: Final = 0.10
"""Cosine of the contents alone, without which titles prove nothing: "Morning briefing" is every day's title."""

MIN_SHARED: Final = 3
"""Terms that both contents must have: two are what any two short items on one country share."""

CLOSEST_COMPARED: Final = 3
"""A story is as close as the mean of so many of its articles, the closest ones. With one alone, a story wanders: each
article is like the last, and the last is unlike the first. With all, a follow-up on the third day is like too few."""

NAMES_AGREE: Final = 0.30
NAMES_APART: Final = 0.60
"""Names are who and where. From a cosine of their own of `NAMES_AGREE` on they take nothing off; where none is shared,
`NAMES_APART` of the closeness is left. So two companies' results in the same words stay two stories."""

DEEDS_AGREE: Final = 0.10
DEEDS_APART: Final = 0.60
"""The same of all other words, which are what was done: a minister who speaks on two matters in a day makes two
stories, though all names agree."""

FADES_TO: Final = 0.85
"""What is left of closeness after a whole window: the second earthquake of a week has the first one's words."""

NAME_WEIGHT: Final = 1.6
NUMBER_WEIGHT: Final = 1.0
SMALL_NUMBER_WEIGHT: Final = 0.5
YEAR_WEIGHT: Final = 0.3
TWICE_WEIGHT: Final = 1.2
"""A term's weight is how rare it is, times these: names count more; "7.1" counts whole, "4" half, "2026" hardly; what
stands in title and content both is what the article is about."""

BACKGROUND_ARTICLES: Final = 500
"""So many articles the background's table weighs: it governs the first hundred articles, the window the thousandth."""

LEAD_WORDS: Final = 80
"""Words of summary and body that are read: who, what, when and where stand in them, the history of it comes after."""

LEAD_CHARS: Final = 1_500
"""Of each of title, summary and body: enough for that many words of any language."""

KEPT_ARTICLES: Final = 40_000
"""Arrivals that are remembered: 72 hours of a large newsroom's feeds, and a third more. Earlier ones are forgotten."""

STORIES_COMPARED: Final = 32
"""Articles that are compared in full, the likeliest by their rare terms."""
