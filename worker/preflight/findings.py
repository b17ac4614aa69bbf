"""What a check has found about a mail, how bad that is, and whether it holds an issue back. Words only, and pure.

Every file of this room speaks in findings; the command line prints them, the store keeps them as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Check(StrEnum):
    """What was looked at, in the order in which it is told."""

    SUBJECT = "subject"
    PREHEADER = "preheader"
    WORDS = "words"
    UNSUBSCRIBE = "unsubscribe"
    ADDRESS = "postal address"
    SIGNATURE = "signature"
    DNS = "dns"
    SIZE = "size"
    TEXT = "text part"
    HTML = "html"
    STYLES = "styles"
    LINKS = "links"
    PICTURES = "pictures"
    STORIES = "stories"
    SPAM = "spam filter"


class Mark(StrEnum):
    """How bad it is."""

    OK = "ok"
    UNCHECKED = "not checked"
    WARNING = "warning"
    PROBLEM = "problem"


_WEIGHT: Final = {mark: weight for weight, mark in enumerate(Mark)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a check has found. `advice` says what to do about it, "" where there is nothing to do.

    `harms`: to send it like this would do harm, so it holds an issue. `is_breakage`: holds it only where the house is
    strict.
    """

    check: Check
    mark: Mark
    found: str
    advice: str = ""
    harms: bool = False
    is_breakage: bool = False

    def told(self) -> dict[str, Any]:
        """Return it for programs, and for the store."""
        return {
            "check": str(self.check),
            "result": str(self.mark),
            "found": self.found,
            "advice": self.advice,
            "holds": self.harms,
        }


def ok(check: Check, found: str) -> Finding:
    """Say that a check has found nothing wrong."""
    return Finding(check=check, mark=Mark.OK, found=found)


def unchecked(check: Check, found: str, advice: str = "") -> Finding:
    """Say that a check could not be made, or need not."""
    return Finding(check=check, mark=Mark.UNCHECKED, found=found, advice=advice)


def warning(check: Check, found: str, advice: str, *, is_breakage: bool = False) -> Finding:
    """Say that something could be better."""
    return Finding(check=check, mark=Mark.WARNING, found=found, advice=advice, is_breakage=is_breakage)


def problem(check: Check, found: str, advice: str, *, harms: bool = False, is_breakage: bool = False) -> Finding:
    """Say that something is wrong."""
    return Finding(check=check, mark=Mark.PROBLEM, found=found, advice=advice, harms=harms, is_breakage=is_breakage)


def or_ok(findings: Iterable[Finding], check: Check, found: str) -> Iterator[Finding]:
    """Yield the findings, or, where there are none, that all is well."""
    several = list(findings)
    yield from several or [ok(check, found)]


def worst(findings: Iterable[Finding]) -> Mark:
    """Return the worst mark; ok where there is nothing.

    >>> worst([ok(Check.SIZE, "12 KB"), warning(Check.LINKS, "an old link", "renew it")])
    <Mark.WARNING: 'warning'>
    """
    return max((one.mark for one in findings), key=_WEIGHT.__getitem__, default=Mark.OK)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort: check by check, the worst first within one."""
    order = {check: place for place, check in enumerate(Check)}
    return tuple(sorted(findings, key=lambda one: (order[one.check], -_WEIGHT[one.mark])))


def held_by(findings: Iterable[Finding], *, strictly: bool) -> str:
    """Return why an issue is held, in a line: every finding that harms; "" where none does.

    `strictly`: what is broken, a link say, holds it too.

    >>> held_by([warning(Check.LINKS, "gone", "mend it", is_breakage=True)], strictly=False)
    ''
    """
    return "; ".join(f"{one.check}: {one.found}" for one in findings if one.harms or (strictly and one.is_breakage))
