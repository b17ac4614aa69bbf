"""Decides whose a request for a counted link or image is: a person's, a program's, or not to be counted.

Pure. `run` asks; what a client does in several requests is `window`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from worker.measures import Measure, Visitor
from worker.measuring.agents import visitor_of

TOO_SOON_S: Final = 10.0
"""An edition is planned, sent, received, opened and read: no person has clicked so soon after its making was begun."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a request says of itself. `purpose` is that of Sec-Purpose, Purpose and X-Moz."""

    agent: str = ""
    purpose: str = ""
    is_head: bool = False
    opts_out: bool = False  # by DNT or Sec-GPC


def classify(asked: Asked, measure: Measure, *, age_s: float) -> Visitor | None:
    """Say whose a request is; None: it is not to be counted at all. `age_s`: since the edition was begun.

    By the first rule that holds:

    - `DNT: 1` or `Sec-GPC: 1` (W3C, Tracking Preference Expression, 5.2; Global Privacy Control, 3.2): not counted.
    - HEAD asks for no page and no image (RFC 9110, 9.3.2): a program that checks links.
    - `Sec-Purpose: prefetch` (Fetch, 2.2.8), and `Purpose: prefetch` or `X-Moz: prefetch` of browsers before it.
    - Too soon for anybody to have read the mail: gateways open links before they let a mail through.
    - The program by its name: see `agents`. What fetches images for others never clicks, and neither does Apple's.

    >>> [classify(Asked(agent="Mozilla/5.0"), measure, age_s=60).value for measure in Measure]
    ['robot', 'prefetch']
    """
    if asked.opts_out:
        return None
    if asked.is_head:
        return Visitor.ROBOT
    if "prefetch" in asked.purpose.lower():
        return Visitor.PREFETCH
    if age_s < TOO_SOON_S:
        return Visitor.ROBOT
    visitor = visitor_of(asked.agent.strip())
    is_for_images = visitor in {Visitor.PROXY, Visitor.PREFETCH}
    return Visitor.ROBOT if is_for_images and measure is Measure.CLICKS else visitor
