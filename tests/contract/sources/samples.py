"""The sample documents in data/, each with what reading it must give: one line an article, defaults left out."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from worker.adapters.sources.files import SOURCES
from worker.model import ParsedArticle, Picture
from worker.ports import ArticleSource

DATA = Path(__file__).parent / "data"
URL = "https://base.example/feeds/main.xml"
_EXPECTED = ".expected.jsonl"

SAMPLES: dict[str, str] = {
    "rss20.xml": "feed",
    "rss091.xml": "feed",
    "rss10.rdf": "feed",
    "atom10.xml": "feed",
    "atom03.xml": "feed",
    "json_feed_11.json": "json-feed",
    "json_feed_10.json": "json-feed",
    "news_sitemap.xml": "sitemap",
    "sitemap.xml": "sitemap",
    "newsml_g2.xml": "newsml-g2",
    "newsitem.xml": "newsml-g2",
    "ninjs_13.json": "ninjs",
    "ninjs_20.json": "ninjs",
    "article.json": "json",
    "articles.jsonl": "json",
    "page.html": "html",
    "page_plain.html": "html",
    "article.txt": "text",
    "headline_in_brackets.txt": "text",
}
"""Each sample's file and the one source that must recognise it."""


def source(name: str) -> ArticleSource:
    return next(source for source in SOURCES if source.name == name)


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def expected(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / (name + _EXPECTED)).read_text(encoding="utf-8").splitlines()]


def told(article: ParsedArticle) -> dict[str, Any]:
    """What an article says beyond the defaults, as JSON would say it."""
    values = {field.name: getattr(article, field.name) for field in fields(article)}
    changed = {name: value for name, value in values.items() if value != getattr(ParsedArticle(), name)}
    return {name: _plain(value) for name, value in changed.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Picture):
        return {name: part for name, part in asdict(value).items() if part}
    return list(value) if isinstance(value, tuple) else value


def all_files() -> set[str]:
    return {file.name for file in DATA.iterdir() if not file.name.endswith(_EXPECTED)}
