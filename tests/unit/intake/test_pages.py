"""Which pages are fetched, in which order, and what becomes of two tellings of one story."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.intake.pages import (
    MAX_TRIES,
    Item,
    Look,
    after_failure,
    completed,
    items_of,
    owed_hash,
    told_by_page,
    wanted,
)
from worker.model import ParsedArticle, Picture

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOLD = ParsedArticle(url="https://gull.example/1", title="Fog closes harbour", updated_at=AT)
PAGE = ParsedArticle(
    url="https://gull.example/one",
    title="Fog | The Gull",
    summary="No boat left.",
    body="No boat left before noon.",
    author="Ana Duarte",
    section="Port",
    source="The Gull",
    lang="en",
    tags=("Fog",),
    published_at=AT,
    image=Picture(url="https://gull.example/1.jpg"),
)


def item(number: int, **values: Any) -> Item:
    (one,) = items_of([replace(TOLD, url=f"https://gull.example/{number}", **values)], lang="")
    return one


def hashes(*items: Item) -> dict[str, str]:
    return {one.key: one.hash for one in items}


def test_new_items_come_first_then_changed_ones_and_those_told_as_before_not_at_all():
    told = [item(1), item(2, updated_at=AT + timedelta(minutes=1)), item(3), item(4)]
    assert wanted(told, hashes(item(1), item(2)), {}, now_s=0) == [told[2], told[3], told[1]]


@pytest.mark.parametrize(
    "change", [{"title": "Fog closes two harbours"}, {"summary": "Two wait."}, {"updated_at": None}]
)
def test_a_page_is_fetched_again_when_its_source_says_something_else(change):
    assert wanted([item(1, **change)], hashes(item(1)), {}, now_s=0)


def test_what_has_been_looked_at_is_looked_at_again_only_when_it_changes():
    looks = {item(1).key: Look(hash=item(1).hash, tries=1, again_s=None)}
    assert wanted([item(1)], {}, looks, now_s=1e9) == []
    changed = item(1, updated_at=AT + timedelta(hours=1))
    assert wanted([changed], {}, looks, now_s=0) == [changed]


def test_what_nobody_got_to_is_as_new_as_ever_and_what_failed_comes_last():
    looks = {
        item(1).key: Look(hash=item(1).hash, tries=1, again_s=5),
        item(2).key: Look(hash=item(2).hash, tries=0, again_s=5),
    }
    told = [item(1), item(2), item(3)]
    assert wanted(told, {}, looks, now_s=4) == [told[2]]
    assert wanted(told, {}, looks, now_s=5) == [told[1], told[2], told[0]]


def test_an_item_whose_page_is_owed_is_neither_as_before_nor_forgotten_by_a_restart():
    assert owed_hash(item(1)) != item(1).hash
    assert wanted([item(1)], {item(1).key: owed_hash(item(1))}, {}, now_s=0) == [item(1)]


def test_items_that_share_a_guid_and_not_their_address_are_items_of_their_own():
    told = [replace(TOLD, guid="1", url=f"https://gull.example/{name}") for name in ("a", "b", "a")]
    assert [one.key for one in items_of(told, lang="")] == ["url:gull.example/a", "url:gull.example/b"]
    assert [one.key for one in items_of(told[:1], lang="")] == ["guid:1"]


def test_a_page_that_fails_is_tried_again_ever_later_and_then_no_more():
    look, waits = None, []
    for _ in range(MAX_TRIES):
        look = after_failure(item(1), look, now_s=0, for_good=False)
        waits.append(look.again_s)
    assert waits == [3600, 7200, None]
    assert after_failure(item(1), None, now_s=0, for_good=True).again_s is None
    assert after_failure(item(1, title="Another version"), look, now_s=0, for_good=False).tries == 1


def test_an_item_without_an_address_has_no_page_and_one_item_is_asked_for_once():
    assert wanted(items_of([ParsedArticle(title="No link")], lang=""), {}, {}, now_s=0) == []
    assert len(items_of([TOLD, TOLD], lang="")) == 1


def test_what_a_source_says_stays_and_the_page_adds_the_rest():
    merged = completed(TOLD, PAGE)
    assert (merged.url, merged.title, merged.updated_at) == (TOLD.url, TOLD.title, TOLD.updated_at)
    for name in ("summary", "body", "author", "section", "source", "lang", "tags", "published_at", "image"):
        assert getattr(merged, name) == getattr(PAGE, name), name


def test_a_sources_whole_text_does_not_give_way_to_a_page_that_is_hardly_longer():
    own = replace(TOLD, body="No boat left before midday.", author="A. Duarte")
    assert completed(own, replace(PAGE, body=own.body + " Share this.")).body == own.body
    assert completed(own, PAGE).author == "A. Duarte"
    assert completed(replace(TOLD, body="No boat"), PAGE).body == PAGE.body


@pytest.mark.parametrize(
    ("page", "is_article", "counts"),
    [
        (PAGE, True, True),
        (PAGE, False, False),
        (replace(PAGE, published_at=None), True, False),
        (replace(PAGE, title=""), True, False),
    ],
)
def test_what_a_sitemap_gives_no_title_is_news_only_when_its_page_says_so(page, is_article, counts):
    untitled = ParsedArticle(url=TOLD.url, updated_at=AT)
    assert (told_by_page(untitled, page, is_article=is_article) is not None) is counts
    assert told_by_page(TOLD, page, is_article=is_article) is not None


def test_completing_twice_is_completing_once():
    once = completed(TOLD, PAGE)
    assert completed(TOLD, once) == once
    assert completed(once, PAGE) == once
