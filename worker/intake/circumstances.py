"""What a document says of its items, and what becomes of each of them.

Pure: values only. `run` makes the circumstances, `run_taking` and `run_together` say what became.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from worker.intake.dating import Dating
from worker.intake.wordings import Wordings
from worker.model import ArticleId, Novelty


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What became of an article handed in. `id` is the article that stands for it, an earlier one for a known item."""

    id: ArticleId
    status: Novelty
    reason: str
    stored: bool  # a new row or a new version; False when nothing changed
    is_new: bool = False  # a new row


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What an article's document says of it: whether the source is held, its first document, and how it dates items.

    `places` tells where the items of the document stand, by their keys.
    """

    outlet: str
    age_limit: timedelta
    is_held: bool = False
    is_backlog: bool = False
    dating: Dating = Dating.TOLD
    places: Mapping[str, str] = field(default_factory=dict)
    wordings: Wordings = field(default_factory=Wordings)


def said(*parts: str) -> str:
    """Return a reason of several parts, of which some may be empty.

    >>> said("not seen before", "", "without its page")
    'not seen before; without its page'
    """
    return "; ".join(part for part in parts if part)
