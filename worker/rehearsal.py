"""Looks over a mail before its readers get it: writes it as it would go, asks around, and hands all of it to preflight.

For `tocsin editions preflight` and `send`, and, from drafting on, for every newsletter's issue. Sends nothing, and
stops nothing but such an issue: `planning.run_preflight` does, by what is found here. A failure of ours holds nothing.
`wiring` makes one a process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from worker.content import AnyContent
from worker.deliverability.asking import Ask
from worker.deliverability.examine import examine
from worker.deliverability.publishing import Sender
from worker.errors import InputError, TocsinError
from worker.health import Finding as Examined
from worker.health import Health
from worker.letters import Letters
from worker.model import ContentId, EditionId
from worker.planning import run_preflight
from worker.planning.run_choosing import look
from worker.planning.run_preflight import Noticed
from worker.preflight.findings import Finding, Mark, held_by, worst
from worker.preflight.inspect import Answers, inspect
from worker.preflight.links import pictures_of, wanted
from worker.preflight.mail import Mail
from worker.preflight.run_links import Manners, ask_links
from worker.preflight.run_spam import ask_spam_filter
from worker.store import contents, issues, preflights, withdrawals
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_STALE: Final = timedelta(minutes=10)  # a draft's stories change, and so do the pages that it leads to
_HELD_STALE: Final = timedelta(minutes=5)
_A_SWEEP: Final = 10  # issues
_CLAIM_S: Final = 180.0  # longer than a look may take
_QUICKLY_S: Final = 20.0  # while an issue waits: a link that has not answered by then is told of, and holds nothing

Tell = Callable[[int, int], None]


class Mode(StrEnum):
    """What a preflight does: TOCSIN_PREFLIGHT."""

    OFF = "off"
    WARN = "warn"
    HOLD = "hold"
    STRICT = "strict"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What the settings say. `signers` are the domains that every message ought to be signed for, one a key."""

    mode: Mode
    spam_check: str
    manners: Manners
    base_url: str
    postal_address: str
    signers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """What was found of an edition's mail. `of` counts the different contents that its readers get; one was looked at.

    `is_issue`: it waits for its time, so that what was found may hold it.
    """

    edition_id: EditionId
    subject: str
    digest: str
    findings: tuple[Finding, ...]
    held_by: str
    of: int
    is_issue: bool

    @property
    def mark(self) -> Mark:
        """The worst that was found."""
        return worst(self.findings)

    def told(self) -> list[dict[str, Any]]:
        """Return the findings for programs."""
        return [one.told() for one in self.findings]


class Rehearsal:
    """Looks over one installation's mail."""

    def __init__(
        self,
        database: Database,
        *,
        letters: Callable[[], Letters],
        sender: Callable[[], Sender],
        asker: Callable[[], Ask],
        terms: Terms,
    ) -> None:
        self._database, self._letters, self.terms = database, letters, terms
        self._sender, self._asker = sender, asker
        self._thread: threading.Thread | None = None

    def look_over(
        self, edition_id: EditionId, *, offline: bool = False, manners: Manners | None = None, tell: Tell | None = None
    ) -> Rehearsed:
        """Look at an issue as it would go now, or at what most readers of any other edition get.

        `offline`: ask no server on the web, and no DNS. Raises `InputError` for an edition that has nothing to show.
        """
        mail, of, is_issue = self._mail(edition_id)
        links = None
        if not offline:
            pictures = frozenset(pictures_of(mail))
            asked = (wanted(mail), manners or self.terms.manners)
            links = ask_links(*asked, pictures=pictures, tell=tell or (lambda _done, _of: None))
        sender = str(mail.headers.get("From", "")).rpartition("<")[2].strip("> ")
        answers = Answers(
            links=links,
            dns=None if offline else self._asked_dns(),
            spam=ask_spam_filter(mail.message, self.terms.spam_check, sender=sender),
        )
        findings = inspect(mail, answers)
        return Rehearsed(
            edition_id=edition_id,
            subject=mail.subject,
            digest=mail.content.digest() if mail.content else "",
            findings=findings,
            held_by=held_by(findings, strictly=self.terms.mode is Mode.STRICT),
            of=of,
            is_issue=is_issue,
        )

    def keep(self, rehearsed: Rehearsed) -> None:
        """Store what was found; an issue that is fixed is held by it, or goes on."""
        noticed = Noticed(
            digest=rehearsed.digest,
            mark=str(rehearsed.mark),
            findings=rehearsed.told(),
            held_by=rehearsed.held_by if self.terms.mode in {Mode.HOLD, Mode.STRICT} else "",
        )
        run_preflight.note(self._database, rehearsed.edition_id, noticed)

    def begin_sweep(self, *, then: Callable[[], None]) -> None:
        """Look over the issues that are coming, in a thread, so that nobody waits for it; then say so.

        One thread a process, and one look an issue: it is claimed in SQL.
        """
        if self.terms.mode is Mode.OFF or (self._thread and self._thread.is_alive()) or not self._waiting():
            return

        def run() -> None:
            try:
                if self.sweep():
                    then()
            except Exception:
                log.exception("newsletters could not be looked over; the next sweep tries again")

        self._thread = threading.Thread(target=run, name="preflight", daemon=True)
        self._thread.start()

    def sweep(self) -> int:
        """Look over the issues that are coming, those first that are due and wait for it; return how many that were."""
        if self.terms.mode is Mode.OFF:
            return 0
        looked = 0
        for edition_id in self._waiting()[:_A_SWEEP]:
            with self._database.write() as conn:
                mine = preflights.claim(conn, edition_id, for_s=_CLAIM_S)
                found = preflights.of(conn, edition_id)
            if mine:
                looked += self._look_or_tell(edition_id, waits=bool(found and found.asked_at))
        return looked

    def _waiting(self) -> list[EditionId]:
        with self._database.read() as conn:
            at = now(conn)
            return preflights.waiting(conn, stale=at - _STALE, held_stale=at - _HELD_STALE)

    def _look_or_tell(self, edition_id: EditionId, *, waits: bool) -> bool:
        """Look at one issue; False where that fails, and then it is tried again, and goes unseen in the end."""
        try:
            if waits and self.terms.mode is not Mode.STRICT:
                self.keep(self.look_over(edition_id, offline=True))  # nothing on the web holds it: let it go first
            quickly = replace(self.terms.manners, altogether_s=_QUICKLY_S) if waits else None
            self.keep(self.look_over(edition_id, manners=quickly))
        except InputError as error:  # too little to tell: planning will say so
            log.info("edition %d is not looked over: %s", edition_id, error)
        except Exception:
            log.exception("edition %d cannot be looked over", edition_id)
        else:
            return True
        with self._database.write() as conn:
            preflights.release(conn, edition_id)
        return False

    def _asked_dns(self) -> tuple[Examined, ...]:
        try:
            return tuple(examine(self._sender(), self._asker()))
        except TocsinError as error:  # a resolver that is none, a key that cannot be read
            return (Examined(part="dns", health=Health.UNCHECKED, says=str(error)),)

    def _mail(self, edition_id: EditionId) -> tuple[Mail, int, bool]:
        with self._database.read() as conn:
            issue, at = issues.issue(conn, edition_id), now(conn)
            kind = preflights.kind_of(conn, edition_id)
            before = preflights.issue_before(conn, edition_id)
        if kind is None:
            raise InputError(f"there is no edition {edition_id}", hint="see `tocsin editions list`")
        is_issue = issue is not None and issue.is_waiting
        stopped: frozenset[int] = frozenset()
        if is_issue:
            looked = look(self._database, edition_id)
            if looked.content is None:
                raise InputError(f"edition {edition_id} has nothing to show: {looked.reason}")
            content: AnyContent = looked.content
            of = 1
        else:
            content, of, stopped = self._sent(edition_id)
        letters = self._letters()
        shown = letters.preview(content, at=at)
        previous = letters.preview(thawed, at=at).subject if (thawed := self._thawed(before)) else ""
        mail = Mail(
            kind=kind,
            subject=shown.subject,
            html=shown.html,
            text=shown.text,
            message=shown.message,
            base_url=self.terms.base_url,
            postal_address=self.terms.postal_address,
            at=at,
            signers=self.terms.signers,
            content=content,
            stopped=stopped,
            previous_subject=previous,
        )
        return mail, of, is_issue

    def _sent(self, edition_id: EditionId) -> tuple[AnyContent, int, frozenset[int]]:
        with self._database.read() as conn:
            seen = preflights.most_sent(conn, edition_id)
            stopped = frozenset(withdrawals.stopped_among(conn, seen.content_id)) if seen else frozenset()
        content = self._thawed(seen.content_id) if seen else None
        if seen is None or content is None:
            raise InputError(f"edition {edition_id} has nothing to show: nobody gets it")
        return content, seen.of, stopped

    def _thawed(self, content_id: ContentId | None) -> AnyContent | None:
        if content_id is None:
            return None
        with self._database.read() as conn:
            return contents.thawed(conn, [content_id]).get(content_id)
