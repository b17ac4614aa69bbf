"""Who sends, and what one reader's copy has of its own: the two things that fill a compiled mail beside its content.

Decides nothing. Wiring makes the newsroom, `letters` each reader's values.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from worker.content.cards import Frozen


class Newsroom(Frozen):
    """Who sends: what every mail and page of one installation says of its house."""

    name: str
    base_url: str  # without a trailing slash
    from_name: str
    from_address: str
    reply_to: str = ""
    postal_address: str
    home_url: str = ""
    timezone: str = "UTC"  # IANA; the zone in which stories' times are told
    accent: str = "#8a1c1c"
    accent_dark: str = ""  # on dark paper; "" is made of the accent


class Personal(NamedTuple):
    """What one reader's copy of a mail has that others' have not: the values of a compiled mail's holes.

    Of each link there is the token, which `worker.tokens` makes; the address before it is the same for all.
    """

    recipient: str
    name: str
    message_id: str  # without angle brackets
    sent_at: datetime
    preferences: str
    unsubscribe: str  # the one-click endpoint (RFC 8058) and the page for people
    view: str
    feedback_id: str
    list_id: str  # e.g. "digest.courier.example"
    list_name: str
    confirm: str = ""
    my: str = ""  # of a letter about the reader's own business
    in_reply_to: str = ""  # without angle brackets; of an answer to an earlier mail only
