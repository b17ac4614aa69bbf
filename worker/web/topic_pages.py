"""`/topics`, `/topics/{slug}` and its feed: the shared topics in public. Readers' own queries never show here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import Response
from starlette.requests import Request

from worker.facts import Telling
from worker.planning.cards import snippet
from worker.rendering.language import SOURCE_LANGUAGE, Language
from worker.store import topics
from worker.store.tellings import tellings
from worker.store.topics import TopicRow
from worker.web.site import AnySite, Site
from worker.web.subscribe import offered
from worker.web.wording import TopicLine, topic_lines

router = APIRouter(include_in_schema=False)

_STORIES: Final = 30
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """One story on a topic's page."""

    id: int
    title: str
    summary: str
    url: str
    author: str
    outlet: str
    also_in: tuple[str, ...]
    lang: str
    published_at: datetime
    when: str


@router.get("/topics")
def show_topics(request: Request, site: AnySite) -> Response:
    """List the topics that can be followed."""
    language = site.pages.language(request)
    return site.pages.page(request, "topics", language=language, public=True, topics=offered(site, language))


@router.get("/topics/{slug}")
def show_topic(request: Request, site: AnySite, slug: str) -> Response:
    """Show a topic's latest stories."""
    language = site.pages.language(request)
    topic, headlines = _read(site, slug, language)
    return site.pages.page(request, "topic", language=language, public=True, topic=topic, headlines=headlines)


@router.get("/topics/{slug}/feed.xml")
def show_feed(
    request: Request, site: AnySite, slug: str, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Give the same stories as an Atom feed (RFC 4287), in the language asked for by `?lang=`."""
    asked = request.query_params.get("lang", SOURCE_LANGUAGE)
    language = site.pages.languages.best(asked)
    topic, headlines = _read(site, slug, language)
    updated = max((headline.published_at for headline in headlines), default=None)
    feed = site.pages.text(
        "feed.xml.j2",
        language,
        topic=topic,
        headlines=headlines,
        updated=updated or datetime.fromtimestamp(0, ZoneInfo("UTC")),
    )
    tag = f'"{hashlib.sha256(feed.encode()).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}
    if is_known(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(feed, media_type="application/atom+xml", headers=headers)


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Tell whether a client has this version already (RFC 9110, 13.1.2: weak comparison).

    >>> is_known('"a"', 'W/"a", "b"'), is_known('"a"', '"b"'), is_known('"a"', None)
    (True, False, False)
    """
    known = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return tag in known or known == ["*"]


def _read(site: Site, slug: str, language: Language) -> tuple[TopicLine, list[Headline]]:
    with site.house.database.read() as conn:
        topic = topics.topic_by_slug(conn, slug) if _SLUG.fullmatch(slug) else None
        if topic is None:
            raise HTTPException(404)
        stories = topics.latest_stories(conn, topic.id, limit=_STORIES)
        told = tellings(conn, stories)
    by_story: dict[int, list[Telling]] = {}
    for telling in told:
        by_story.setdefault(telling.story_id, []).append(telling)
    zone = ZoneInfo(site.house.settings.timezone)
    return _line(topic, language), _headlines(stories, by_story, language, zone)


def _line(topic: TopicRow, language: Language) -> TopicLine:
    return topic_lines([topic], language)[0]


def _headlines(
    stories: Sequence[int], by_story: Mapping[int, list[Telling]], language: Language, zone: ZoneInfo
) -> list[Headline]:
    headlines = [_headline(by_story[story], language, zone) for story in stories if story in by_story]
    return sorted(headlines, key=lambda headline: headline.published_at, reverse=True)


def _headline(told: list[Telling], language: Language, zone: ZoneInfo) -> Headline:
    best = told[0]
    return Headline(
        id=best.story_id,
        title=best.title,
        summary=snippet(best),
        url=best.url,
        author=best.author,
        outlet=best.outlet,
        also_in=tuple(dict.fromkeys(other.outlet for other in told[1:] if other.outlet not in {"", best.outlet})),
        lang=best.lang,
        published_at=best.published_at,
        when=language.moment(best.published_at, zone),
    )
