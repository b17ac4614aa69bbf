"""Which known item of a source is this one? The same key may mean another article, another key the same one.

Pure. Judges by values that `run_taking` and `run_rekeying` have looked up. What is then made of the item, an update, a
copy or news, is `decide`'s question.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from worker.intake.decide import Known
from worker.intake.likeness import (
    are_titles_related,
    is_another_issue,
    is_wording_related,
    newer_by,
)
from worker.intake.places import path, place
from worker.intake.thresholds import ANOTHER_ISSUE, APART_TITLES, APART_WORDING
from worker.model import ArticleId, ParsedArticle


class Sight(StrEnum):
    """What an item is to those that its source has told before."""

    UNKNOWN = "unknown"
    SAME = "same"  # under the key that we know it by
    MOVED = "moved"  # the same under another key, which is its key from now on
    REUSED = "reused"  # another article under the key of ours, which gives it up
    BORROWED = "borrowed"  # an earlier article under the key of ours, which keeps it


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What was recognised. `known` is the article that this is, or whose key it bears; none for what is unknown.

    `reason` is a sentence's part. `apart` are articles that it is expressly not, neither again nor as a copy.
    """

    sight: Sight
    known: Known | None = None
    reason: str = ""
    apart: frozenset[ArticleId] = frozenset()


def recognise(
    article: ParsedArticle, by_key: Known | None, at_place: Sequence[Known], *, present: Collection[ArticleId] = ()
) -> Sighting:
    """Tell which known item an article is.

    `by_key` has its key, `at_place`, the newest first, its address, or lacking one its title. `present` are articles
    that the same document tells under keys of their own: what it tells twice are two items to it.
    """
    here = [one for one in at_place if by_key is None or one.article_id != by_key.article_id]
    again = [one for one in here if is_seen_again(article, one.article) and one.article_id not in present]
    apart = frozenset(one.article_id for one in here if is_another_issue(article, one.article))
    if by_key is None:
        if again:
            return Sighting(sight=Sight.MOVED, known=again[0], reason=_moved(article, again[0]))
        return Sighting(sight=Sight.UNKNOWN, apart=apart)
    why = why_reused(article, by_key.article)
    if not why:
        return Sighting(sight=Sight.SAME, known=by_key, reason=f"same item as article {by_key.article_id}")
    if again:
        reason = f"same address as article {again[0].article_id} under the GUID of article {by_key.article_id}"
        return Sighting(sight=Sight.SAME, known=again[0], reason=reason)
    newer = newer_by(article, by_key.article)
    is_earlier = newer is not None and newer < timedelta(0)
    return Sighting(
        sight=Sight.BORROWED if is_earlier else Sight.REUSED,
        known=by_key,
        reason=f"its GUID was article {by_key.article_id}'s: {why}",
        apart=apart | {by_key.article_id},
    )


def why_reused(article: ParsedArticle, ours: ParsedArticle) -> str:
    """Say why an article that bears the key of ours is another one; "" if it is a version of ours.

    Of two tellings without a title, wording or address in common, the date decides: of an article that is rewritten it
    stays as it was.

    >>> ours = ParsedArticle(guid="1", url="https://gull.example/ferries", title="Fog holds the ferries")
    >>> why_reused(ParsedArticle(guid="1", url="https://gull.example/vote", title="Voters reject the bridge"), ours)
    'another address, title and wording'
    >>> why_reused(ParsedArticle(guid="1", url="https://gull.example/ferries", title="Storm over Marlow"), ours)
    ''
    """
    if is_another_issue(article, ours):
        return "another day's wording"
    newer = newer_by(article, ours)
    one, other = place(article.url), place(ours.url)
    if one and other and one != other:
        is_related = are_titles_related(article.title, ours.title, least=APART_TITLES) or is_wording_related(
            article, ours, least=APART_WORDING
        )
        return "" if is_related or newer == timedelta(0) else "another address, title and wording"
    if are_titles_related(article.title, ours.title) or is_wording_related(article, ours):
        return ""
    if newer is not None and newer >= ANOTHER_ISSUE:
        return "another day's title and wording"
    return ""


def is_seen_again(article: ParsedArticle, ours: ParsedArticle) -> bool:
    """Tell whether an article of the same source under another key is ours: at one address, or by title and date."""
    one, other = place(article.url), place(ours.url)
    if one != other or is_another_issue(article, ours):
        return False
    if one:
        return are_titles_related(article.title, ours.title) or bool(is_wording_related(article, ours))
    return _is_told_alike(article, ours)


def is_moved_along(article: ParsedArticle, ours: ParsedArticle) -> bool:
    """Tell whether an article is ours after a move of the whole source.

    It has the same title, and the same path on another host or the same date at another address.
    """
    if not _is_titled_alike(article, ours) or is_wording_related(article, ours) is False:
        return False
    has_path = bool(path(article.url)) and path(article.url) == path(ours.url)
    return has_path or newer_by(article, ours) == timedelta(0)


def _is_told_alike(article: ParsedArticle, ours: ParsedArticle) -> bool:
    dated_alike = newer_by(article, ours) in {None, timedelta(0)}
    return _is_titled_alike(article, ours) and dated_alike and is_wording_related(article, ours) is not False


def _is_titled_alike(article: ParsedArticle, ours: ParsedArticle) -> bool:
    title = " ".join(article.title.casefold().split())
    return bool(title) and title == " ".join(ours.title.casefold().split())


def _moved(article: ParsedArticle, ours: Known) -> str:
    by_what = "address" if place(article.url) else "title and date"
    return f"same {by_what} as article {ours.article_id} under another GUID"
