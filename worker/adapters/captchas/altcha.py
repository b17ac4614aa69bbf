"""Altcha: the browser finds a number by hashing for a second or so. Served by ourselves; nobody else learns of it.

https://altcha.org/docs/v2/proof-of-work: challenges are signed, so that nothing is stored before one is solved.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final

import altcha

_ALGORITHM: Final = "PBKDF2/SHA-256"
_ITERATIONS: Final = 5_000  # 256 tries on average: a second on a phone; to check one takes us 2 ms
_GOOD_FOR: Final = timedelta(minutes=20)
_LONGEST: Final = 4_000


class AltchaCaptcha:
    """Altcha's proof of work; `secret` signs the challenges."""

    def __init__(self, *, secret: str) -> None:
        self._secret = secret

    @property
    def name(self) -> str:
        """The form field that brings the solution, as the widget calls it."""
        return "altcha"

    def pose(self, *, now: datetime) -> str:
        """Return a new challenge as JSON."""
        challenge = altcha.create_challenge(
            _ALGORITHM, _ITERATIONS, expires_at=now + _GOOD_FOR, hmac_secret=self._secret
        )
        return json.dumps(challenge.to_dict())

    def solved(self, given: str, *, now: datetime) -> str | None:
        """Return what names the challenge that this solves, None for what solves none."""
        if len(given) > _LONGEST or not given.isascii():
            return None
        if not altcha.verify_solution(given, self._secret).verified:
            return None
        challenge = altcha.Payload.from_base64(given).challenge
        if now.timestamp() > (challenge.parameters.expires_at or 0):
            return None
        return f"altcha {challenge.signature}"
