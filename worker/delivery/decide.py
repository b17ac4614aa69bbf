"""Decides what a failed try leads to, and what to do about a message whose fate nobody knows.

Pure: errors, times and counts in, verdicts out. `delivery.run` acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.errors import Blame, SendError
from worker.lifecycle import Happening
from worker.model import EditionKind, Lane, Severity, Sighting

_GROWTH = 2.0
_LONGEST_WAIT_S = {Lane.ALERTS: 900.0, Lane.BULK: 4 * 3600.0}
_MOST_BLIND_TRIES = 3  # "at least once" must not become "until it expires" when every reply is lost


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait before the first retry, in seconds, by lane."""

    alerts_s: float
    bulk_s: float

    def first_s(self, lane: Lane) -> float:
        """Return the first wait of a lane.

        >>> Patience(alerts_s=30, bulk_s=300).first_s(Lane.ALERTS)
        30
        """
        return self.alerts_s if lane is Lane.ALERTS else self.bulk_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a try that failed leads to. `retry_in_s` stands with `DEFERRED` only."""

    happening: Happening
    retry_in_s: float | None = None


def after_error(error: SendError, *, attempts: int, lane: Lane, patience: Patience, jitter: float) -> Verdict:
    """Refuse what can never work, else wait: each time twice as long, or as long as the provider asks.

    Only a word about the recipient is final. A refusal that is about us (a wrong password, a blocked address, RFC 3463:
    x.7.x) would cost everybody else their mail: it waits for somebody to mend it, and expires if nobody does.

    `attempts` counts the tries made, this one included; `jitter` (0 to 1) spreads retries over half a wait more.

    >>> busy = SendError("busy", permanent=False, code=451)
    >>> after_error(busy, attempts=2, lane=Lane.ALERTS, patience=Patience(alerts_s=30, bulk_s=300), jitter=0).retry_in_s
    60.0
    """
    if error.permanent and error.blame is Blame.RECIPIENT:
        return Verdict(happening=Happening.REFUSED)
    wait_s = _wait_s(attempts, lane=lane, patience=patience)
    wait_s *= 1 + jitter / 2 if attempts > 1 else 1  # the first retry keeps its promised time
    if error.retry_after_s is not None:
        wait_s = max(wait_s, error.retry_after_s)
    return Verdict(happening=Happening.DEFERRED, retry_in_s=wait_s)


def is_sent_again(kind: EditionKind, severity: Severity) -> bool:
    """Tell whether mail of this class rather comes twice than never, when nobody can tell whether it arrived.

    A confirmation and a breaking alert do (at least once, same Message-ID); all other mail is held (at most once).

    >>> is_sent_again(EditionKind.DIGEST, Severity.NORMAL)
    False
    """
    return kind is EditionKind.CONFIRMATION or (kind is EditionKind.ALERT and severity is Severity.BREAKING)


def after_look_up(
    sighting: Sighting, *, kind: EditionKind, severity: Severity, attempts: int, lane: Lane, patience: Patience
) -> Verdict | None:
    """Settle an unknown delivery by what the receiving end says; None leaves it unknown.

    After its first try a message is sent again at once, later ones wait as after an error: a relay that swallows every
    reply must not be hammered. Without knowledge there are three tries at most.

    >>> after_look_up(Sighting.ABSENT, kind=EditionKind.DIGEST, severity=Severity.NORMAL, attempts=1,
    ...               lane=Lane.BULK, patience=Patience(alerts_s=30, bulk_s=300))
    Verdict(happening=<Happening.DEFERRED: 'deferred'>, retry_in_s=0.0)
    """
    if sighting is Sighting.FOUND:
        return Verdict(happening=Happening.ACCEPTED)
    if sighting is Sighting.ABSENT or (is_sent_again(kind, severity) and attempts < _MOST_BLIND_TRIES):
        wait_s = _wait_s(attempts - 1, lane=lane, patience=patience) if attempts > 1 else 0.0
        return Verdict(happening=Happening.DEFERRED, retry_in_s=wait_s)
    return None


def _wait_s(attempts: int, *, lane: Lane, patience: Patience) -> float:
    longest_s = _LONGEST_WAIT_S.get(lane, 3600.0)
    return min(patience.first_s(lane) * _GROWTH ** min(attempts - 1, 30), longest_s)  # 2.0 ** 1024 would overflow
