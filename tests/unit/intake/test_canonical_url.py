"""One address for one article, and never one address for two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.intake.canonical import canonical_url
from worker.intake.tracking import NAMES


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://news.example", "https://news.example/"),
        ("  HTTPS://News.Example/A  ", "https://news.example/A"),
        ("http://news.example:80/a", "http://news.example/a"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("https://news.example./a", "https://news.example/a"),
        ("https://user:secret@news.example/a", "https://news.example/a"),
        ("https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"),
        ("https://뉴스.example/a", "https://xn--vg1b002a.example/a"),
        # paths
        ("https://news.example/a/", "https://news.example/a"),
        ("https://news.example//a//b//", "https://news.example//a//b"),
        ("https://news.example/a/./b/../c", "https://news.example/a/c"),
        ("https://news.example/../a", "https://news.example/a"),
        ("https://news.example/%7Euser/%e2%82%ac", "https://news.example/~user/%E2%82%AC"),
        ("https://news.example/기사 1", "https://news.example/%EA%B8%B0%EC%82%AC%201"),
        ("https://news.example/100%", "https://news.example/100%25"),
        ("https://news.example/a;jsessionid=1A2B", "https://news.example/a"),
        # queries
        ("https://news.example/a?", "https://news.example/a"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?b=2&a=1"),
        ("https://news.example/a?id=7&utm_source=x&UTM_Medium=y&fbclid=z", "https://news.example/a?id=7"),
        ("https://news.example/a?source=rss&ref=feed&from=page2", "https://news.example/a?from=page2"),
        ("https://news.example/a?q=a+b&r=%ea%b0%80", "https://news.example/a?q=a+b&r=%EA%B0%80"),
        ("https://news.example/a?amp", "https://news.example/a"),
        ("https://news.example/a?amp=1&outputType=amp&x=amp", "https://news.example/a?x=amp"),
        # fragments
        ("https://news.example/a#comments", "https://news.example/a"),
        ("https://news.example/#!/story/7", "https://news.example/#!/story/7"),
        # AMP and mobile
        ("https://news.example/story/amp/", "https://news.example/story"),
        ("https://news.example/world-1.amp", "https://news.example/world-1"),
        ("https://news.example/amp", "https://news.example/amp"),
        ("https://amp.theguardian.com/world/1", "https://www.theguardian.com/world/1"),
        ("https://m.yna.co.kr/view/AKR1", "https://www.yna.co.kr/view/AKR1"),
        ("https://m.news.example/1", "https://m.news.example/1"),
        ("https://www.google.com/amp/s/news.example/story", "https://news.example/story"),
        ("https://news-example.cdn.ampproject.org/c/s/news.example/a?x=1", "https://news.example/a?x=1"),
        ("https://news-example.cdn.ampproject.org/v/news.example/a", "http://news.example/a"),
    ],
)
def test_spellings_of_an_address_become_one(url, canonical):
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://news.example/a?id=1", "https://news.example/a?id=2"),
        ("https://news.example/a?page=1", "https://news.example/a"),
        ("https://news.example/A", "https://news.example/a"),
        ("https://news.example/a%2Fb", "https://news.example/a/b"),
        ("https://news.example/a?x=1%262", "https://news.example/a?x=1&2"),
        ("https://m.news.example/a", "https://news.example/a"),
        ("https://news.example:8080/a", "https://news.example/a"),
    ],
)
def test_addresses_that_may_be_different_articles_stay_different(one, other):
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    "url",
    ["", "news.example/a", "ftp://news.example/", "mailto:x@news.example", "javascript:x", "//x", "http://", "http://[",
     "http://a b/", "http://[v2.@]/", "http://news.example:port/", "http://news.example:99999/",
     f"http://{'가' * 80}.example/"],
)  # fmt: skip
def test_what_is_no_web_address_has_no_canonical_form(url):
    assert canonical_url(url) == ""


_HOSTS = st.sampled_from(["news.example", "X.example:80", "뉴스.kr", "[::1]"])
_PATHS = st.text(alphabet="ab/.%~가 ;?&=#!+-_:@2F", max_size=30)


@given(st.sampled_from(["http", "https", "HTTP"]), _HOSTS, _PATHS)
def test_canonical_addresses_stay_as_they_are(scheme, host, path):
    once = canonical_url(f"{scheme}://{host}/{path}")
    assert canonical_url(once) == once


@given(_PATHS, st.sampled_from(sorted(NAMES)), st.text(alphabet="ab1-", max_size=5))
def test_tracking_never_makes_a_difference(path, name, value):
    address = "https://news.example/" + path.replace("?", "").replace("#", "").rstrip()
    assert canonical_url(f"{address}?{name}={value}") == canonical_url(address)


@given(st.text(max_size=60))
def test_any_text_has_a_canonical_form_or_none(text):
    assert canonical_url(text) == "" or canonical_url(text).startswith(("http://", "https://"))
