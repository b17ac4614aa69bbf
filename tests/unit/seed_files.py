"""Reads seeds/ for the tests: renders the feed templates at a fixed now and parses them with plain parsers.

Decides nothing. test_seeds.py and test_seeds_topics.py call it.
"""

from __future__ import annotations

import json
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import feedparser
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedArticle:
    """A seeded article as written. `guid`, `url`, `author` and `tags` are empty where its format has none."""

    guid: str
    url: str
    title: str
    summary: str
    paragraphs: tuple[str, ...]
    author: str
    tags: tuple[str, ...]
    lang: str
    published_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedFeed:
    """A rendered feed. `version` is feedparser's word for its format, or `jsonfeed`."""

    version: str
    title: str
    self_url: str
    lang: str
    articles: tuple[SeedArticle, ...]


def render(name: str) -> str:
    """Return the text of the feed template `name` (relative to seeds/feeds) as at NOW."""
    environment = Environment(loader=FileSystemLoader(SEEDS / "feeds"), undefined=StrictUndefined, autoescape=False)
    environment.globals["rfc822"] = lambda *, hours: format_datetime(NOW - timedelta(hours=hours), usegmt=True)
    environment.globals["iso"] = lambda *, hours: (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return environment.get_template(name).render()


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there


def feed_names() -> list[str]:
    """Return the names of the feed templates that the demo loads, sorted."""
    return sorted(path.name for path in (SEEDS / "feeds").glob("*.j2"))


def parse_feed(name: str, text: str) -> SeedFeed:
    """Return what a rendered feed says; a feed that is not well formed fails the test."""
    return _json_feed(json.loads(text)) if name.endswith(".json.j2") else _xml_feed(text)


def load_yaml(name: str) -> Any:
    """Return what the YAML file seeds/`name` holds."""
    return yaml.load((SEEDS / name).read_text(encoding="utf-8"), Loader=_LOADER)


@cache
def feed_articles() -> tuple[SeedArticle, ...]:
    """Return the articles of all feeds that the demo loads."""
    return tuple(article for name in feed_names() for article in parse_feed(name, render(name)).articles)


@cache
def updated_articles() -> tuple[SeedArticle, ...]:
    """Return the articles of the later versions in seeds/feeds/updates."""
    names = sorted(f"updates/{path.name}" for path in (SEEDS / "feeds/updates").glob("*.j2"))
    return tuple(article for name in names for article in parse_feed(name, render(name)).articles)


@cache
def single_articles() -> tuple[SeedArticle, ...]:
    """Return the articles of seeds/articles, as published at NOW."""
    readers = {".txt": _text_file, ".html": _html_file, ".json": _json_file}
    return tuple(readers[path.suffix](path) for path in sorted((SEEDS / "articles").iterdir()))


def articles() -> tuple[SeedArticle, ...]:
    """Return every article that the demo loads."""
    return feed_articles() + single_articles()


@cache
def topics() -> dict[str, Any]:
    """Return the seeded topics by slug; a slug that stands twice fails the test."""
    found = [topic for path in sorted((SEEDS / "topics").glob("*.yaml")) for topic in load_yaml(f"topics/{path.name}")]
    by_slug = {topic["slug"]: topic for topic in found}
    assert len(by_slug) == len(found)
    return by_slug


@cache
def expected_matches() -> dict[str, list[str]]:
    """Return the editor's judgement: title of an article to sorted slugs."""
    matches: dict[str, list[str]] = load_yaml("expected-matches.yaml")
    return matches


def _xml_feed(text: str) -> SeedFeed:
    parsed = feedparser.parse(text.encode())
    assert not parsed.bozo, parsed.get("bozo_exception")
    feed = parsed.feed
    lang = feed.get("language", "")
    return SeedFeed(
        version=parsed.version,
        title=feed.title,
        self_url=next(link.href for link in feed.links if link.rel == "self"),
        lang=lang,
        articles=tuple(
            SeedArticle(
                guid=entry.id,
                url=entry.link,
                title=entry.title,
                summary=entry.summary,
                paragraphs=_paragraphs(entry.content[0].value),
                author=entry.author,
                tags=tuple(tag.term for tag in entry.tags),
                lang=lang,
                published_at=datetime.fromtimestamp(timegm(entry.published_parsed), tz=UTC),
            )
            for entry in parsed.entries
        ),
    )


def _json_feed(feed: dict[str, Any]) -> SeedFeed:
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    return SeedFeed(
        version="jsonfeed",
        title=feed["title"],
        self_url=feed["feed_url"],
        lang=feed["language"],
        articles=tuple(
            SeedArticle(
                guid=item["id"],
                url=item["url"],
                title=item["title"],
                summary=item["summary"],
                paragraphs=_paragraphs(item["content_html"]),
                author=item["authors"][0]["name"],
                tags=tuple(item["tags"]),
                lang=feed["language"],
                published_at=datetime.fromisoformat(item["date_published"]),
            )
            for item in feed["items"]
        ),
    )


def _text_file(path: Path) -> SeedArticle:
    title, *paragraphs = path.read_text(encoding="utf-8").strip().split("\n\n")
    assert "\n" not in title
    return _single(title=title, paragraphs=tuple(paragraphs), lang="en")


def _json_file(path: Path) -> SeedArticle:
    told = json.loads(path.read_text(encoding="utf-8"))
    paragraphs = tuple(told["body"].split("\n\n"))
    return _single(
        title=told["title"], summary=told["summary"], paragraphs=paragraphs, url=told["url"], lang=told["lang"]
    )


def _html_file(path: Path) -> SeedArticle:
    page = path.read_text(encoding="utf-8")
    linked = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert linked is not None
    told = json.loads(linked.group(1))
    heading, body = told["headline"], page.partition("<article>")[2].partition("</article>")[0]
    assert f"<h1>{heading}</h1>" in body
    return _single(
        title=heading,
        summary=told["description"],
        paragraphs=_paragraphs(body),
        url=told["mainEntityOfPage"],
        lang=told["inLanguage"],
    )


def _single(*, title: str, paragraphs: tuple[str, ...], lang: str, summary: str = "", url: str = "") -> SeedArticle:
    return SeedArticle(
        guid="",
        url=url,
        title=title,
        summary=summary,
        paragraphs=paragraphs,
        author="",
        tags=(),
        lang=lang,
        published_at=NOW,
    )


def _paragraphs(html: str) -> tuple[str, ...]:
    return tuple(unescape(re.sub(r"<[^>]+>", "", p)).strip() for p in re.findall(r"<p>(.*?)</p>", html, re.DOTALL))
