"""Patience: whoever waits for half a minute needs no puzzle. The way for browsers without JavaScript.

It costs a machine a place in its queue, and one sign-up for each: what keeps it from waiting a thousand times at once
is its sender's budget.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from worker.errors import TokenError
from worker.tokens import Purpose, Tokens

WAIT_S: Final = 30
_GOOD_FOR: Final = timedelta(hours=1)
_NONCE_BITS: Final = 60


class PatienceCaptcha:
    """A signed moment; it counts once half a minute has gone by."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @property
    def name(self) -> str:
        """The form field that brings the moment back."""
        return "patience"

    def pose(self, *, now: datetime) -> str:
        """Return the moment, as a token."""
        numbers = (int(now.timestamp()), secrets.randbits(_NONCE_BITS))
        return self._tokens.sign(Purpose.PATIENCE, *numbers, expires_at=now + _GOOD_FOR)

    def is_early(self, given: str, *, now: datetime) -> bool:
        """Tell whether this is a moment that will count, if only its owner waits."""
        began = self._began(given, now=now)
        return began is not None and now - began[0] < timedelta(seconds=WAIT_S)

    def solved(self, given: str, *, now: datetime) -> str | None:
        """Return what names this moment, None as long as it is too soon."""
        began = self._began(given, now=now)
        if began is None or now - began[0] < timedelta(seconds=WAIT_S):
            return None
        return f"patience {began[0].timestamp():.0f} {began[1]}"

    def _began(self, given: str, *, now: datetime) -> tuple[datetime, int] | None:
        try:
            began, nonce = self._tokens.read(Purpose.PATIENCE, given, now=now)
        except TokenError:
            return None
        return datetime.fromtimestamp(began, UTC), nonce
