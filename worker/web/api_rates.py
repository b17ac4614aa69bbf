"""How many requests a minute an API key may make: one bucket a key, in Redis, for all processes together.

A bucket is kept as the moment at which it will be full again (the generic cell rate algorithm). While Redis is away
everybody is let through: a newsroom's pushes are worth more than the count. Called by `api_door`.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from worker.adapters.redis_client import connect

if TYPE_CHECKING:
    from redis.commands.core import Script

log = logging.getLogger(__name__)

_PREFIX: Final = "tocsin:api:"
_MINUTE_S: Final = 60
_ANSWERS_WITHIN_S: Final = 1.0
_ASKED_AGAIN_S: Final = 5.0

# Times are whole microseconds of Redis' own clock. ARGV: the time that one request costs, and the whole minute.
# Answers: whether it goes, how many more would go now, until when it must wait, and when the bucket is full again.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + span)
if full + cost - now > span then
  return {0, 0, math.ceil(full + cost - now - span), math.ceil(full - now)}
end
full = full + cost
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, math.floor((span - (full - now)) / cost), 0, math.ceil(full - now)}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What a key has left: `goes` says whether this request is served, `wait_s` when to ask again if not."""

    per_minute: int
    goes: bool
    left: int
    wait_s: float
    full_in_s: float

    def headers(self) -> dict[str, str]:
        """Return what the caller is told of it (draft-ietf-httpapi-ratelimit-headers, and RFC 9110, 10.2.3).

        >>> Allowance(per_minute=60, goes=False, left=0, wait_s=0.4, full_in_s=60.0).headers()["Retry-After"]
        '1'
        """
        told = {
            "RateLimit-Policy": f'"minute";q={self.per_minute};w={_MINUTE_S}',
            "RateLimit": f'"minute";r={self.left};t={math.ceil(self.full_in_s)}',
        }
        return told if self.goes else told | {"Retry-After": str(max(1, math.ceil(self.wait_s)))}


class Rates:
    """The buckets of all keys, as one process sees them. `url` None: nothing is counted."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._script: Script | None = None
        self._ask_from_s = 0.0
        self._is_lost = False

    def take(self, name: str, *, per_minute: int) -> Allowance | None:
        """Take one request out of a key's bucket; None where nobody counts. Never raises for Redis' sake."""
        if self._url is None or time.monotonic() < self._ask_from_s:
            return None
        cost = math.ceil(_MINUTE_S * 1e6 / per_minute)
        key = _PREFIX + hashlib.sha256(name.encode()).hexdigest()[:32]
        answer = self._ask(key, [cost, cost * per_minute])
        if answer is None:
            return None
        goes, left, wait, full_in = answer
        return Allowance(per_minute=per_minute, goes=bool(goes), left=left, wait_s=wait / 1e6, full_in_s=full_in / 1e6)

    def _ask(self, key: str, arguments: list[int]) -> list[int] | None:
        from redis.exceptions import RedisError  # noqa: PLC0415  half a second that only keys with a rate are worth

        try:
            if self._script is None:
                self._script = connect(self._url or "", answers_within_s=_ANSWERS_WITHIN_S).register_script(_SCRIPT)
            answer: Any = self._script(keys=[key], args=arguments)
        except (RedisError, OSError, ValueError) as error:
            self._ask_from_s = time.monotonic() + _ASKED_AGAIN_S
            if not self._is_lost:
                log.warning("Redis is away (%s): API keys are let through without a count", type(error).__name__)
            self._is_lost = True
            return None
        if self._is_lost:
            log.warning("Redis is back: API keys are counted again")
        self._is_lost = False
        return [int(number) for number in answer]
