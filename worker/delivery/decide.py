"""Decides what a failed try leads to, and what to do about a message whose fate nobody knows.

Pure: errors, times and counts in, verdicts out. `delivery.run` acts on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from worker.errors import Blame, SendError
from worker.lifecycle import Happening
from worker.model import EditionKind, Lane, Severity, Sighting

_GROWTH = 2.0
_LONGEST_WAIT_S = {Lane.ALERTS: 900.0, Lane.BULK: 4 * 3600.0}
_MOST_BLIND_TRIES = 3  # "at least once" must not become "until it expires" when every reply is lost

# A greylist lets a sender in who comes back after 1 to 10 minutes, from the same address; most say 5.
_GREY: Final = re.compile(r"gr[ea]y-?\s?list|postgrey|sqlgrey", re.IGNORECASE)
_GREY_IN_DISGUISE: Final = re.compile(r"(try|come back) again later", re.IGNORECASE)  # rspamd, Plesk: with 451 4.7.1
_ASKED: Final = re.compile(r"\b(\d{1,5})\s*(s|m)(?:ec|in)?(?:ond|ute)?s?\b|\b(\d\d):(\d\d):(\d\d)\b", re.IGNORECASE)
_GREY_WAIT_S = {Lane.ALERTS: 60.0, Lane.BULK: 300.0}
_LONGEST_GREY_WAIT_S = 3600.0

_BY_ANOTHER_S = {Lane.ALERTS: 1.0, Lane.BULK: 15.0}  # not at once: the others' breakers may be about to open too
_LAST_TRY_BEFORE_END_S = {Lane.ALERTS: 60.0, Lane.BULK: 300.0}


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
    """What a try that failed leads to. `retry_in_s` stands with `DEFERRED` only.

    `avoids` tells that the next try is better made by another provider, where there is one.
    """

    happening: Happening
    retry_in_s: float | None = None
    avoids: bool = False


def after_error(
    error: SendError,
    *,
    attempts: int,
    lane: Lane,
    patience: Patience,
    jitter: float,
    others: int = 0,
    left_s: float | None = None,
) -> Verdict:
    """Refuse what can never work, else wait: each time twice as long, or as long as the provider asks.

    Only a word about the recipient is final. A refusal that is about us (a wrong password, a blocked address, RFC 3463:
    x.7.x) would cost everybody else their mail: it goes by the `others`, the providers that could take it as
    well, and then waits for somebody to mend it. A greylist knows us by our address: the same provider comes back.

    `attempts` counts the tries made, this one included; `jitter` (0 to 1) spreads retries over half a wait more.
    `left_s` is the time until the mail expires: a retry that would come too late is made shortly before that.

    >>> busy = SendError("busy", permanent=False, code=451)
    >>> after_error(busy, attempts=2, lane=Lane.ALERTS, patience=Patience(alerts_s=30, bulk_s=300), jitter=0).retry_in_s
    60.0
    """
    if error.permanent and error.blame is Blame.RECIPIENT:
        return Verdict(happening=Happening.REFUSED)
    is_grey = is_greylisting(error)
    avoids = error.blame is Blame.US and not is_grey and others > 0
    if avoids and attempts <= others:
        return Verdict(happening=Happening.DEFERRED, retry_in_s=_BY_ANOTHER_S.get(lane, 1.0), avoids=True)
    asked_s = error.retry_after_s or 0.0
    if is_grey:
        asked_s = max(asked_s, _grey_wait_s(error.text), _GREY_WAIT_S.get(lane, 60.0))
    wait_s = _wait_s(attempts, lane=lane, patience=patience)
    wait_s *= 1 + jitter / 2 if attempts > 1 else 1  # the first retry keeps its promised time
    wait_s = max(wait_s, asked_s)
    if left_s is not None:
        soonest_s = max(patience.first_s(lane), asked_s)
        wait_s = _before_the_end(wait_s, left_s=left_s, soonest_s=soonest_s, lane=lane)
    return Verdict(happening=Happening.DEFERRED, retry_in_s=wait_s, avoids=avoids)


def is_greylisting(error: SendError) -> bool:
    """Tell whether a reply only asks a stranger to come back: no fault of ours, of the provider's, or of the reader's.

    >>> is_greylisting(SendError("450 4.2.0 Greylisted, see http://postgrey.example", permanent=False, code=450))
    True
    """
    if error.permanent or error.code is None or error.code // 10 != 45:
        return False
    disguised = error.enhanced == "4.7.1" and _GREY_IN_DISGUISE.search(error.text) is not None
    return disguised or _GREY.search(error.text) is not None


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
    Verdict(happening=<Happening.DEFERRED: 'deferred'>, retry_in_s=0.0, avoids=False)
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


def _grey_wait_s(text: str) -> float:
    """Return the wait that a greylist's reply names ("for 5 minutes", "in 00:05:00"), 0 when it names none."""
    found = _ASKED.search(text)
    if found is None:
        return 0.0
    number, unit, hours, minutes, seconds = found.groups()
    asked_s = int(number) * (60 if unit in "mM" else 1) if number else _clock_s(hours, minutes, seconds)
    return min(asked_s, _LONGEST_GREY_WAIT_S)


def _clock_s(hours: str, minutes: str, seconds: str) -> int:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def _before_the_end(wait_s: float, *, left_s: float, soonest_s: float, lane: Lane) -> float:
    """Pull a retry that would come too late to shortly before the end, unless that would be sooner than is polite."""
    latest_s = left_s - _LAST_TRY_BEFORE_END_S.get(lane, 60.0)
    return latest_s if soonest_s <= latest_s < wait_s else wait_s
