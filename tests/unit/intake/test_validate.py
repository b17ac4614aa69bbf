"""What an article needs before it may come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from worker.errors import InputError
from worker.intake.validate import validate
from worker.model import ParsedArticle

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_sound_article_passes_as_it_is():
    article = ParsedArticle(title="Fog", body="No boat left.", url="https://gull.example/1", published_at=NOW)
    assert validate(article, now=NOW).article == article
    assert validate(article, now=NOW).notes == ()


@pytest.mark.parametrize(
    ("article", "line"),
    [
        (ParsedArticle(), "fog.txt, title: an article needs a title or a body"),
        (ParsedArticle(title=" \n", url="https://x.example/"), "fog.txt, title: an article needs a title or a body"),
        (ParsedArticle(title="x" * 1_001), "fog.txt, title: 1001 characters; the limit is 1000"),
        (
            ParsedArticle(title="x", body="a" * 5_000_000),
            "fog.txt, body: 5.0 MB of text is more than the limit of 2 MB an article (hand it in as several articles)",
        ),
        (ParsedArticle(title="x", body="ab\0"), "fog.txt, body: a NUL character at offset 2"),
        (ParsedArticle(title="x", tags=("a\0",)), "fog.txt, tags: a NUL character at offset 1"),
        (
            ParsedArticle(title="a\ud800"),
            "fog.txt, title: half of a UTF-16 pair at offset 1, which is no character",
        ),
        (
            ParsedArticle(title="x", published_at=datetime(2026, 11, 23)),  # noqa: DTZ001  the fault under test
            "fog.txt, published_at: a time without a zone (write it like 2026-11-23T09:30:00+09:00)",
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_line(article, line):
    with pytest.raises(InputError) as caught:
        validate(article, now=NOW, where="fog.txt")
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "url", ["gull.example/1", "ftp://gull.example/", "https://", "http://[", "https://gull.example/a b", "javascript:x",
            "https://gull.example:port/", "https://gull.example/" + "a" * 2_000],
)  # fmt: skip
def test_an_address_must_be_on_the_web(url):
    with pytest.raises(InputError, match=r"^url: .* is no web address \(write it like https://news\.example/story\)$"):
        validate(ParsedArticle(title="x", url=url), now=NOW)


def test_korean_text_is_measured_in_bytes():
    with pytest.raises(InputError, match=r"2\.1 MB of text"):
        validate(ParsedArticle(title="x", body="가" * 700_000), now=NOW)


def test_a_date_in_the_future_becomes_now_and_says_so():
    article = ParsedArticle(title="x", published_at=NOW + timedelta(hours=9), updated_at=NOW + timedelta(minutes=9))
    valid = validate(article, now=NOW)
    assert valid.article.published_at == NOW
    assert valid.article.updated_at == NOW + timedelta(minutes=9)
    assert valid.notes == ("published_at lay in the future: taken for now",)


def test_times_come_out_in_utc():
    seoul = datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=9)))
    moment = validate(ParsedArticle(title="x", published_at=seoul), now=NOW).article.published_at
    assert moment is not None
    assert moment.isoformat() == "2026-11-23T00:00:00+00:00"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("It shook. Twice.", "It shook."),
        ("지진이 났다. 두 번.", "지진이 났다."),
        ("One line\nand another", "One line"),
        ("word " * 60, ("word " * 24).strip()),
        ("x" * 300, "x" * 120),
        ("地震が起きた。二度。", "地震が起きた。二度。"),
    ],
)
def test_a_missing_title_is_the_first_sentence(body, title):
    valid = validate(ParsedArticle(body=body), now=NOW)
    assert valid.article.title == title
    assert valid.notes == ("without a title: its first sentence stands in",)
