"""The seeded topics say what an editor means: queries parse, hold their examples, and match what was judged by hand.

seeds/expected-matches.yaml is the truth. A failure here is mended in a query or an article, never in that list.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.unit.seed_files import SeedArticle, articles, expected_matches, topics, updated_articles
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.query import Node, canonical, parse
from worker.matching.references import resolve_all

JUDGED = {article.title: article for article in [*articles(), *updated_articles()]}


@cache
def nodes() -> dict[str, Node]:
    return resolve_all({slug: parse(topic["query"]) for slug, topic in topics().items()})


@cache
def engine() -> Engine:
    return Engine.build(dict(enumerate(nodes().values())))


def matched(text: ArticleText) -> list[str]:
    slugs = list(nodes())
    return sorted(slugs[number] for number in engine().matching(analyse(text)))


def as_published(article: SeedArticle) -> ArticleText:
    return ArticleText(
        title=article.title,
        summary=article.summary,
        body="\n\n".join(article.paragraphs),
        author=article.author,
        tags=article.tags,
        lang=article.lang,
        url=article.url,
    )


def test_a_query_parses_and_its_canonical_form_means_the_same():
    for topic in topics().values():
        node = parse(topic["query"])
        assert canonical(parse(canonical(node))) == canonical(node)


def examples(kind: str) -> list[tuple[str, str]]:
    return [(slug, text) for slug, topic in topics().items() for text in topic[kind]]


def test_an_example_matches_wherever_it_stands():
    assert len(examples("must_match")) > 800
    for slug, text in examples("must_match"):
        assert slug in matched(ArticleText(title=text)), text
        assert slug in matched(ArticleText(body=text)), text


def test_a_counter_example_matches_nowhere():
    assert len(examples("must_not_match")) > 300
    for slug, text in examples("must_not_match"):
        assert slug not in matched(ArticleText(title=text)), text
        assert slug not in matched(ArticleText(body=text)), text


@pytest.mark.parametrize("title", JUDGED)
def test_an_article_concerns_exactly_the_topics_that_the_editor_gave_it(title):
    assert matched(as_published(JUDGED[title])) == expected_matches()[title]
