"""Books messages in Redis, for all workers together: one script a call, whatever the number of buckets and messages.

`pacing.book` says what the script does; a test holds the two equal. While Redis is away each worker goes on by itself
with its share of every rate: mail is never stopped for want of a pace. Called by `run_flow`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from worker.adapters.redis_client import plain_url
from worker.delivery.pacing import AHEAD_S, LONGEST_WAIT_S, Booking, Bucket, book

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

log = logging.getLogger(__name__)

_PREFIX: Final = "tocsin:{pace}:"  # the braces keep all keys on one node of a cluster, as a script needs them
_ASKED_AGAIN_S: Final = 5.0
_ANSWERS_WITHIN_S: Final = 2.0
_SHARERS_UNKNOWN: Final = 2  # one worker for alerts, one for bulk

# Times are whole microseconds of Redis' own clock. KEYS: who shares, then the buckets. ARGV: who asks, how far ahead is
# booked, whether who is turned away queues, the farthest that anybody books, the longest wait, an interval and a leeway
# for each bucket, then for each message its buckets' places, "1,2". Answers: how many share, then for each message its
# wait, or less than 0 when it is turned away: -1 - wait.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ahead, queues, farthest, longest = now + ARGV[2], ARGV[3] == '1', now + ARGV[4], now + ARGV[5]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000000)
local answers = {redis.call('ZCARD', KEYS[1])}
local buckets, count = {}, #KEYS - 1
for place = 1, count do
  local interval, leeway = tonumber(ARGV[4 + 2 * place]), tonumber(ARGV[5 + 2 * place])
  local stored = redis.call('HMGET', KEYS[place + 1], 'due', 'tail')
  buckets[place] = {
    interval = interval, leeway = leeway,
    due = math.min(tonumber(stored[1] or 0), farthest + leeway + interval),
    tail = math.min(tonumber(stored[2] or 0), longest),
  }
end
for message = 6 + 2 * count, #ARGV do
  local own, at = {}, now
  for place in string.gmatch(ARGV[message], '%d+') do
    local bucket = buckets[tonumber(place)]
    own[#own + 1] = bucket
    at = math.max(at, bucket.due - bucket.leeway)
  end
  if at <= ahead then
    for _, bucket in ipairs(own) do bucket.due = math.max(bucket.due, at) + bucket.interval end
    answers[#answers + 1] = math.floor(at - now)
  else
    local back = at
    if queues then
      for _, bucket in ipairs(own) do
        if bucket.due - bucket.leeway > ahead then
          bucket.tail = math.max(bucket.tail, ahead) + bucket.interval
          back = math.max(back, bucket.tail)
        end
      end
    end
    answers[#answers + 1] = -1 - math.floor(math.min(back, longest) - now)
  end
end
for place = 1, count do
  local key, bucket = KEYS[place + 1], buckets[place]
  redis.call('HSET', key, 'due', string.format('%.0f', bucket.due), 'tail', string.format('%.0f', bucket.tail))
  redis.call('PEXPIRE', key, math.ceil((math.max(bucket.due, bucket.tail) - now) / 1000) + 60000)
end
redis.call('PEXPIRE', KEYS[1], 120000)
return answers
"""


class Pace:
    """The buckets as one worker sees them; `me` tells it from every other. It belongs to one event loop."""

    def __init__(self, url: str | None, *, me: str) -> None:
        self._url, self._me = url, me
        self._redis: Redis | None = None
        self._script: AsyncScript | None = None
        self._alone: dict[str, tuple[float, float]] = {}
        self._sharers = _SHARERS_UNKNOWN
        self._ask_from_s = 0.0
        self._is_lost = False

    async def book(
        self, buckets: Sequence[Bucket], wanted: Sequence[Sequence[int]], *, ahead_s: float, queues: bool
    ) -> list[Booking]:
        """Book each message of `wanted`; see `pacing.book`. Never raises for Redis' sake."""
        if self._url is not None and time.monotonic() >= self._ask_from_s:
            answers = await self._ask(
                [_PREFIX + "sharers", *(_PREFIX + bucket.name for bucket in buckets)],
                _arguments(self._me, buckets, wanted, ahead_s=ahead_s, queues=queues),
            )
            if answers:
                self._sharers = answers[0]
                return [_booking(answer / 1e6, is_turned_away=answer < 0) for answer in answers[1:]]
        shares = [Bucket(one.name, one.rate_per_s / self._sharers) for one in buckets]
        return book(self._alone, shares, wanted, now_s=time.monotonic(), ahead_s=ahead_s, queues=queues)

    async def close(self) -> None:
        """Close the connections; `book` may be called again afterwards."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _ask(self, keys: list[str], arguments: list[str | int]) -> list[int]:
        """Run the script; nothing comes back when Redis is away."""
        from redis.exceptions import RedisError  # noqa: PLC0415  half a second that only paced mail is worth

        try:
            if self._script is None:
                self._redis = _client(self._url or "")
                self._script = self._redis.register_script(_SCRIPT)
            answers: list[int] = await self._script(keys=keys, args=arguments)
        except (RedisError, OSError, ValueError, TypeError) as error:  # the last two: words of a URL that it knows not
            self._lose(error)
            return []
        self._note_return()
        return answers

    def _lose(self, error: Exception) -> None:
        self._ask_from_s = time.monotonic() + _ASKED_AGAIN_S
        if not self._is_lost:
            log.warning("Redis is away (%s): this worker sends at 1/%d of each rate by itself", error, self._sharers)
        self._is_lost = True

    def _note_return(self) -> None:
        if self._is_lost:
            log.warning("Redis is back: all workers share their rates again")
            self._is_lost = False
            self._alone.clear()


def _client(url: str) -> Redis:
    from redis.asyncio import Redis  # noqa: PLC0415  as above
    from redis.asyncio.retry import Retry  # noqa: PLC0415  as above
    from redis.backoff import NoBackoff  # noqa: PLC0415  as above

    return Redis.from_url(
        plain_url(url),
        socket_timeout=_ANSWERS_WITHIN_S,
        socket_connect_timeout=_ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 1),
    )


def _arguments(
    me: str, buckets: Sequence[Bucket], wanted: Sequence[Sequence[int]], *, ahead_s: float, queues: bool
) -> list[str | int]:
    times_s = [ahead_s, max(AHEAD_S.values()), LONGEST_WAIT_S]
    ahead, farthest, longest = (round(one * 1e6) for one in times_s)
    rates = [round(one * 1e6) for bucket in buckets for one in (bucket.interval_s, bucket.leeway_s)]
    messages = [",".join(str(place + 1) for place in places) for places in wanted]
    return [me, ahead, int(queues), farthest, longest, *rates, *messages]


def _booking(answer_s: float, *, is_turned_away: bool) -> Booking:
    return Booking(goes=not is_turned_away, wait_s=-answer_s if is_turned_away else answer_s)
