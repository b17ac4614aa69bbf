"""A stored article as queries see it. Decides nothing; everything in this room that reads articles calls it."""

from __future__ import annotations

from worker.matching.analyser import ArticleText
from worker.store.articles import StoredArticle


def text_of(article: StoredArticle) -> ArticleText:
    """Return what queries can look at of a stored article."""
    return ArticleText(
        title=article.title,
        summary=article.summary,
        body=article.body,
        author=article.author,
        section=article.section,
        source=article.outlet,
        lang=article.lang,
        url=article.url,
        tags=tuple(article.tags),
    )
