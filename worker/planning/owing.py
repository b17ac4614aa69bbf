"""Decides when a story that a reader is owed comes to them: after their quiet hours, with their next digest, or alone.

Pure. Called by whatever owes a story, by the run that pays what is owed, and by the simulator.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from worker.model import BelowFloor, Owing, StoryId
from worker.planning.decide_digest import DigestCase, Followed
from worker.planning.quiet import quiet_at
from worker.planning.rules import ReaderTerms, Rules
from worker.schedule import resolve

GRACE: Final = timedelta(hours=1)  # within which a digest that is due takes along what its reader is owed


def owed_due(reader: ReaderTerms, digests_due: Collection[datetime], rules: Rules, *, at: datetime) -> datetime:
    """Return when a story owed from `at` on is to be looked at again. Never within quiet hours.

    `digests_due` are the next instants of the reader's digests, of any topics. Their digest takes the story along; what
    is returned for them is a while later, in case that it does not. Who has no digest gets it the next morning.
    """
    span = quiet_at(reader, at)
    if span is not None:
        return span.end
    due = max(min(digests_due), at) + GRACE if digests_due else _next_morning(reader, rules, at)
    span = quiet_at(reader, due)
    return span.end if span is not None else due


def waits_until(
    reader: ReaderTerms, why: Owing, digests_due: Collection[datetime], rules: Rules, *, at: datetime
) -> datetime | None:
    """Return until when an owed story that is due at `at` waits on; None: it goes now, in a mail of its own.

    What quiet hours have held comes when they are over; anything else waits for a digest, as long as one is ahead.
    """
    span = quiet_at(reader, at)
    if span is not None:
        return span.end
    coming = min(digests_due) <= at if why is Owing.QUIET and digests_due else bool(digests_due)
    return owed_due(reader, digests_due, rules, at=at) if coming else None


def owed_case(
    reader: ReaderTerms, followed: Collection[Followed], owed: Collection[StoryId], *, at: datetime, head: int
) -> DigestCase:
    """Return the case of a mail that has only what its reader is owed, for `decide_digest`: no floor holds it back.

    `followed` are all of the reader's subscriptions to topics that the stories concern, immediate ones too.
    """
    return DigestCase(
        reader=replace(reader, floor=1, below_floor=BelowFloor.MERGE, paused_at=None),
        followed=tuple(one._replace(cursor=head) for one in followed),
        owed=tuple(sorted(owed)),
        due_at=at,
        head=head,
    )


def owed_rules(rules: Rules) -> Rules:
    """Return the rules of a mail with only what its reader is owed: it has waited, no section is too long for it."""
    return replace(rules, section_cap=rules.mail_cap)


def _next_morning(reader: ReaderTerms, rules: Rules, at: datetime) -> datetime:
    zone = ZoneInfo(reader.timezone)
    today = at.astimezone(zone).date()
    mornings = (resolve(today + timedelta(days=ahead), rules.morning, zone) for ahead in range(4))
    return next(morning for morning in mornings if morning > at)
