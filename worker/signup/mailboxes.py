"""Decides which addresses are most likely one mailbox, so that nobody is asked a hundred times under as many +tags.

Only budgets use it: readers stay as many people as they have addresses (`address.normalise`). Too wide a guess costs
somebody a question a day later, too narrow a one floods a mailbox. Pure.
"""

from __future__ import annotations

from typing import Final

_DOTS_ARE_NOTHING: Final = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
_DASH_BEGINS_A_TAG: Final = {"yahoo.com", "ymail.com", "rocketmail.com"}


def mailbox_of(key: str) -> str:
    """Return the mailbox behind a normalised address's key.

    >>> mailbox_of("jo.doe+news@googlemail.com"), mailbox_of("jo.doe+news@example.org")
    ('jodoe@gmail.com', 'jo.doe@example.org')
    >>> mailbox_of("jo-news@yahoo.com"), mailbox_of("+jo@example.org")
    ('jo@yahoo.com', '+jo@example.org')
    """
    local, _, domain = key.rpartition("@")
    bare = _before(local, "+")
    if domain in _DOTS_ARE_NOTHING:
        bare, domain = bare.replace(".", "") or bare, _DOTS_ARE_NOTHING[domain]
    if domain in _DASH_BEGINS_A_TAG:
        bare = _before(bare, "-")
    return f"{bare}@{domain}"


def _before(local: str, sign: str) -> str:
    return local.partition(sign)[0] or local
