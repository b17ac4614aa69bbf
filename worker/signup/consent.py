"""The evidence of consent, and the question that is open: what `subscriber.consent` holds as JSON.

Decides when a question may be asked; asks nothing. Pure. `run*` reads and writes it under the reader's row lock, which
makes the budget exact, however many sign-ups come at once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from worker.signup.wishes import Wish

MOST_A_DAY: Final = 5
APART: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_MOST_KEPT: Final = 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a later version's record can still be read


class Evidence(_Frozen):
    """How a wish or a yes reached us. `wording` is the version of the sentence that the reader agreed to."""

    how: str
    page: str = ""
    wording: str = ""
    ip_prefix: str = ""
    at: datetime | None = None

    def noted(self, at: datetime) -> Evidence:
        """Return this evidence with its time, unless it has one of its own."""
        return self if self.at is not None else self.model_copy(update={"at": at})


class Question(_Frozen):
    """What the owner of an address has been asked to say yes to. `number` counts the reader's questions from 1."""

    number: int
    wish: Wish
    asked: Evidence


class Consent(_Frozen):
    """A reader's consent: the open question, when questions were asked lately, and every yes with its evidence.

    `farewell` is what the reader followed when they left, so that they can have it back.
    """

    question: Question | None = None
    asked_at: tuple[datetime, ...] = ()
    given: tuple[Evidence, ...] = ()
    farewell: Wish | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Read the record as stored."""
        return cls.model_validate(stored)

    def stored(self) -> dict[str, Any]:
        """Return the record as it is stored."""
        return self.model_dump(mode="json", exclude_none=True)  # defaults too: they may change, what was asked may not

    def may_ask(self, now: datetime) -> bool:
        """Tell whether the budget of the address allows one more question.

        >>> from datetime import UTC
        >>> at = datetime(2026, 11, 23, tzinfo=UTC)
        >>> Consent(asked_at=(at,)).may_ask(at + timedelta(minutes=9)), Consent().may_ask(at)
        (False, True)
        """
        lately = self._lately(now)
        return len(lately) < MOST_A_DAY and all(now - asked >= APART for asked in lately)

    def asking(self, question: Question, now: datetime) -> Consent:
        """Return the record with a new question in place of the last one, charged to the budget."""
        return self.model_copy(update={"question": question, "asked_at": (*self._lately(now), now)})

    def reworded(self, wish: Wish) -> Consent:
        """Return the record with another wish in the question that is open."""
        if self.question is None:
            return self
        return self.model_copy(update={"question": self.question.model_copy(update={"wish": wish})})

    def answered(self, evidence: Evidence) -> Consent:
        """Return the record after a yes: the question's evidence and the answer's are kept, the question is closed.

        Who answers is nobody's victim, so that the budget starts anew.
        """
        asked = (self.question.asked,) if self.question else ()
        given = _kept((*self.given, *asked, evidence))
        return self.model_copy(update={"question": None, "asked_at": (), "given": given, "farewell": None})

    def witnessed(self, evidence: Evidence) -> Consent:
        """Return the record with one more yes, which answers no question of ours; what was asked still waits."""
        return self.model_copy(update={"given": _kept((*self.given, evidence))})

    def left(self, farewell: Wish) -> Consent:
        """Return the record of a reader who leaves, and followed this until now."""
        return self.model_copy(update={"question": None, "farewell": farewell})

    def _lately(self, now: datetime) -> tuple[datetime, ...]:
        return tuple(asked for asked in self.asked_at if now - asked < _DAY)


def _kept(given: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return given if len(given) <= _MOST_KEPT else (given[0], *given[1 - _MOST_KEPT :])  # the first yes stays


def ip_prefix(address: str) -> str:
    """Return the network that an address is in, too wide to name a person: /24, or /48 for IPv6.

    >>> [ip_prefix(address) for address in ("203.0.113.77", "::ffff:203.0.113.77", "2001:db8:1:2::3", "nobody")]
    ['203.0.113.0/24', '203.0.113.0/24', '2001:db8:1::/48', '']
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))
