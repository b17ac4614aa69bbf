"""Decides about subscriptions at WebSub hubs: which hub, when to ask, what a hub may have confirmed, whom to rely on.

Pure: values and moments in, decisions out. Section numbers are those of the W3C Recommendation. Called by the
`run_*` modules of this room that speak with hubs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from worker.hubs import LIVE, HubState

LEASE: Final = timedelta(days=10)
"""What we ask for (section 8: a good default). The hub decides."""
LONGEST_LEASE: Final = timedelta(days=60)
"""A hub that promises more is asked again after two thirds of this."""
MISSES_BORNE: Final = 3
"""After so many polls in a row that found what no push had told, the pushes are not relied on any more."""
GRACE: Final = timedelta(minutes=10)
"""A push may come this long after a poll has found what it tells."""
ABSENCES_BORNE: Final = 3
"""So many documents in a row may name no hub before its subscription ends: some servers forget a header at times."""
GOODBYES: Final = 3
"""How often a hub is told that we want no more, before the end of the lease has to do it."""
RENEW_AFTER: Final = 2 / 3
"""The part of a lease after which it is asked for again."""

_SOONEST: Final = timedelta(minutes=1)
_LONGEST_URL: Final = 2_000
_WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440))
_REFUSED_WAITS: Final = tuple(timedelta(days=days) for days in (1, 3, 7, 30))


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A hub that a document names, and the address that the hub knows the document by."""

    hub: str
    topic: str


class Reply(StrEnum):
    """What follows from a hub's question at our callback."""

    CONFIRM = "confirm"  # the challenge is echoed: it is what we asked for
    GOODBYE = "goodbye"  # so is it, and the subscription has ended
    DENIED = "denied"  # noted
    REFUSE = "refuse"  # 404


def offers(hubs: Sequence[str], topic: str, *, url: str, allow_private: bool) -> tuple[Offer, ...]:
    """Return the hubs that can be asked, in the document's own order, without repetition; may be none.

    A hub is asked over HTTPS even where it is named otherwise (section 8), unless private addresses are allowed. A
    document that does not say what its topic is called is known by the address that it came from.

    >>> offers(["http://hub.example/#x", "/own", "ftp://no"], "", url="https://a.example/feed", allow_private=False)
    (Offer(hub='https://hub.example/', topic='https://a.example/feed'), Offer(hub='https://a.example/own', topic='https://a.example/feed'))
    """
    known_as = _web_address(topic, url) or _web_address(url, url)
    asked = [_web_address(hub, url) for hub in hubs]
    if not allow_private:
        asked = [f"https://{hub.removeprefix('http://')}" if hub.startswith("http://") else hub for hub in asked]
    return tuple(Offer(hub=hub, topic=known_as) for hub in dict.fromkeys(asked) if hub) if known_as else ()


def choose(offered: Sequence[Offer], *, current: Offer | None, refused: Collection[Offer]) -> Offer | None:
    """Return which offer to have: the one that we have, while it still stands; else the first that nobody refused us.

    >>> a, b = Offer(hub="https://a.example/", topic="t"), Offer(hub="https://b.example/", topic="t")
    >>> choose([a, b], current=b, refused=[]) == b, choose([a, b], current=None, refused=[a]) == b
    (True, True)
    """
    if current is not None and current in offered:
        return current
    return next((offer for offer in offered if offer not in refused), None)


def callback_fault(base_url: str, *, allow_private: bool) -> str:
    """Return why no hub on the internet could reach a callback below this address, "" when one can.

    >>> callback_fault("http://127.0.0.1:8025", allow_private=False)
    'TOCSIN_BASE_URL must begin with https:// for hubs to reach it'
    >>> callback_fault("https://10.0.0.7", allow_private=False), callback_fault("https://a.org", allow_private=False)
    ('TOCSIN_BASE_URL is on no public address: no hub can reach it', '')
    """
    if allow_private:
        return ""
    parts = urlsplit(base_url)
    if parts.scheme != "https":
        return "TOCSIN_BASE_URL must begin with https:// for hubs to reach it"
    return (
        "" if _may_be_public(parts.hostname or "") else "TOCSIN_BASE_URL is on no public address: no hub can reach it"
    )


def ask_again_in(failures: int) -> timedelta:
    """Return how long to wait for a hub's verification before it is asked again; `failures` counts from 0.

    >>> ask_again_in(0), ask_again_in(99)
    (datetime.timedelta(seconds=300), datetime.timedelta(days=1))
    """
    return _WAITS[min(failures, len(_WAITS) - 1)]


def refused_for(failures: int) -> timedelta:
    """Return after how long a hub that has refused is asked once more; `failures` counts from 1.

    >>> refused_for(1), refused_for(99)
    (datetime.timedelta(days=1), datetime.timedelta(days=30))
    """
    return _REFUSED_WAITS[min(max(failures, 1), len(_REFUSED_WAITS)) - 1]


def lease_of(word: str) -> timedelta | None:
    """Read a hub's `hub.lease_seconds`; None for what is no positive number (section 5.3).

    PubSubHubbub 0.3 may leave it out: then it is what we asked for.

    >>> lease_of("86400"), lease_of("9" * 30), lease_of(""), lease_of("-5")
    (datetime.timedelta(days=1), datetime.timedelta(days=60), datetime.timedelta(days=10), None)
    """
    if not word:
        return LEASE
    if not (word.isascii() and word.isdigit()) or not int(word[:19]):
        return None
    return min(timedelta(seconds=int(word[:9])) if len(word) < 10 else LONGEST_LEASE, LONGEST_LEASE)


def renew_in(lease: timedelta) -> timedelta:
    """Return when to ask again, so that there is time for several tries before the lease ends.

    >>> renew_in(timedelta(days=9)), renew_in(timedelta(seconds=3))
    (datetime.timedelta(days=6), datetime.timedelta(seconds=60))
    """
    return max(lease * RENEW_AFTER, _SOONEST)


def reply_to(mode: str, *, state: HubState, has_asked: bool, is_our_topic: bool) -> Reply:
    """Say what follows from a hub's question (sections 5.2 and 5.3.1). `has_asked`: the hub has been asked at all.

    >>> reply_to("subscribe", state=HubState.ASKED, has_asked=True, is_our_topic=True)
    <Reply.CONFIRM: 'confirm'>
    >>> reply_to("unsubscribe", state=HubState.ACTIVE, has_asked=True, is_our_topic=True)
    <Reply.REFUSE: 'refuse'>
    """
    if not (is_our_topic and has_asked):
        return Reply.REFUSE
    if mode == "subscribe" and state in LIVE:
        return Reply.CONFIRM
    if mode == "unsubscribe" and state is HubState.LEAVING:
        return Reply.GOODBYE
    if mode == "denied" and state is not HubState.ENDED:
        return Reply.GOODBYE if state is HubState.LEAVING else Reply.DENIED
    return Reply.REFUSE


def could_have_been_pushed(
    *, verified_at: datetime | None, polled_before: datetime | None, thin_at: datetime | None
) -> bool:
    """Tell whether what a poll finds new should have been pushed.

    It should, if it is newer than a poll that came after the hub's word; and no push without content sent us here.
    """
    if verified_at is None or polled_before is None or polled_before <= verified_at:
        return False
    return thin_at is None or thin_at <= polled_before


def _web_address(address: str, base: str) -> str:
    """Return an absolute web address without a fragment; "" for what is none, or cannot be one."""
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        _ = parts.port
    except ValueError:
        return ""
    found = urlunsplit(parts._replace(fragment=""))
    fine = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None and parts.password is None
    return found if fine and len(found) <= _LONGEST_URL and found.isprintable() and " " not in found else ""


def _may_be_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal", ".lan", ".test"))
