"""Where an article stands, apart from how it is fetched: its canonical address without the scheme.

Pure. `decide`, `likeness` and `sighting` compare articles by it.
"""

from __future__ import annotations

from worker.intake.canonical import canonical_url


def place(url: str) -> str:
    """Return an article's canonical address without its scheme, "" for none: http and https lead to one page.

    >>> place("http://news.example/7/?utm_source=rss")
    'news.example/7'
    """
    return canonical_url(url).partition("://")[2]


def path(url: str) -> str:
    """Return what a move to another host leaves of an address, "" for a host's front page.

    >>> path("https://news.example/7"), path("https://news.example")
    ('/7', '')
    """
    return place(url).partition("/")[2] and "/" + place(url).partition("/")[2]
