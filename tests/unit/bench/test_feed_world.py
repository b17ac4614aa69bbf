"""The made-up feeds of the benchmarks are what they say that they are."""

from __future__ import annotations

import pytest

from tests.bench.feed_world import feed, feeds
from worker.adapters.sources.files import read_feed


def test_every_title_of_a_made_up_feed_is_read_as_it_was_meant():
    for made in feeds(20, mean_bytes=6_000):
        told = read_feed(made.data, url=f"https://feeds.example{made.path}", content_type=made.content_type)
        assert tuple(article.title for article in told.articles) == made.titles, made.kind
        assert all(article.body or article.summary for article in told.articles)
        assert all(article.published_at for article in told.articles)


@pytest.mark.parametrize("number", [0, 3])
def test_a_made_up_feed_is_the_same_each_time_and_gains_items_on_top(number):
    before, after = feed(number, mean_bytes=6_000), feed(number, mean_bytes=6_000, newer=2)
    assert feed(number, mean_bytes=6_000) == before
    assert after.titles[2:] == before.titles
