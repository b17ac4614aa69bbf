"""Connects to Redis from threads, and reads the addresses that Celery knows as well. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis


def plain_url(url: str) -> str:
    """Return an address as Redis' own library writes it.

    >>> plain_url("redis+socket:///run/redis.sock?virtual_host=1")
    'unix:///run/redis.sock'
    """
    if url.startswith("redis+socket://"):  # kombu's way to write a socket's path, with words of its own behind the ?
        return url.partition("?")[0].replace("redis+socket://", "unix://", 1)
    return url


def connect(url: str, *, answers_within_s: float) -> Redis:
    """Return a client for the threads of a process; it connects when it is first used."""
    from redis import Redis  # noqa: PLC0415  half a second that only those who count are worth
    from redis.backoff import NoBackoff  # noqa: PLC0415  as above
    from redis.retry import Retry  # noqa: PLC0415  as above

    return Redis.from_url(
        plain_url(url),
        socket_timeout=answers_within_s,
        socket_connect_timeout=answers_within_s,
        retry=Retry(NoBackoff(), 1),
    )
