"""What a person hands in: text, pages and JSON, right or wrong in one clear line."""

from __future__ import annotations

import json

import pytest

from worker.adapters.sources.files import read_document
from worker.errors import FeedError, InputError
from worker.model import ParsedArticle


def read(data: bytes, **where: str) -> ParsedArticle:
    (article,) = read_document(data, **{"url": "", "content_type": "", **where})
    return article


def refusal(data: bytes, name: str = "story.json") -> str:
    with pytest.raises(InputError) as caught:
        read_document(data, url="", content_type="", file_name=name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("Title\n\nBody.\n", "Title", "Body."),
        ("\n\nTitle\r\n\r\nOne.\r\n\r\nTwo.", "Title", "One.\n\nTwo."),
        ("Title\nBody at once.", "Title", "Body at once."),
        ("Title", "Title", ""),
        ("x" * 301 + "\n\nBody.", "", "x" * 301 + "\n\nBody."),
        ("a < b, c > d & e\n\n5 &amp; 6", "a < b, c > d & e", "5 &amp; 6"),
    ],
)
def test_a_text_is_its_first_line_and_the_rest(text, title, body):
    article = read(text.encode())
    assert (article.title, article.body) == (title, body)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "euc-kr"])
def test_a_text_is_read_in_the_encodings_that_editors_save(codec):
    article = read("부산항, 새벽 안개에 멈춰\n\n배가 서지 못했다.".encode(codec), file_name="fog.txt")
    assert article.title == "부산항, 새벽 안개에 멈춰"


def test_a_western_text_in_an_old_encoding_is_not_taken_for_korean():
    assert read("Café à Genève\n\nÇa rouvre déjà.".encode("cp1252")).title == "Café à Genève"


def test_the_address_given_is_the_articles():
    assert read(b"Title\n\nBody.", url="https://gull.example/1").url == "https://gull.example/1"
    assert read(b'{"title": "x"}', url="https://gull.example/1").url == "https://gull.example/1"
    assert read(b'{"title": "x", "url": "https://gull.example/2"}', url="https://gull.example/1").url.endswith("/2")


def test_one_address_is_not_given_to_many_articles():
    articles = read_document(b'[{"title": "x"}, {"title": "y"}]', url="https://gull.example/1", content_type="")
    assert [article.url for article in articles] == ["", ""]


@pytest.mark.parametrize("name", ["story.txt", "story.json", "wire.json"])
def test_a_nul_byte_is_refused_with_file_and_offset(name):
    data = {"story.txt": b"Title\n\nBo\0dy", "story.json": b'{"title\0": "x"}', "wire.json": b'{"headline": "x"\0}'}[
        name
    ]
    assert refusal(data, name).startswith(f"{name}, byte {data.index(0)}: a NUL byte")


def test_a_binary_file_is_called_so():
    assert refusal(bytes(range(256)), "story.doc") == (
        "story.doc: no article: this is binary data (hand in plain text, HTML, JSON, RSS or Atom)"
    )


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"titel": "x"}, "story.json, titel: no such field (did you mean `title`?)"),
        ({"title": 5}, "story.json, title: must be a string"),
        ({"title": "a\0b"}, "story.json, title: contains a NUL character"),
        ({"title": "a\ud800b"}, "story.json, title: contains half of a UTF-16 pair, which is no character"),
        (
            {"title": "x", "tags": "Asia"},
            'story.json, tags: must be a list of strings (write it like ["Asia", "Trade"])',
        ),
        (
            {"title": "x", "published_at": "2026-11-23"},
            'story.json, published_at: "2026-11-23" does not say its zone (write it like 2026-11-23T09:30:00+09:00)',
        ),
        (
            {"title": "x", "published_at": "yesterday"},
            'story.json, published_at: "yesterday" is no time (write it like 2026-11-23T09:30:00+09:00)',
        ),
        ({"title": "x", "lang": "Korean"}, 'story.json, lang: "Korean" is no language tag (write it like en or ko-KR)'),
        (
            {"title": "x", "severity": "loud"},
            'story.json, severity: "loud" is no severity (write one of normal, important, breaking)',
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(item, line):
    assert refusal(json.dumps(item).encode()) == line


def test_a_wrong_item_of_a_list_is_refused_by_number():
    assert refusal(b'[{"title": "x"}, {"title": 7}]') == "story.json, item 2, title: must be a string"
    assert refusal(b'{"title": "x"}\n{"title": 7}\n') == "story.json, line 2, title: must be a string"
    assert refusal(b'{"title": "x"}\n{"title": \n').startswith("story.json, line 2: not JSON:")
    assert refusal(b'[{"title": "x"}, 7]').startswith("story.json, item 2: an article must be a JSON object")


@pytest.mark.parametrize("data", [b'{"title": ', b'{"a": ' + b"[" * 100_000, b'{"n": ' + b"1" * 5_000 + b"}"])
def test_broken_json_is_one_line(data):
    with pytest.raises(FeedError, match=r"^story\.json[:,].*not JSON"):
        read_document(data, url="", content_type="", file_name="story.json")


def test_an_article_in_json_may_carry_markup():
    assert read(b'{"title": "x", "body": "<p>One &amp; two</p><p>Three</p>"}').body == "One & two\n\nThree"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pubstatus": "canceled"}, 'pubstatus is "canceled": not for publication'),
        ({"embargoed": "2026-11-24T00:00:00Z"}, "embargoed until 2026-11-24T00:00:00+00:00"),
    ],
)
def test_what_a_wire_service_withholds_is_refused(change, words):
    item = {"uri": "urn:1", "headline": "x", "versioncreated": "2026-11-23T00:00:00Z", **change}
    assert words in refusal(json.dumps(item).encode(), "wire.json")


def test_an_embargo_that_was_over_when_the_version_was_made_does_not_matter():
    item = {"headline": "x", "versioncreated": "2026-11-23T00:00:00Z", "embargoed": "2026-11-22T00:00:00Z"}
    assert read(json.dumps(item).encode()).title == "x"


def test_a_page_is_read_from_what_it_shows_where_it_says_nothing():
    page = b"<html><body><nav>Russia</nav><main><h1>Fog</h1><p>No boat left.</p></main><footer>Oman</footer></body>"
    article = read(page)
    assert (article.title, article.body) == ("Fog", "No boat left.")


def test_of_several_articles_on_a_page_the_longest_is_the_one():
    page = b"<html><article>Teaser</article><article><p>The story itself.</p><article>A comment</article></article>"
    assert read(page).body == "The story itself.\n\nA comment"


def test_a_page_that_hides_its_text_is_read_from_its_json_ld():
    told = json.dumps({"@type": "NewsArticle", "headline": "Fog", "articleBody": "No boat left before noon at all."})
    page = f'<html><script type="application/ld+json">{told}</script><body><p>Subscribe</p></body></html>'
    assert read(page.encode()).body == "No boat left before noon at all."


@pytest.mark.parametrize("script", ["{", "[1, 2]", '{"@type": 5}', '{"@type": "NewsArticle", "author": [[]]}', ""])
def test_json_ld_that_is_wrong_is_passed_over(script):
    page = f'<html><title>Fog</title><script type="application/ld+json">{script}</script><p>No boat left.</p>'
    assert (read(page.encode()).title, read(page.encode()).body) == ("Fog", "No boat left.")


def test_a_page_with_nothing_on_it_is_refused():
    assert "the page has neither a title nor any text" in refusal(b"<html><body></body></html>", "page.html")


def test_a_feed_may_be_handed_in_too():
    articles = read_document(
        b"<rss version='2.0'><channel><item><title>One</title></item><item><title>Two</title></item></channel></rss>",
        url="",
        content_type="",
        file_name="feed.xml",
    )
    assert [article.title for article in articles] == ["One", "Two"]
