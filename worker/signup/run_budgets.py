"""Keeps the budgets of senders in Redis, for all web processes together: one script a request, all budgets or none.

`budgets.spend` says what the script does; a test holds the two equal. While Redis is away each process keeps budgets of
its own: the door is never shut for want of a counter, and never left open. Keys are keyed hashes: no address of anybody
stands in Redis. Called by the pages and the API.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from worker.adapters.redis_client import connect
from worker.signup.budgets import HOUR_S, Charge, forget_full, spend
from worker.tokens import keyed_hash

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

log = logging.getLogger(__name__)

_PREFIX: Final = "tocsin:{budget}:"  # the braces keep all keys on one node of a cluster, as a script needs them
_ASKED_AGAIN_S: Final = 5.0
_ANSWERS_WITHIN_S: Final = 0.5  # a reader waits for the page
_MOST_ALONE: Final = 100_000  # budgets that a process keeps by itself: some 20 MB

# Whole microseconds of Redis' own clock. KEYS: the budgets. ARGV: the hour, then what each budget loses. Answers the
# wait: 0, and all are charged; above 0, and none is.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now, hour = time[1] * 1000000 + time[2], tonumber(ARGV[1])
local after, wait = {}, 0
for place, key in ipairs(KEYS) do
  local due = math.min(math.max(tonumber(redis.call('GET', key) or 0), now), now + hour) + tonumber(ARGV[place + 1])
  after[place] = due
  wait = math.max(wait, due - now - hour)
end
if wait > 0 then return math.ceil(wait) end
for place, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', after[place]), 'PX', math.ceil((after[place] - now) / 1000) + 1000)
end
return 0
"""


class Purse:
    """The budgets as one process sees them; its threads may ask at once."""

    def __init__(self, url: str | None, *, key: str) -> None:
        self._url, self._key = url, key
        self._script: Script | None = None
        self._redis: Redis | None = None
        self._alone: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ask_from_s = 0.0
        self._is_lost = False

    def spend(self, charges: Sequence[Charge]) -> float:
        """Take an act from all its budgets; see `budgets.spend`. Never raises for Redis' sake."""
        if not charges:
            return 0.0
        named = [one._replace(name=keyed_hash(self._key, f"budget {one.name}")[:32]) for one in charges]
        if self._url is not None and time.monotonic() >= self._ask_from_s:
            answer = self._ask(named)
            if answer is not None:
                return answer / 1e6
        with self._lock:
            now_s = time.monotonic()
            if len(self._alone) > _MOST_ALONE:
                forget_full(self._alone, now_s=now_s, most=_MOST_ALONE)
            return spend(self._alone, named, now_s=now_s)

    def close(self) -> None:
        """Close the connections; `spend` may be called again afterwards."""
        if self._redis is not None:
            self._redis.close()

    def _ask(self, charges: Sequence[Charge]) -> int | None:
        """Run the script; None when Redis is away."""
        from redis.exceptions import RedisError  # noqa: PLC0415  half a second that only the pages' process spends

        try:
            if self._script is None:
                self._redis = connect(self._url or "", answers_within_s=_ANSWERS_WITHIN_S)
                self._script = self._redis.register_script(_SCRIPT)
            takes = [round(one.takes_s * 1e6) for one in charges]
            answer = self._script(keys=[_PREFIX + one.name for one in charges], args=[round(HOUR_S * 1e6), *takes])
        except (RedisError, OSError, ValueError, TypeError) as error:  # the last two: words of a URL that it knows not
            self._lose(error)
            return None
        self._note_return()
        return int(answer)

    def _lose(self, error: Exception) -> None:
        self._ask_from_s = time.monotonic() + _ASKED_AGAIN_S
        if not self._is_lost:
            log.warning("Redis is away (%s): this process keeps budgets of its own", type(error).__name__)
        self._is_lost = True

    def _note_return(self) -> None:
        if self._is_lost:
            log.warning("Redis is back: all processes share their budgets again")
            self._is_lost = False
            with self._lock:
                self._alone.clear()
