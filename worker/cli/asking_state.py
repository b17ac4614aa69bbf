"""What `tocsin doctor` says of the questions for consent: are there more of them than an honest hour brings.

Reads and tells. Called by `state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from worker.health import Finding, Health

if TYPE_CHECKING:
    from worker.wiring import House

_MANY_IN_VAIN: Final = 100  # sign-ups in an hour that led to no question: nobody honest signs up so often again


def questions(found: House) -> Iterator[Finding]:
    """Tell whether questions wait for their turn, or somebody signs others up by the hundred."""
    from worker.store import asking

    with found.database.read() as conn:
        lately = asking.lately(conn)
    says = f"{lately.asked} sent in the last hour and not answered yet"
    if lately.waiting:
        cap = found.question_limits.an_hour
        yield Finding(
            part="questions",
            health=Health.ILL,
            says=f"{says}; {lately.waiting} wait for their turn, since only {cap} go in an hour",
            advice="an attack, or a success? See docs/abuse.md; TOCSIN_QUESTIONS_AN_HOUR lets more go",
        )
    elif lately.refused >= _MANY_IN_VAIN:
        yield Finding(
            part="questions",
            health=Health.NOTE,
            says=f"{says}; {lately.refused} sign-ups asked for mailboxes that had had enough, or get nothing any more",
            advice="somebody may be using the form against people; see docs/abuse.md for TOCSIN_CAPTCHA",
        )
    else:
        yield Finding(part="questions", health=Health.WELL, says=says)
