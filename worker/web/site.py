"""What every handler has at hand: the installation and its page templates, found through the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.datastructures import FormData
from starlette.requests import Request

from worker.signup.consent import Evidence, ip_prefix
from worker.store.database import now
from worker.web.counting import Counts
from worker.web.own_queries import canonical_query
from worker.web.pages import Pages
from worker.web.preview_making import Previews
from worker.web.push_budgets import PushBudgets
from worker.web.security import client_address, is_local
from worker.web.trying import Trials
from worker.wiring import House

WORDING = "2026-11"
"""The version of what `subscribe.html.j2` and `confirm.html.j2` say that a reader agrees to: part of the evidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One installation, as the pages need it."""

    house: House
    pages: Pages
    trials: Trials = field(default_factory=Trials)
    counts: Counts = field(default_factory=Counts)
    previews: Previews = field(default_factory=Previews)
    push_budgets: PushBudgets = field(default_factory=PushBudgets)

    @property
    def check_query(self) -> Callable[[str], str]:
        """What turns an own query into its canonical form, or refuses it."""
        return lambda query: canonical_query(self.house.database, query)

    def now(self) -> datetime:
        """Return the one clock's time."""
        with self.house.database.read() as conn:
            return now(conn)

    def evidence(self, request: Request, how: str) -> Evidence:
        """Return where a wish or a yes comes from."""
        return Evidence(how=how, page=_page(request), wording=WORDING, ip_prefix=ip_prefix(client_address(request)))


def _find(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


AnySite = Annotated[Site, Depends(_find)]


def _local(request: Request, site: AnySite) -> Site:
    if not is_local(request, base_url=site.house.base_url):
        raise HTTPException(404)  # not 403: whether there is such a page is nobody else's business
    return site


LocalSite = Annotated[Site, Depends(_local)]
"""The site, for pages that answer this machine only."""


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=2_000, max_part_size=20_000)


AnyForm = Annotated[FormData, Depends(_form)]
"""The form that was sent, urlencoded or multipart; empty when there was none."""


def _page(request: Request) -> str:
    """Return the route's pattern, which holds no token."""
    return str(getattr(request.scope.get("route"), "path", ""))
