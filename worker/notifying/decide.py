"""Decides what an endpoint's answer means: for the message, and for the endpoint. Pure; `run` acts on it.

The waits are those that Standard Webhooks recommends, and 410 means what it says there:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, 2026-11-28.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from worker.errors import InputError
from worker.tidings import Message, MessageState, Reply, Tiding, told_name

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""What is waited after the first try, the second, and so on. After the tenth a message is given up."""
SPREAD: Final = 0.1
"""A wait grows by up to a tenth, so that what failed together does not come back together."""
PATIENCE: Final = timedelta(days=5)
"""An endpoint that has taken nothing for so long is switched off."""
KEPT: Final = timedelta(days=14)
"""What is told, or given up, stays so long to be looked at and sent once more."""
OLD_SECRET_SIGNS: Final = timedelta(hours=24)
MOST_ENDPOINTS: Final = 16
BY_HAND: Final = "switched off by"
"""How the reason of an endpoint that somebody has switched off begins."""

_GONE: Final = 410
_LONGEST_URL: Final = 2_000
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a message after a try. `again_in` is none when it has ended."""

    state: MessageState
    again_in: timedelta | None
    error: str


def judge(reply: Reply, *, attempts: int, jitter: float) -> Verdict:
    """Say what follows from an answer to a message's try number `attempts`, counted from 1; `jitter` is from 0 to 1.

    >>> judge(Reply(code=204), attempts=1, jitter=0).state, judge(Reply(code=500), attempts=2, jitter=0).again_in
    (<MessageState.DELIVERED: 'delivered'>, datetime.timedelta(seconds=300))
    >>> judge(Reply(code=302), attempts=10, jitter=0).state
    <MessageState.FAILED: 'failed'>
    """
    if is_success(reply):
        return Verdict(state=MessageState.DELIVERED, again_in=None, error="")
    error = reply.error or f"it answered {reply.code}"
    if attempts > len(WAITS):
        return Verdict(state=MessageState.FAILED, again_in=None, error=error)
    wait = WAITS[attempts - 1] * (1 + SPREAD * jitter)
    return Verdict(
        state=MessageState.PENDING, again_in=max(wait, timedelta(seconds=reply.retry_after_s or 0)), error=error
    )


def is_success(reply: Reply) -> bool:
    """Tell whether an endpoint has taken a message. A redirect is not followed, and so is no success."""
    return reply.code is not None and 200 <= reply.code < 300


def farewell(replies: Iterable[Reply], *, failing_since: datetime | None, now: datetime) -> str:
    """Return why an endpoint is to be switched off after these answers, "" when it is not.

    >>> at = datetime(2026, 11, 29, tzinfo=UTC)
    >>> farewell([Reply(code=410)], failing_since=None, now=at)
    'it answered 410: it is gone'
    >>> farewell([Reply(code=500)], failing_since=at - timedelta(days=4), now=at)
    ''
    >>> farewell([Reply(code=500)], failing_since=at - timedelta(days=5), now=at)
    'it has taken nothing for 5 days'
    """
    answers = list(replies)
    if any(reply.code == _GONE for reply in answers):
        return f"it answered {_GONE}: it is gone"
    if failing_since is None or any(map(is_success, answers)) or now - failing_since < PATIENCE:
        return ""
    return f"it has taken nothing for {PATIENCE.days} days"


def body_of(message: Message) -> str:
    """Write a message's body: the same bytes at every try.

    >>> at = datetime(2026, 11, 29, 5, 30, tzinfo=UTC)
    >>> test = Message(
    ...     id=1, message_id="msg_1", type="webhook.test", subscriber_id=0, occurred_at=at, data={"id": 7}, attempts=0
    ... )
    >>> body_of(test)
    '{"type":"webhook.test","timestamp":"2026-11-29T05:30:00.000000Z","data":{"id":7}}'
    """
    moment = message.occurred_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    told = {"type": message.type, "timestamp": moment, "data": message.data}
    return json.dumps(told, separators=(",", ":"))  # ASCII: what no encoding takes, such as half an emoji, too


def new_secret() -> str:
    """Make a secret of Standard Webhooks."""
    return f"whsec_{b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def checked_url(url: str, *, allow_private: bool) -> str:
    """Return an endpoint's address without spaces around it. Raises `InputError`.

    Readers' addresses go there, so it is HTTPS, unless it is on the newspaper's own network.

    >>> checked_url(" https://crm.example.org/hooks?from=tocsin ", allow_private=False)
    'https://crm.example.org/hooks?from=tocsin'
    """
    url = url.strip()
    example = "write https://crm.example.org/tocsin"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("this is no web address", where="url", hint=example) from error
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url or not parts.hostname or port == 0:
        raise InputError("this is no web address", where="url", hint=example)
    if parts.scheme not in {"https", "http"}:
        raise InputError("an endpoint begins with https://", where="url", hint=example)
    if parts.scheme == "http" and not allow_private:
        raise InputError(
            "readers' addresses go over HTTPS only", where="url", hint="http:// is for --private endpoints, by command"
        )
    if parts.username is not None or parts.fragment:
        raise InputError("an endpoint has no password and no #", where="url", hint="the signature is the proof")
    return url


def checked_types(words: Sequence[str]) -> list[str]:
    """Return types as messages have them, each once, in their own order; all where none is named. Raises `InputError`.

    >>> checked_types(["bounced", "subscriber.confirmed"])
    ['subscriber.confirmed', 'subscriber.bounced']
    """
    for word in words:
        if told_name(word) is None:
            known = ", ".join(one.partition(".")[2] for one in Tiding)
            raise InputError(f"there is no event {word!r}", where="events", hint=f"events are {known}")
    wanted = {told_name(word) for word in words}
    return [str(one) for one in Tiding if not wanted or one in wanted]
