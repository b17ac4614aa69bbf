"""`/newsletters`, `/newsletters/{slug}`, its feed, and `/editions/{id}`: the newsletters and their issues in public.

Nothing here is any reader's: no name, no search, no link of theirs. Digests and alerts have no public page: their ids
lead nowhere. Shows only.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import Response
from starlette.requests import Request

from worker.planning.archived import Place
from worker.planning.run_archive import PublicIssue, issues_of, open_issue
from worker.rendering.cards import CardView, card_view, note
from worker.rendering.language import SOURCE_LANGUAGE, Language
from worker.rendering.newsletter import issue_note
from worker.rendering.prose import one_line
from worker.rendering.words import Words
from worker.store import newsletters
from worker.web.newsletter_words import NewsletterLine
from worker.web.site import AnySite, Site
from worker.web.subscribe import newsletters_offered
from worker.web.topic_pages import is_known

router = APIRouter(include_in_schema=False)

_SHOWN: Final = 30
_PUBLIC_ID: Final = re.compile(r"[0-9a-f]{24}")
_BEFORE: Final = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceView:
    """One story of an issue, as a page shows it: told, corrected, or withdrawn."""

    card: CardView | None
    lang: str
    published_at: datetime | None
    remark: Words
    mended: tuple[tuple[str, Words], ...]
    is_retracted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueLine:
    """An issue in a list: its headline, and what else is in it."""

    id: str
    day: str
    title: str
    others: tuple[str, ...]
    locale: str
    due_at: datetime
    updated_at: datetime


@router.get("/newsletters")
def show_newsletters(request: Request, site: AnySite) -> Response:
    """List the newsletters that can be followed."""
    language = site.pages.language(request)
    known = newsletters_offered(site, language)
    return site.pages.page(request, "newsletters", language=language, public=True, newsletters=known)


@router.get("/newsletters/{slug}")
def show_newsletter(request: Request, site: AnySite, slug: str, before: str = "") -> Response:
    """List a newsletter's issues, the latest first."""
    language = site.pages.language(request)
    newsletter, newsletter_id = _newsletter(site, slug, language)
    earlier = datetime.fromtimestamp(int(before), UTC) if _BEFORE.fullmatch(before) else None
    issues, more = issues_of(site.house.database, newsletter_id, limit=_SHOWN, before=earlier)
    return site.pages.page(
        request,
        "newsletter",
        language=language,
        public=True,
        newsletter=newsletter,
        issues=[_line(issue, language) for issue in issues],
        more=int(more.timestamp()) if more else None,
    )


@router.get("/newsletters/{slug}/feed.xml")
def show_feed(site: AnySite, slug: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Give the issues as an Atom feed (RFC 4287), in the newsletter's own language."""
    newsletter, newsletter_id = _newsletter(site, slug, site.pages.languages.best(SOURCE_LANGUAGE))
    language = site.pages.languages.best(newsletter.lang)
    issues, _ = issues_of(site.house.database, newsletter_id, limit=_SHOWN)
    lines = [_line(issue, language) for issue in issues]
    updated = max((line.updated_at for line in lines), default=datetime.fromtimestamp(0, UTC))
    feed = site.pages.text("newsletter-feed.xml.j2", language, newsletter=newsletter, issues=lines, updated=updated)
    tag = f'"{hashlib.sha256(feed.encode()).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}
    if is_known(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(feed, media_type="application/atom+xml", headers=headers)


@router.get("/editions/{public_id}")
def show_issue(request: Request, site: AnySite, public_id: str) -> Response:
    """Show an issue as it stands today."""
    opened = open_issue(site.house.database, public_id) if _PUBLIC_ID.fullmatch(public_id) else None
    if opened is None:
        raise HTTPException(404)
    if opened.issue.is_gone:
        return site.pages.page(request, "withdrawn", status=410)
    language, zone = site.pages.language(request), ZoneInfo(site.house.settings.timezone)
    issue = opened.issue
    return site.pages.page(
        request,
        "issue",
        language=language,
        public=True,
        issue=issue,
        line=_line(issue, language),
        note=issue_note(issue.note),
        places=[_place(site, place, issue.locale, language, zone) for place in issue.places],
        before=opened.before,
        after=opened.after,
    )


def _newsletter(site: Site, slug: str, language: Language) -> tuple[NewsletterLine, int]:
    """Find a newsletter that can be followed, and its number."""
    found = next((one for one in newsletters_offered(site, language) if one.slug == slug), None)
    if found is None:
        raise HTTPException(404)
    with site.house.database.read() as conn:
        stored = newsletters.by_slug(conn, slug)
    if stored is None:
        raise HTTPException(404)
    return found, stored.id


def _line(issue: PublicIssue, language: Language) -> IssueLine:
    titles = [one_line(place.card.title) for place in issue.places if place.card]
    subject = one_line(issue.subject)
    return IssueLine(
        id=issue.id,
        day=language.day(issue.day),
        title=subject or titles[0],
        others=tuple(titles if subject else titles[1:])[:3],
        locale=issue.locale,
        due_at=issue.due_at,
        updated_at=issue.updated_at,
    )


def _place(site: Site, place: Place, locale: str, language: Language, zone: ZoneInfo) -> PlaceView:
    card = place.card
    return PlaceView(
        card=card_view(card, language, zone, pictures=site.house.page_picture_address) if card else None,
        lang=(card.lang if card else "") or locale,
        published_at=card.published_at if card else None,
        remark=note(place.remark),
        mended=tuple((language.day(at.astimezone(zone).date()), note(words)) for at, words in place.mended),
        is_retracted=place.is_retracted,
    )
