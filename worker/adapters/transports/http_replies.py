"""What an HTTP answer means where no provider says otherwise: not accepted, and whose fault; or nobody knows.

Pure. `http.py` reads answers and asks here; a provider's own words are read in its own module.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from worker.errors import Blame, OutcomeUnknown, SendError, printable

_SHOWN: Final = 300
_LONGEST_WAIT_S: Final = 86_400.0  # some ask for years
_EPOCH_FROM, _EPOCH_MS_FROM = 1e9, 1e11  # a larger number is no span but a moment, in seconds or milliseconds
_WAITS: Final = ("retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-sib-ratelimit-reset")

_OURS_TO_MEND: Final = frozenset({301, 302, 307, 308, 401, 402, 403, 404, 405, 407, 410})
_NOT_HEARD_OUT: Final = frozenset({408, 421, 425})


class UnwillingError(SendError):
    """The provider takes nothing at all from us for now; `reached` tells whether it has said so itself."""

    def __init__(
        self, text: str, *, reached: bool = True, code: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(text, permanent=False, blame=Blame.US, code=code, retry_after_s=retry_after_s)
        self.reached = reached


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer. `headers` have names in lower case; `body` is cut off where it is longer than anybody reads."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401  whatever the provider says
        """Read the body. Raises `ValueError` when it is no JSON."""
        return json.loads(self.body)

    @property
    def whole_text(self) -> str:
        """The body, to look for words in that must not be missed. Never to be shown: it is as long as it is."""
        return self.body.decode(errors="replace")

    @property
    def text(self) -> str:
        """The beginning of the body as one line of printable text."""
        return printable(self.body[: 4 * _SHOWN].decode(errors="replace"))[:_SHOWN].strip()

    def wait_s(self, now: datetime) -> float | None:
        """Return how long the provider asks us to wait: Retry-After in both forms (RFC 9110), or a rate's reset.

        >>> Reply(status=429, headers={"retry-after": "7"}, body=b"").wait_s(datetime.now(UTC))
        7.0
        """
        for value in (self.headers[name].strip() for name in _WAITS if name in self.headers):
            if (seconds := _seconds(value, now)) is not None:
                return bounded_wait_s(max(seconds, 0.0))
        return None


def bounded_wait_s(seconds: object) -> float | None:
    """Return how long to wait, a day at most; None for what is no length of time.

    >>> [bounded_wait_s(asked) for asked in (60, "3e9", float("nan"), -1, None)]
    [60.0, 86400.0, None, None, None]
    """
    try:
        found = float(str(seconds))
    except ValueError:
        return None
    return min(found, _LONGEST_WAIT_S) if 0 <= found < math.inf else None


def _seconds(value: str, now: datetime) -> float | None:
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", value, re.ASCII):
        number = float(value) / (1000 if float(value) > _EPOCH_MS_FROM else 1)
        return number - now.timestamp() if number > _EPOCH_FROM else number
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def refusal(reply: Reply, said: str, *, unsent: Collection[int], now: datetime) -> SendError | OutcomeUnknown:
    """Turn an answer other than 2xx into what it means for every message of its request; `said` is its text.

    A server's fault (5xx) leaves the outcome open unless the provider's documentation says that such an answer means
    "not accepted": those statuses are `unsent`. So does a conflict (409).

    >>> refusal(Reply(status=502, headers={}, body=b""), "bad gateway", unsent={503}, now=datetime.now(UTC))
    OutcomeUnknown('502 bad gateway')
    """
    status, text = reply.status, f"{reply.status} {said}".strip()
    if status == 429 or status in unsent:
        return UnwillingError(text, code=status, retry_after_s=reply.wait_s(now))
    if status in _OURS_TO_MEND:
        return UnwillingError(text, code=status)
    if status in _NOT_HEARD_OUT:
        return SendError(text, permanent=False, code=status)
    if 400 <= status < 500 and status != 409:
        return SendError(text, permanent=True, code=status)
    return OutcomeUnknown(text)
