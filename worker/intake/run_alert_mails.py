"""Takes in the articles of a mailbox of Google Alerts, as one more source.

A mail is settled where it lies after its articles are stored: a crash in between loses nothing, and what is told twice
is known the second time. Nothing is ever deleted. A mail that is no alert, or not proven to be Google's, is left for
people to see. Called by `tasks`, and `tocsin doctor`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from worker.adapters.mailboxes.build import open_mailbox
from worker.adapters.sources.google_alerts import AlertMail, MailKind, read_alert
from worker.hearsay import Fate
from worker.intake.run import Intake
from worker.model import ArticleId
from worker.ports import Mailbox
from worker.store import sources
from worker.store.database import AWAY, Database, now

log = logging.getLogger(__name__)

KIND: Final = "mailbox"
NAME: Final = "Google Alerts"
_SAYS: Final = {
    MailKind.UNPROVEN: "says to be of Google Alerts, and its server did not find Google's signature",
    MailKind.EMPTY: "is of Google Alerts, and no article is found in it: has its format changed?",
    MailKind.LIST: "is of a mailing list",
    MailKind.OTHER: "is no alert",
}


class AlertMails:
    """The mailbox of alerts of one installation, named as `adapters.mailboxes` names them."""

    def __init__(self, database: Database, intake: Intake, where: str, *, left: Path) -> None:
        self._database, self._intake, self._where, self._left = database, intake, where, left

    def check(self) -> datetime | None:
        """Open the mailbox as `visit` does, take nothing, and return when an alert of it was taken in last.

        Raises `ConfigurationError`, and `FetchError` when the mailbox cannot be reached at the moment.
        """
        open_mailbox(self._where, left=self._left).close()
        with self._database.read() as conn:
            return sources.polled_at(conn, kind=KIND, name=NAME)

    def visit(self, *, limit: int = 200) -> list[ArticleId]:
        """Take in up to so many waiting mails, and return the articles that are to be matched.

        Raises `ConfigurationError`, and `FetchError` when the mailbox cannot be reached at the moment.
        """
        with closing(open_mailbox(self._where, left=self._left)) as mailbox:
            return list(self.take_in(mailbox, limit=limit))

    def take_in(self, mailbox: Mailbox, *, limit: int) -> Iterator[ArticleId]:
        """Take in what waits; yields the articles that are to be matched."""
        fates: Counter[Fate] = Counter()
        for key, data in mailbox.waiting(limit=limit):
            fate, changed = self._take_one(key, data)
            yield from changed
            mailbox.settle(key, fate)
            fates[fate] += 1
        if fates:
            log.info("mailbox of alerts: %s", ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())))

    def _take_one(self, key: str, data: bytes | None) -> tuple[Fate, list[ArticleId]]:
        if data is None:
            log.warning("the mail %s cannot be read; it is put aside", key)
            return Fate.ASIDE, []
        try:
            mail = read_alert(data)
            if mail.kind is not MailKind.ALERT:
                of_list = f" ({mail.list_id})" if mail.list_id else ""
                log.warning(
                    "the mail %s in the mailbox of alerts %s%s: it is left there", key, _SAYS[mail.kind], of_list
                )
                return Fate.LEFT, []
            return Fate.TAKEN, self._store(mail)
        except AWAY:  # the database is away: nothing is settled, and all of it comes again
            raise
        except Exception:
            log.exception("the mail %s breaks us; it is put aside", key)
            return Fate.ASIDE, []

    def _store(self, mail: AlertMail) -> list[ArticleId]:
        with self._database.write() as conn:
            source_id = sources.put(conn, kind=KIND, name=NAME)
            source = sources.by_id(conn, source_id)
        if source is None:
            return []
        changed: list[ArticleId] = []
        broken = 0
        for article in mail.articles:  # each by itself: that all of a mail's are new says nothing of the source
            taken = self._intake.take_feed(source, [article])
            changed += taken.articles
            broken += taken.broken
        if broken:
            raise ValueError(f"{broken} of its articles cannot be stored")
        with self._database.write() as conn:
            at = now(conn)
            news = {"last_news_at": at} if changed else {}
            sources.change(conn, source_id, last_ok_at=at, last_polled_at=at, last_error="", failures=0, **news)
        return changed
