"""What to ask of a source, what follows from its answer, and when to come again.

Pure: it neither fetches nor stores. `run_polling` calls it around every fetch:

    source = polled(row)                                  # worker.intake.polled
    question = polling.question(source, now=now)          # validators to send, or none
    ... fetch, read, take in ...
    outcome = Answered(asked=question, ...) or Failed(asked=question, ...)
    following = polling.after(source, outcome, now=now, pace=pace, push=push)
    store.sources.change(conn, source.id, **following.changes(source)); log each of following.told

Between fetching and taking in, `polling.why_unread` says whether the document has turned into a web page, and
`polling.is_to_be_looked_into` whether `run_moving.look_at` must find out what lies at a new address. Rules of HTTP are
RFC 9110 (statuses, validators, Retry-After) and RFC 9111 (freshness); those of feeds RSS 2.0 and its `syndication`
module. How often is decided in `pace`, what a source may ask in `courtesy`, how failures are borne in `patience`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from worker.feeds import SourceState
from worker.intake import courtesy, moving
from worker.intake.pace import Pace, gap_s, pace_s, remember
from worker.intake.patience import DAY_S, patience_s
from worker.intake.polled import Answered, Failed, Next, Polled, Question, Told

REFRESH: Final = timedelta(days=1)
"""Some servers answer 304 for ever; this often the whole document is asked for, whatever they have said."""

BACKUP_S: Final = 6 * 3600.0
"""Between two polls of a source that is pushed to us reliably (WebSub)."""

LEAST_S, MOST_S = 1.0, DAY_S
"""What an operator's own `every_s` may be."""

_GONE_AFTER: Final = timedelta(minutes=30)
_LOOK_AGAIN_IF_GONE_S: Final = 3600.0
_AFTER_REST: Final = timedelta(minutes=10)
_MANY_FAILURES: Final = 3
_EASED: Final = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """How a source's WebSub subscription does: its last push, and how many news in a row only a poll has found."""

    last_push_at: datetime | None
    misses: int = 0

    @property
    def is_reliable(self) -> bool:
        """Whether pushes come, and nothing has been missed since the last one."""
        return self.last_push_at is not None and self.misses == 0


def question(source: Polled, *, now: datetime) -> Question:
    """Return what a poll sends along: the stored validators, or none when the whole document is wanted.

    It is wanted once a day, and when the source is about to be moved to another address.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> source = Polled(id=1, url="http://a.example/", created_at=noon, etag='W/"x"', refreshed_at=noon)
    >>> question(source, now=noon).etag, question(source, now=noon + timedelta(days=2)).etag
    ('W/"x"', '')
    """
    spread = timedelta(hours=2) * courtesy.jitter(source.id, source.created_at)  # not all at the same hour of the day
    whole = source.refreshed_at is None or now - source.refreshed_at >= REFRESH - spread
    if whole or moving.is_ripe(seen=source.moved_count + 1, since=source.moved_since, now=now):
        return Question()
    return Question(etag=source.etag, last_modified=source.last_modified)


def is_to_be_looked_into(source: Polled, *, permanent_redirect_to: str | None, now: datetime) -> bool:
    """Tell whether this poll's permanent redirect has been seen for long enough to ask what lies at its end."""
    again = bool(permanent_redirect_to) and permanent_redirect_to == source.moved_to
    return again and moving.is_ripe(seen=source.moved_count + 1, since=source.moved_since, now=now)


def why_unread(source: Polled, *, format_: str) -> str:
    """Return why a document of this format is not taken for the source's feed, "" when it is."""
    if moving.became_a_page(was=source.format, is_=format_):
        return f"a web page where a feed ({source.format}) was: a login, a block or a domain that was given up"
    return ""


def after(source: Polled, outcome: Answered | Failed, *, now: datetime, pace: Pace, push: Push | None = None) -> Next:
    """Return what follows from a poll that ended `now`; `push` for a source with an active WebSub subscription."""
    if isinstance(outcome, Answered) and outcome.status == 304 and not outcome.asked.is_conditional:
        reason = "answers 304 (not modified), though it was not asked for changes only"
        outcome = Failed(reason=reason, asked=outcome.asked, status=304)
    if isinstance(outcome, Failed):
        return _after_failure(source, outcome, now, pace)
    return _after_answer(source, outcome, now, pace, push)


def _after_answer(source: Polled, answer: Answered, now: datetime, pace: Pace, push: Push | None) -> Next:
    told = []
    if source.failures >= _MANY_FAILURES:
        told.append(Told(text=f"answers again, after {source.failures} failures"))
    known = replace(
        source,
        last_polled_at=now,
        last_ok_at=now,
        last_status=answer.status,
        last_error="",
        failures=0,
    )
    if answer.status != 304:
        known = _with_document(known, answer, now)
    if source.state is SourceState.GONE:
        known = replace(known, state=SourceState.ACTIVE, state_since=now, state_reason="")
        told.append(Told(text="is there again, and watched again"))
    known, more = _led_elsewhere(known, answer, now)
    known = _at_its_pace(known, now, pace, push)
    wait_s = _polite_s(known, answer, now, pace)
    return Next(source=known, next_poll_at=_next(known, wait_s, now), told=(*told, *more))


def _with_document(source: Polled, answer: Answered, now: datetime) -> Polled:
    """Keep what the whole document tells; it proves too that the server does not say "not modified" for ever."""
    published = source.published
    if answer.new_items:
        published = remember(published, answer.published, now=now)
    return replace(
        source,
        etag=answer.etag,
        last_modified=answer.last_modified,
        body_hash=answer.body_hash or source.body_hash,
        refreshed_at=now,
        format=answer.format or source.format,
        manners=source.manners if answer.manners is None else answer.manners,
        published=published,
        last_news_at=now if answer.new_items else source.last_news_at,
    )


def _at_its_pace(source: Polled, now: datetime, pace: Pace, push: Push | None) -> Polled:
    """Decide how often from now on: an operator's word, the house's own, a push's backup, else as it publishes."""
    bears_s = source.bears_s and source.bears_s * _EASED
    if source.every_s is not None:
        every_s = min(max(source.every_s, LEAST_S), MOST_S)
    elif source.house:
        every_s = pace.least_s
    elif push is not None and push.is_reliable:
        every_s = BACKUP_S
    else:
        gap = gap_s(source.published, since=source.created_at, now=now)
        # With its jitter, the longest wait is the ceiling.
        every_s = min(max(pace_s(gap, pace), bears_s or 0.0), pace.most_s / (1 + courtesy.SPREAD))
    return replace(source, poll_every_s=every_s, bears_s=bears_s if bears_s and bears_s > every_s / 2 else None)


def _polite_s(source: Polled, answer: Answered, now: datetime, pace: Pace) -> float:
    """Stretch a source's pace by what it asks for. An operator's word and the house's own source need not ask."""
    every_s = source.poll_every_s or pace.usual_s
    if source.every_s is not None or source.house:
        return every_s
    gap = gap_s(source.published, since=source.created_at, now=now)
    fresh_s = max(answer.fresh_s or 0.0, answer.retry_after_s or 0.0)
    return max(every_s, courtesy.asked_s(source.manners, fresh_s=fresh_s, gap=gap, pace=pace))


def _led_elsewhere(source: Polled, answer: Answered, now: datetime) -> tuple[Polled, list[Told]]:
    """Count a permanent redirect (301, 308) until it is believed; note a temporary one elsewhere, once."""
    target = answer.permanent_redirect_to
    if not target or target == source.url:
        away = answer.url if moving.leads_away(source.url, answer.url) else ""
        told = [Told(text=f"is served from {away} at present")] if away and away != source.moved_to else []
        return replace(source, moved_to=away, moved_count=0, moved_since=None), told
    if target != source.moved_to or not source.moved_count:
        told = [Told(text=f"says that it has moved to {target}; it is watched there if it goes on saying so")]
        return replace(source, moved_to=target, moved_count=1, moved_since=now), told
    seen = replace(source, moved_count=source.moved_count + 1)
    if answer.arrival is None or not moving.is_ripe(seen=seen.moved_count, since=seen.moved_since, now=now):
        return seen, []
    if reason := moving.why_not(source.url, target, answer.arrival):
        # Counted anew: it is looked into again when it has been seen for another while.
        told = [Told(text=f"says that it has moved to {target}, and is not watched there: {reason}", serious=True)]
        return replace(seen, moved_count=1, moved_since=now), told
    return replace(seen, url=target, moved_to="", moved_count=0, moved_since=None), [
        Told(text=f"has moved to {target}")
    ]


def _after_failure(source: Polled, failed: Failed, now: datetime, pace: Pace) -> Next:
    failures = source.failures + 1
    known = replace(source, failures=failures, last_polled_at=now, last_status=failed.status, last_error=failed.reason)
    if failed.status == 410 and _said_so_before(source, now):
        reason = "it says that it is gone (410), and has said so before"
        known = replace(known, state=SourceState.GONE, state_since=now, state_reason=reason)
        return Next(source=known, next_poll_at=None, told=(Told(text=f"is watched no longer: {reason}", serious=True),))
    at_present_s = _at_present_s(known, pace)
    wait_s = patience_s(
        failures,
        status=failed.status,
        at_present_s=at_present_s,
        last_ok_at=source.last_ok_at,
        now=now,
        pace=pace,
    )
    if failed.status in {400, 412} and failed.asked.is_conditional:
        known = replace(known, etag="", last_modified="")  # some servers choke on validators that are their own
        wait_s = min(wait_s, pace.usual_s)
    if failed.status == 410:
        wait_s = max(at_present_s, _LOOK_AGAIN_IF_GONE_S)
    if failed.status == 429:
        known = replace(known, bears_s=min(max(source.bears_s or 0.0, 2 * at_present_s), pace.most_s))
    if failed.retry_after_s is not None:
        wait_s = min(max(wait_s, failed.retry_after_s), DAY_S)
    return Next(source=known, next_poll_at=_next(known, wait_s, now), told=(Told(text=failed.reason, serious=True),))


def _said_so_before(source: Polled, now: datetime) -> bool:
    """Tell whether the last poll was answered 410 too, and not just now: some servers say so while they are rebuilt."""
    then = source.last_polled_at
    return source.last_status == 410 and then is not None and now - then >= _GONE_AFTER


def _at_present_s(source: Polled, pace: Pace) -> float:
    if source.every_s is not None:
        return min(max(source.every_s, LEAST_S), MOST_S)
    return pace.least_s if source.house else min(source.poll_every_s or pace.usual_s, pace.most_s)


def _next(source: Polled, wait_s: float, now: datetime) -> datetime | None:
    """Return when to come again: after the wait and some jitter, and not while the source rests."""
    if source.state is not SourceState.ACTIVE:
        return None
    drawn = courtesy.jitter(source.id, now)
    at = now + timedelta(seconds=min(courtesy.stretched(wait_s, drawn), DAY_S))
    if source.every_s is not None or source.house:
        return at
    awake = courtesy.awake(source.manners, at, now=now)
    late = _AFTER_REST * drawn if awake > at else timedelta()  # all who rest at night wake at the same minute
    return min(awake + late, now + courtesy.DAY)
