"""The text of articles' pages: all of it, and nothing that stands around it."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from typing import Any

import pytest

from tests.contract.sources.page_shapes import Shape, shapes
from worker.adapters.sources import page_text as module
from worker.adapters.sources.html_page import ReadPage, read_page
from worker.adapters.sources.page_text import page_text

SHAPES = {shape.name: shape for shape in shapes()}
URL = "https://gull.example/1"
SENTENCE = "Forty boats wait outside of the mole, and nobody leaves before the light at the end of the pier is seen. "

# What a reader of the page could not tell apart either, or what trafilatura leaves in.
_FLOORS = {"paywall": 0.75, "Korean, line breaks": 0.85, "Korean, tools inside": 0.93}


def read(markup: str) -> ReadPage:
    return read_page(markup.encode(), url=URL, content_type="text/html; charset=utf-8")


def f1(shape: Shape) -> float:
    """Weigh the words that are found and those that should be."""
    found, wanted = (Counter(re.findall(r"\w+", text)) for text in (read(shape.page).article.body, shape.text))
    shared = sum((found & wanted).values())
    return 2 * shared / (sum(found.values()) + sum(wanted.values()))


@pytest.mark.parametrize("name", SHAPES)
def test_a_pages_text_is_found_and_what_stands_around_it_is_not(name):
    assert f1(SHAPES[name]) >= _FLOORS.get(name, 0.95)


def test_pages_of_all_shapes_are_read_as_well_as_the_decision_says():
    assert statistics.mean(map(f1, SHAPES.values())) >= 0.98


def test_paragraphs_lists_and_line_breaks_stay():
    first = f"<p>{SENTENCE}The <b>lamp</b> burns <a href='/'>again</a>.</p>"
    found = page_text(f"<html><article>{first}<p>Two<br>lines.</p><ul><li>{SENTENCE}</ul></article>", "")
    assert found == f"{SENTENCE}The lamp burns again.\n\nTwo\nlines.\n\n{SENTENCE.strip()}"


def test_a_page_of_very_many_elements_is_not_given_to_trafilatura(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "_SHORT_CHARS", 0)
    monkeypatch.setattr("trafilatura.extract", lambda page, **_: asked.append(page))
    page_text("<main>" + "<p>a" * 20_001, "")
    page_text("<main><p>" + "word " * 100_001, "")
    assert asked == []
    page_text("<main><p>word", "")
    assert len(asked) == 1


def ld(thing: Any) -> str:
    return (
        f"<html><title>t</title><script type='application/ld+json'>{json.dumps(thing)}</script><p>{SENTENCE}</p></html>"
    )


ARTICLE = {
    "@type": "NewsArticle",
    "headline": "Fog",
    "datePublished": "2026-11-23T00:00:00Z",
    "author": {"name": "Ana"},
}


@pytest.mark.parametrize(
    "thing",
    [
        ARTICLE,
        [{"@type": "BreadcrumbList"}, ARTICLE],
        {"@graph": [{"@type": "WebSite", "name": "The Gull"}, {"@type": "Organization"}, ARTICLE]},
        {"@type": "WebPage", "name": "Not this", "mainEntity": ARTICLE},
        {"@type": "WebPage", "mainEntityOfPage": [ARTICLE]},
        {**ARTICLE, "@type": ["Article", "NewsArticle"], "author": [{"@type": "Person", "name": "Ana"}]},
        {**ARTICLE, "isPartOf": {"@type": "NewsArticle", "headline": "The series"}, "author": ["Ana"]},
        {**ARTICLE, "@type": "ReportageNewsArticle", "mainEntityOfPage": "https://gull.example/1"},
        {**ARTICLE, "@type": "LiveBlogPosting", "liveBlogUpdate": [{"headline": "10:00", "articleBody": "x"}]},
    ],
)
def test_json_ld_is_found_in_all_its_forms(thing):
    page = read(ld(thing))
    article = page.article
    assert (article.title, article.author, page.is_article) == ("Fog", "Ana", True)
    assert article.published_at is not None


@pytest.mark.parametrize(
    ("head", "is_article"),
    [
        ("<meta property='og:type' content='article'>", True),
        ("<meta property='article:published_time' content='2026-11-23T00:00:00Z'>", True),
        ("<meta property='og:type' content='website'>", False),
        ("", False),
    ],
)
def test_a_page_says_whether_it_is_an_article(head, is_article):
    assert (
        read(f"<html><head>{head}<title>t</title></head><p>{SENTENCE}<time datetime='2026-11-23'>").is_article
        is is_article
    )


def test_open_graph_tells_the_language_where_the_page_does_not():
    head = "<meta property='og:locale' content='ko_KR'>"
    assert read(f"<html><head>{head}</head><p>{SENTENCE}").article.lang == "ko-KR"
    assert read(f"<html lang='en'><head>{head}</head><p>{SENTENCE}").article.lang == "en"
