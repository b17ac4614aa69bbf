"""What an issue of a newsletter can be made of, and the one act that fixes it: to freeze its ranking.

Inside the caller's transaction. Called by the run of newsletters and by what editors do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from worker.facts import Issue, StoredNewsletter, Telling
from worker.model import EditionId, EditionStatus, RunKind, StoryId, TopicId
from worker.planning.decide_newsletter import Choices, Selection, rank
from worker.planning.news import News
from worker.planning.run_news import by_topic, sum_up
from worker.store import issues, runs
from worker.store import news as reading
from worker.store.database import now
from worker.store.house import MATCH_SEQ, reached
from worker.store.news import NumberedPair
from worker.store.seen import SEEN_FOR
from worker.store.tellings import tellings as read_tellings

FIRST_ISSUE: Final = timedelta(days=1)  # how far the first one looks back


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """An issue's stories in order, what is known of them, and the last match_seq that it may show."""

    ranking: tuple[StoryId, ...]
    news: News
    selection: Selection
    head: int


def make(
    conn: Connection,
    newsletter: StoredNewsletter,
    issue: Issue,
    *,
    at: datetime,
    after: int | None = None,
    ended: Collection[EditionId] = (),
) -> Made:
    """Rank what there is for an issue now; one that is frozen keeps its ranking.

    A dry run knows of what the store does not have yet: the last match_seq that the issue before this one could show,
    and issues that have `ended` with no copies.
    """
    stored = newsletter.selection
    topics = reading.shared_topics(conn, stored.get("topics", ()))
    selection = Selection(
        topics=tuple(topics) if stored.get("topics") else (),
        sections=tuple(stored.get("sections", ())),
        sources=tuple(stored.get("sources", ())),
        minimum=stored.get("minimum", 1),
        maximum=stored.get("maximum", 10),
        locale=newsletter.locale,
    )
    choices = Choices.read(issue.choices)
    head = reached(conn, MATCH_SEQ)
    if issue.ranking:
        news = _news(conn, (), issue.ranking, topics)
        return Made(ranking=tuple(issue.ranking), news=news, selection=selection, head=head)
    before = issues.latest_head(conn, newsletter, but=[issue.id, *ended]) if after is None else after
    since = at - (FIRST_ISSUE if before is None else SEEN_FOR)
    matched = reading.pairs(conn, after=before or 0, head=head, since=since, topics=topics)
    wanted = {*choices.pins, *choices.order, *(StoryId(one.story_id) for one in matched)}
    news = _news(conn, matched, sorted(wanted), topics)
    fresh = [StoryId(one.story_id) for one in matched]
    # Ages count from the issue's own time, so that a preview shows what will go out.
    ranking = rank(fresh, news, choices, selection, at=issue.due_at)
    return Made(ranking=ranking, news=news, selection=selection, head=head)


def freeze(conn: Connection, issue: Issue, made: Made) -> None:
    """Fix an issue's stories, and how far it has looked: what matches from now on is the next one's."""
    issues.freeze(conn, issue.id, made.ranking)
    runs.open_run(conn, RunKind.NEWSLETTER, issue.slot, due_at=issue.due_at, head=made.head, data={"edition": issue.id})


def end(conn: Connection, issue: Issue, *, reason: str, copies: int | None = 0) -> bool:
    """End an issue that is a draft still; False when it is none any more."""
    at = now(conn)
    values = {"status": EditionStatus.FINISHED, "reason": reason, "audience": copies}
    if not issues.change(conn, issue.id, **values, planned_at=at, finished_at=at):
        return False
    run = runs.open_run(conn, RunKind.NEWSLETTER, issue.slot, due_at=issue.due_at, head=0)
    if run is not None:
        runs.close(conn, run)
    return True


def tellings_of(conn: Connection, stories: Sequence[StoryId]) -> dict[StoryId, list[Telling]]:
    """Read all that mails can say of stories."""
    shelves: dict[StoryId, list[Telling]] = {}
    for telling in read_tellings(conn, stories):
        shelves.setdefault(telling.story_id, []).append(telling)
    return shelves


def _news(
    conn: Connection, matched: Sequence[NumberedPair], stories: Sequence[StoryId], topics: Sequence[TopicId]
) -> News:
    return News(
        stories=sum_up(reading.told(conn, stories)),
        pairs=by_topic(matched),
        strengths=reading.strengths(conn, stories, topics),
    )
