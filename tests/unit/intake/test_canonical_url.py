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
        # redirectors that tell where they lead
        (
            "https://www.google.com/url?rct=j&url=https%3A%2F%2Fnews.example%2Fa%3Fid%3D1%26utm_id%3D2&ct=ga",
            "https://news.example/a?id=1",
        ),
        ("https://www.google.com/./url?q=https%3A%2F%2Fnews.example%2Fa", "https://news.example/a"),
        (
            "https://google.com/url?q=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fnews.example%252Fa",
            "https://news.example/a",
        ),
        (
            "https://www.google.com/url?q=https%3A%2F%2Fwww.google.com%2Famp%2Fs%2Fnews.example%2Fa",
            "https://news.example/a",
        ),
        (
            "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fnews.example%2fa&c=1",
            "https://news.example/a",
        ),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fnews.example%2Fa%3Ffbclid%3Dx&h=AT0", "https://news.example/a"),
        ("https://www.google.com/url?q=javascript%3Aalert(1)", "https://www.google.com/url?q=javascript%3Aalert(1)"),
        ("https://www.google.com/url?q=/search", "https://www.google.com/url?q=/search"),
        (
            "https://news.google.com/rss/articles/CBMiK2h0dHBz?oc=5",
            "https://news.google.com/rss/articles/CBMiK2h0dHBz?oc=5",
        ),
        ("https://feedproxy.google.com/~r/gull/~3/x1/", "https://feedproxy.google.com/~r/gull/~3/x1"),
        (
            "https://news.example/url?q=https%3A%2F%2Ftern.example%2Fa",
            "https://news.example/url?q=https%3A%2F%2Ftern.example%2Fa",
        ),
    ],
)
def test_spellings_of_an_address_become_one(url, canonical):
    assert canonical_url(url) == canonical == canonical_url(canonical)


def test_redirectors_in_redirectors_are_followed_to_the_end():
    inner = "https://news.example/a"
    for _ in range(2_000):
        inner = f"https://google.com/url?q={inner}"
    assert canonical_url(inner) == "https://news.example/a"


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


LABELLED = [  # addresses of different articles, as publishers write them: none may become another's
    "https://www.yna.co.kr/view/AKR20261123000100001", "https://www.yna.co.kr/view/AKR20261123000200001",
    "https://news.example/?p=101", "https://news.example/?p=102", "https://news.example/?page_id=101",
    "https://news.example/article.asp?newsIdx=7", "https://news.example/article.asp?newsIdx=8",
    "https://news.example/a?sc=1", "https://news.example/a?sc=2", "https://news.example/a?id=1&ref=top",
    "https://news.example/a?id=1&ref=world", "https://news.example/2026/11/23/quake", "https://news.example/2026/11/24/quake",
    "https://news.example/quake-1", "https://news.example/quake-2", "https://news.example/quake/2",
    "https://news.example/#!/7", "https://news.example/#!/8", "https://news.example/live?post=3",
    "https://news.example/live?post=4", "https://m.gull.example/7", "https://gull.example/7", "https://gull.example:81/7",
    "https://gull.example/amp", "https://gull.example/ampere", "https://gull.example/a%2Fb", "https://gull.example/a/b",
    "https://gull.example/Story", "https://gull.example/story", "https://gull.example/story?v=ko",
    "https://gull.example/story?lang=ko", "https://gull.example/story?from=2026", "https://gull.example/story?source=ap",
    "https://www.youtube.com/watch?v=a1", "https://www.youtube.com/watch?v=a2", "https://t.co/a1", "https://t.co/a2",
    "https://apple.news/A1", "https://apple.news/A2", "https://news.google.com/rss/articles/A",
    "https://news.google.com/rss/articles/B", "https://www.google.com/url?q=https%3A%2F%2Fx.example%2F1",
    "https://www.google.com/url?q=https%3A%2F%2Fx.example%2F2",
]  # fmt: skip
DRESSES = [
    "{}", "{}#top", " {} ", "{}&utm_source=rss&utm_medium=feed", "{}&fbclid=Iw0", "{}&at_medium=RSS&at_campaign=rss",
    "{}&ocid=x&cmpid=y", "{}&s_kwcid=z&itm_source=w",
]  # fmt: skip


def dressed(url: str, dress: str) -> str:
    bare, mark, _ = url.partition("#")
    if mark:
        return url
    return dress.format(bare) if "?" in bare else dress.replace("{}&", "{}?").format(bare)


@given(st.sampled_from(LABELLED), st.sampled_from(LABELLED), st.sampled_from(DRESSES), st.sampled_from(DRESSES))
def test_of_labelled_addresses_each_stays_itself_however_it_is_dressed(one, other, dress, another):
    assert (canonical_url(dressed(one, dress)) == canonical_url(dressed(other, another))) is (one == other)


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
