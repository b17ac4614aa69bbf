"""What a WebSub hub and we can be to each other: the words that the store keeps and intake decides by.

Values only. The protocol is the W3C Recommendation of 23 January 2018; hubs of PubSubHubbub 0.3 and 0.4 speak it too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class HubState(StrEnum):
    """How far a subscription at a hub has come."""

    WANTED = "wanted"  # to be asked for, or to be asked for again
    ASKED = "asked"  # the hub has been asked, and has not verified it
    ACTIVE = "active"  # the hub has verified it: it pushes until the lease ends
    REFUSED = "refused"  # the hub does not want it; asked again after days
    LEAVING = "leaving"  # the hub is being told that we want no more
    ENDED = "ended"


LIVE: Final = (HubState.WANTED, HubState.ASKED, HubState.ACTIVE)
"""A source has one subscription at most that is in one of these states."""
