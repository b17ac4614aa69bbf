"""Puts a mail before every check, with what servers, DNS and a spam filter have answered. Pure.

`worker.rehearsal` calls it, for `tocsin editions preflight` and before every newsletter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from worker.health import Finding as Examined
from worker.preflight.check_headers import check_address, check_dns, check_signature, check_unsubscribe
from worker.preflight.check_html import check_html
from worker.preflight.check_links import check_links
from worker.preflight.check_pictures import check_pictures
from worker.preflight.check_size import check_size, check_text
from worker.preflight.check_spam import Score, check_spam
from worker.preflight.check_stories import check_stories
from worker.preflight.check_styles import check_styles
from worker.preflight.check_subject import check_preheader, check_subject
from worker.preflight.check_words import check_words
from worker.preflight.findings import Finding, in_order
from worker.preflight.links import Answer
from worker.preflight.mail import Mail


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What others have said; None where they were not asked. `links` by address, pictures among them."""

    links: Mapping[str, Answer] | None = None
    dns: tuple[Examined, ...] | None = None
    spam: Score | None = None


_ALONE: Final[tuple[Callable[[Mail], Iterator[Finding]], ...]] = (
    check_subject,
    check_preheader,
    check_words,
    check_unsubscribe,
    check_address,
    check_signature,
    check_size,
    check_text,
    check_html,
    check_styles,
    check_stories,
)


def inspect(mail: Mail, answers: Answers) -> tuple[Finding, ...]:
    """Return what all checks find, in their order; at least one finding a check."""
    found = [finding for check in _ALONE for finding in check(mail)]
    found += check_links(mail, answers.links)
    found += check_pictures(mail, answers.links)
    found += check_dns(answers.dns)
    found += check_spam(answers.spam)
    return in_order(found)
