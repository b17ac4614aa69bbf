"""The gate before what anybody may ask of us: budgets of senders and of API keys.

Asks `signup.run_budgets` and answers 429 with a Retry-After; a page for people, problem details for programs. Budgets
of mailboxes are not here: whoever asks for somebody else must not learn of them, so that they change no answer.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence

from fastapi import HTTPException
from starlette.requests import Request

from worker.signup.budgets import Charge, Sought, is_within, retry_after_s
from worker.web.security import client_address
from worker.web.site import AnySite, Site

log = logging.getLogger(__name__)


def budgeted(sought: Sought) -> Callable[..., None]:
    """Return a dependency that turns a sender away who has asked for too much of this."""

    def admit(request: Request, site: AnySite) -> None:
        charge_sender(request, site, sought)

    return admit


def charge_sender(request: Request, site: Site, sought: Sought) -> None:
    """Take an act from the budgets of whoever asks. Raises an HTTP 429 when they hold no more."""
    address = client_address(request)
    try:
        _charge(site, site.house.budgets.of_sender(sought, address))
    except HTTPException:
        if is_within(address):
            _warn_of_proxy()
        raise


def charge_more(request: Request, site: Site, sought: Sought, *, cost: int) -> None:
    """Take more for an act that is let in already, where there is more: the next one will find it gone."""
    site.house.purse.spend(site.house.budgets.of_sender(sought, client_address(request), cost=cost))


def charge_key(site: Site, holder: str) -> None:
    """Take a sign-up from the budget of an API key. Raises an HTTP 429 when it holds no more."""
    _charge(site, site.house.budgets.of_key(holder))


@functools.cache  # once a process
def _warn_of_proxy() -> None:
    log.warning(
        "a sender on a private address has used up its budget: if that is your proxy, all readers count as one sender; "
        "name it in TOCSIN_TRUSTED_PROXIES, and have it send X-Forwarded-For"
    )


def _charge(site: Site, charges: Sequence[Charge]) -> None:
    wait_s = site.house.purse.spend(charges)
    if wait_s > 0:
        seconds = retry_after_s(wait_s)
        detail = f"too many requests: try again in {seconds} s"
        raise HTTPException(429, detail, headers={"Retry-After": str(seconds)})
