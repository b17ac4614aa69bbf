"""Decides which issue of a newsletter is drafted next, and what becomes of one whose time has come.

Pure. Called by the run of newsletters and by the dry run of a pass, which decide nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from worker.facts import Issue, StoredNewsletter
from worker.model import Approval, EditionStatus, Timing
from worker.planning.times import is_stale
from worker.recurrence import FIRST_ZONE, next_issue, next_occurrence, wall_time

ROUND_THE_WORLD: Final = timedelta(hours=26)  # from the first zone that has a local time to the last


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafting:
    """The issue to open: when it is due, and at which local time. `following` is when the one after it is due."""

    due_at: datetime
    wall: datetime
    following: datetime | None
    is_stale: bool  # too old to be made up


class Step(StrEnum):
    """What becomes of an issue that is due."""

    WAIT = "wait"  # for approval
    END = "end"
    ROUND = "round"  # it is going round the world already
    GO = "go"  # if there is enough to tell


def decide_draft(
    newsletter: StoredNewsletter, *, starts_on: date, due_at: datetime, at: datetime, expires: timedelta
) -> Drafting:
    """Decide which issue to open of a newsletter that is due at `due_at`: of several missed ones, the latest."""
    by_readers = newsletter.timing is Timing.READER
    following = issue_after(newsletter, starts_on, due_at)
    while not by_readers and following is not None and following <= at:
        due_at, following = following, issue_after(newsletter, starts_on, following)
    last = due_at + ROUND_THE_WORLD if by_readers else due_at
    zone = ZoneInfo(FIRST_ZONE if by_readers else newsletter.timezone)
    wall = due_at.astimezone(zone).replace(tzinfo=None)
    return Drafting(due_at=due_at, wall=wall, following=following, is_stale=is_stale(last, at, expires))


def issue_after(newsletter: StoredNewsletter, starts_on: date, after: datetime) -> datetime | None:
    """Return when a newsletter is next due: where it goes by readers' clocks, to the first of them."""
    by_readers = newsletter.timing is Timing.READER
    return next_issue(
        newsletter.schedule, starts_on=starts_on, timezone=newsletter.timezone, by_readers=by_readers, after=after
    )


def decide_start(newsletter: StoredNewsletter, issue: Issue, *, at: datetime) -> tuple[Step, str]:
    """Decide what becomes of a draft that is due, or held, and why."""
    if issue.status is EditionStatus.HELD:
        over = is_over(newsletter, issue, at=at)
        return (Step.END, f"{issue.reason}; nobody let it go in time") if over else (Step.WAIT, issue.reason)
    if newsletter.approval is Approval.REQUIRED and issue.approved_at is None:
        if is_over(newsletter, issue, at=at):
            return Step.END, "nobody approved it in time"
        return Step.WAIT, "waits for approval"
    if newsletter.timing is Timing.READER and issue.ranking:
        return Step.ROUND, ""
    if is_over(newsletter, issue, at=at):
        return Step.END, "too late: its time was over"
    return Step.GO, ""


def is_over(newsletter: StoredNewsletter, issue: Issue, *, at: datetime) -> bool:
    """Tell whether an issue has outlived its time, everywhere."""
    last = issue.expires_at + (ROUND_THE_WORLD if newsletter.timing is Timing.READER else timedelta(0))
    return at >= last


def next_to_reader(newsletter: StoredNewsletter, timezone: str, after: datetime) -> datetime | None:
    """Return when a newsletter that goes by readers' clocks is next due to those in a zone."""
    if newsletter.starts_on is None:
        return None
    return next_occurrence(newsletter.schedule, starts_on=newsletter.starts_on, zone=ZoneInfo(timezone), after=after)


def wall_at(newsletter: StoredNewsletter, timezone: str, due_at: datetime) -> datetime | None:
    """Return the local time by which the issue is named that is due to readers in a zone at an instant."""
    if newsletter.starts_on is None:
        return None
    return wall_time(newsletter.schedule, starts_on=newsletter.starts_on, zone=ZoneInfo(timezone), at=due_at)
