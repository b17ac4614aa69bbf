"""Which sightings are of one item."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.intake.identity import item_key, told_hash
from worker.model import ParsedArticle, Picture, Severity


def test_a_guid_decides_and_counts_as_it_stands():
    assert item_key(ParsedArticle(guid=" ABC ", url="https://x.example/1")) == "guid:ABC"
    assert item_key(ParsedArticle(guid="https://x.example/?p=1#0")) == "guid:https://x.example/?p=1#0"


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/a",
        "https://x.example/a/",
        "https://X.example:443/a?utm_source=rss#top",
        "https://x.example/a?amp=1",
    ],
)
def test_without_a_guid_the_address_decides_under_either_scheme(url):
    assert item_key(ParsedArticle(url=url, title="whatever")) == "url:x.example/a"


def test_without_either_source_and_title_decide():
    one = ParsedArticle(title="Fog holds  the ferries", source="Gull", body="a")
    assert item_key(one) == item_key(ParsedArticle(title="FOG holds the ferries", source="Gull", body="b"))
    assert item_key(one) != item_key(ParsedArticle(title="Fog holds the ferries", source="Tern"))
    assert item_key(ParsedArticle(body="a")) != item_key(ParsedArticle(body="b"))


def test_an_address_that_is_none_does_not_decide():
    assert item_key(ParsedArticle(url="javascript:x", title="Fog")).startswith("text:")


@given(st.text(max_size=600), st.text(max_size=600))
def test_keys_are_short_enough_for_an_index_and_tell_guids_apart(one, other):
    keys = {item_key(ParsedArticle(guid=guid)) for guid in (one, other)}
    assert all(len(key) <= 250 for key in keys)
    assert len(keys) == (1 if one.strip() == other.strip() else 2)


def test_what_was_told_has_the_hash_that_is_stored_of_it():
    told = ParsedArticle(
        guid="1", title="Fog", tags=("a", "b"), published_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        severity=Severity.BREAKING, image=Picture(url="https://a.example/a.jpg", alt="Fog", width=3, height=4),
    )  # fmt: skip
    assert told_hash(told) == "4ed5d5fc6fb9ad25de71d898797bd508"
