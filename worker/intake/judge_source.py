"""How well is this source? The judgement, by its own measure, and the sentence that explains it.

Pure: looks nothing up, tells nobody. A source that has fallen silent is found out by its own rhythm and at its last
answer, so that neither a weekend nor an outage of ours makes it look dead. Nothing is given up: what fails or is silent
is polled on. `run_watching` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from worker.feeds import SourceCondition, SourceState
from worker.intake.rhythm import Rhythm, elapsed_s
from worker.tidings import Tiding

TROUBLES: Final = (
    SourceCondition.FAILING,
    SourceCondition.NEVER,
    SourceCondition.SILENT,
    SourceCondition.GONE,
    SourceCondition.HELD,
)
"""What an editor should hear of, the worst first."""

_TOLD: Final = {
    SourceCondition.NEVER: Tiding.SOURCE_FAILING,
    SourceCondition.FAILING: Tiding.SOURCE_FAILING,
    SourceCondition.GONE: Tiding.SOURCE_FAILING,
    SourceCondition.SILENT: Tiding.SOURCE_SILENT,
}
_FAILS_AFTER: Final = 3  # polls in a row: one that fails may be a restart of theirs
_FAILS_FOR: Final = timedelta(hours=6)  # however few polls that was,
_FAILS_PACES: Final = 2.5  # unless it is polled more rarely: then two are needed
_PAUSES: Final = 2.0  # times its longest one
_SHORTEST_SILENCE_S: Final = 6 * 3600.0
_UNKNOWN_NIGHTS_S: Final = 24 * 3600.0  # as short as that while no whole day of it is known
_SLOWER: Final = 4.0  # times as late as it used to be, or as it is polled
_SLOW_S: Final = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFacts:
    """What is known of a source. `is_polled` is false for what is pushed or handed in."""

    is_polled: bool
    state: SourceState
    state_since: datetime | None
    state_reason: str
    created_at: datetime
    last_ok_at: datetime | None
    last_news_at: datetime | None
    failures: int
    last_error: str
    held_since: datetime | None
    held_reason: str
    moved_to: str
    poll_every_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How a source is, since when as far as its facts tell, and why: a clause without full stop, "" for a good one."""

    condition: SourceCondition
    since: datetime
    reason: str = ""


def judge_source(facts: SourceFacts, rhythm: Rhythm | None, *, now: datetime) -> Verdict:
    """Judge a source.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    >>> facts = SourceFacts(is_polled=True, state=SourceState.ACTIVE, state_since=None, state_reason="", created_at=at,
    ...     last_ok_at=at, last_news_at=at - timedelta(hours=31), failures=0, last_error="",
    ...     held_since=None, held_reason="", moved_to="", poll_every_s=300.0)
    >>> verdict = judge_source(facts, Rhythm(articles=90, longest_gap_s=36_000.0, span_s=9e5), now=at)
    >>> verdict.condition.value, verdict.reason
    ('silent', 'nothing new for 31 hours; its longest pause of late was 10 hours')
    """
    verdicts = (_settled(facts), _unreached(facts, now), _held(facts), _silent(facts, rhythm), _moved(facts))
    found = next((verdict for verdict in verdicts if verdict is not None), None)
    return found or _slow(facts, rhythm) or Verdict(condition=SourceCondition.OK, since=facts.created_at)


def tiding_of(before: SourceCondition | None, after: SourceCondition) -> Tiding | None:
    """Return what the newspaper's programs are told of a change; None where nothing is. What is paused is not mended.

    >>> tiding_of(SourceCondition.OK, SourceCondition.FAILING).value
    'source.failing'
    >>> tiding_of(SourceCondition.SILENT, SourceCondition.SLOW).value
    'source.recovered'
    >>> tiding_of(SourceCondition.FAILING, SourceCondition.PAUSED), tiding_of(None, SourceCondition.HELD)
    (None, None)
    """
    was, now = _TOLD.get(before) if before else None, _TOLD.get(after)
    if now is not None:
        return now if now is not was else None
    return Tiding.SOURCE_RECOVERED if was and after is not SourceCondition.PAUSED else None


def span(seconds: float) -> str:
    """Write a span of time as people say it.

    >>> span(40), span(3600), span(5400), span(31 * 3600), span(5 * 86400)
    ('40 seconds', '60 minutes', '90 minutes', '31 hours', '5 days')
    """
    for unit, unit_s, most in (("second", 1, 120), ("minute", 60, 120), ("hour", 3600, 72)):
        count = round(seconds / unit_s)
        if count < most:
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{round(seconds / 86400)} days"


def _settled(facts: SourceFacts) -> Verdict | None:
    """Return the verdict on what an operator, or the source itself, has said; and on what nobody polls."""
    said = {SourceState.GONE: SourceCondition.GONE, SourceState.PAUSED: SourceCondition.PAUSED}.get(facts.state)
    if said is not None:
        return Verdict(condition=said, since=facts.state_since or facts.created_at, reason=facts.state_reason)
    return None if facts.is_polled else _held(facts) or Verdict(condition=SourceCondition.OK, since=facts.created_at)


def _unreached(facts: SourceFacts, now: datetime) -> Verdict | None:
    if facts.last_ok_at is None:
        return Verdict(condition=SourceCondition.NEVER, since=facts.created_at, reason=facts.last_error)
    heard_at = max(facts.last_ok_at, facts.last_news_at or facts.last_ok_at)  # a hub may have pushed meanwhile
    unheard = max(_FAILS_FOR, timedelta(seconds=_FAILS_PACES * (facts.poll_every_s or 0.0)))
    if facts.failures < _FAILS_AFTER and not (facts.failures and now - heard_at > unheard):
        return None
    reason = f"{facts.failures} polls have failed: {facts.last_error}"
    return Verdict(condition=SourceCondition.FAILING, since=facts.last_ok_at, reason=reason)


def _held(facts: SourceFacts) -> Verdict | None:
    if facts.held_since is None:
        return None
    return Verdict(condition=SourceCondition.HELD, since=facts.held_since, reason=facts.held_reason)


def _silent(facts: SourceFacts, rhythm: Rhythm | None) -> Verdict | None:
    """Judge its silence up to its last answer: what has not been asked since may well have news."""
    if rhythm is None or rhythm.longest_gap_s is None or facts.last_news_at is None or facts.last_ok_at is None:
        return None
    quiet_s = elapsed_s(facts.last_news_at, facts.last_ok_at, weekends=rhythm.tells_at_weekends)
    shortest_s = _SHORTEST_SILENCE_S if rhythm.span_s > _UNKNOWN_NIGHTS_S else _UNKNOWN_NIGHTS_S
    if quiet_s <= max(_PAUSES * rhythm.longest_gap_s, shortest_s):
        return None
    weekends = "" if rhythm.tells_at_weekends else _weekends(facts.last_news_at, facts.last_ok_at)
    reason = f"nothing new for {span(quiet_s)}{weekends}; its longest pause of late was {span(rhythm.longest_gap_s)}"
    return Verdict(condition=SourceCondition.SILENT, since=facts.last_news_at, reason=reason)


def _weekends(begin: datetime, end: datetime) -> str:
    skipped_s = elapsed_s(begin, end, weekends=True) - elapsed_s(begin, end, weekends=False)
    return ", weekends not counted" if skipped_s else ""


def _moved(facts: SourceFacts) -> Verdict | None:
    if not facts.moved_to:
        return None
    reason = f"it redirects for good to {facts.moved_to}"
    return Verdict(condition=SourceCondition.MOVED, since=facts.last_ok_at or facts.created_at, reason=reason)


def _slow(facts: SourceFacts, rhythm: Rhythm | None) -> Verdict | None:
    if rhythm is None or rhythm.recent_lag_s is None or rhythm.usual_lag_s is None:
        return None
    if rhythm.recent_lag_s <= max(_SLOWER * max(rhythm.usual_lag_s, facts.poll_every_s or 0.0), _SLOW_S):
        return None
    reason = (
        f"its last articles came {span(rhythm.recent_lag_s)} after they were published; "
        f"{span(rhythm.usual_lag_s)} is usual"
    )
    return Verdict(condition=SourceCondition.SLOW, since=facts.last_news_at or facts.created_at, reason=reason)
