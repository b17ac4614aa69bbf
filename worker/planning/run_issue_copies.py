"""Writes the copies of one frozen issue for a chunk of its readers: what each has not seen, as many as it holds.

Inside the caller's transaction, in its readers' turn. Called by the run of newsletters.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from worker.facts import Copy, Issue, NewsletterReader, StoredNewsletter, Telling
from worker.model import ContentId, EditionId, Lane, Lapse, StoryId
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.newsletter_content import issue_content
from worker.planning.quiet import next_quiet
from worker.planning.rules import Policy, Quiet, ReaderTerms
from worker.planning.run_copies import Made
from worker.planning.run_issues import Made as Ranked
from worker.planning.run_issues import make, tellings_of
from worker.store import contents, editions, omissions, owed, seen
from worker.store.omissions import Omitted


class Served:
    """One frozen issue, as a chunk of its readers gets it: readers who have seen the same share a content."""

    def __init__(self, conn: Connection, newsletter: StoredNewsletter, issue: Issue, *, at: datetime) -> None:
        self._conn, self._newsletter, self._issue, self._at = conn, newsletter, issue, at
        self._ranked: Ranked = make(conn, newsletter, issue, at=at)
        self._tellings = tellings_of(conn, self._ranked.ranking)
        self._contents: dict[tuple[StoryId, ...], ContentId | None] = {}

    def give(self, policy: Policy, edition_id: EditionId, readers: Sequence[NewsletterReader]) -> list[Made]:
        """Write the copies of those who are awake, and why others get none. Readers ascend."""
        awake = [reader for reader in readers if reader.awake and reader.recipient]
        if not awake:
            return []
        first, last = awake[0].subscriber_id, awake[-1].subscriber_id
        since = self._at - seen.SEEN_FOR
        known = seen.of(self._conn, first, last, self._ranked.ranking, since=since, at=self._at)
        owing = owed.of(self._conn, first, last)
        copies, lapses, settled = [], [], []
        for reader in awake:
            chosen = for_reader(
                self._ranked.ranking,
                self._ranked.news,
                self._ranked.selection,
                seen=known.get(reader.subscriber_id, {}),
            )
            content_id = None if isinstance(chosen, Skipped) else self._content(chosen.stories)
            if content_id is None:
                lapses.append(Omitted(reader.subscriber_id, Lapse.NEWSLETTER, chosen.stories, edition_id))
            else:
                copies.append(self._copy(reader, content_id, chosen.stories))
                due = owing.get(reader.subscriber_id, {})
                settled += [(reader.subscriber_id, story) for story in chosen.stories if story in due]
        omissions.note(self._conn, lapses, at=self._at)
        owed.settle(self._conn, settled)
        rows = editions.add_rows(self._conn, edition_id, copies, lane=Lane.BULK, domain=policy.domain)
        return [Made(edition_id=edition_id, rows=rows)] if rows else []

    def _content(self, stories: tuple[StoryId, ...]) -> ContentId | None:
        if stories not in self._contents:
            content = issue_content(self._newsletter, self._issue, stories, self._tellings)
            updates: dict[int, int] = {story: facts.update_no for story, facts in self._ranked.news.stories.items()}
            self._contents[stories] = contents.put(self._conn, content, updates=updates) if content else None
        return self._contents[stories]

    def _copy(self, reader: NewsletterReader, content_id: ContentId, stories: Sequence[StoryId]) -> Copy:
        newest = max((self._first(story) for story in stories), key=lambda telling: telling.seen_at)
        return Copy(
            subscriber_id=reader.subscriber_id,
            recipient=reader.recipient or "",
            content_id=content_id,
            subscriptions=(reader.subscription_id,),
            published_at=newest.published_at,
            seen_at=newest.seen_at,
            quiet=next_quiet(_terms(reader), self._at),
        )

    def _first(self, story: StoryId) -> Telling:
        return self._tellings[story][0]


def _terms(reader: NewsletterReader) -> ReaderTerms:
    quiet = Quiet.between(reader.quiet_from, reader.quiet_to)
    return ReaderTerms(
        subscriber_id=reader.subscriber_id, locale="", timezone=reader.timezone, awake=reader.awake, quiet=quiet
    )
