"""A mail that has nothing wrong, and what becomes of it when something is changed."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from worker.model import EditionKind
from worker.preflight.findings import Finding
from worker.preflight.inspect import Answers, inspect
from worker.preflight.links import Answer
from worker.preflight.mail import Mail
from worker.rendering import samples
from worker.rendering.compile import Renderer

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
HTML = """<html lang="en"><head><title>A long night</title></head><body>
<div>The embassy’s lights were on all night, and so were ours.</div><h1>A long night</h1>
<p>Words, more words.</p><a href="https://courier.org/a">Read on</a>
<a href="https://news.courier.org/unsubscribe/preview">Unsubscribe</a> 1 Quay Street</body></html>"""
TEXT = "Words, more words. 1 Quay Street\nhttps://courier.org/a\nhttps://news.courier.org/unsubscribe/preview\n"
HEAD = """From: The Courier <top@courier.org>
To: nobody@courier.org
Subject: A long night
List-Id: Top <top.courier.org>
List-Unsubscribe: <https://news.courier.org/unsubscribe/preview>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Content-Type: text/plain

Words.
"""


def mail(html: str = HTML, *, head: str = HEAD, **values: Any) -> Mail:
    given: dict[str, Any] = {
        "kind": EditionKind.NEWSLETTER,
        "subject": "A long night",
        "html": html,
        "text": TEXT,
        "message": head.replace("\n", "\r\n").encode(),
        "base_url": "https://news.courier.org",
        "postal_address": "1 Quay Street",
        "at": NOW,
    }
    return Mail(**given | values)


def body(markup: str) -> Mail:
    """Return the mail with something more in its body."""
    return mail(HTML.replace("<p>", f"{markup}<p>"))


def found(one: Mail, check: str, answers: dict[str, Answer] | None = None) -> list[tuple[str, str]]:
    """Return what a check says of a mail, but for what is well or was not asked."""
    return [(str(each.mark), each.found) for each in findings(one, check, answers)]


def findings(one: Mail, check: str, answers: dict[str, Answer] | None = None) -> list[Finding]:
    told = inspect(one, Answers(links=answers))
    return [each for each in told if each.check == check and each.mark in {"problem", "warning"}]


@functools.cache
def sample(kind: str, locale: str) -> Mail:
    """Return one of the mails that `tocsin render` shows."""
    newsroom = samples.newsroom(locale)
    content = samples.content(kind, locale)
    compiled = Renderer(newsroom=newsroom).compile(content)
    personal = samples.personal(kind, locale)
    return Mail(
        kind=compiled.kind,
        subject=compiled.subject(personal),
        html=compiled.mailed_html(personal),
        text=compiled.text(personal),
        message=compiled.fill(personal),
        base_url=newsroom.base_url,
        postal_address=newsroom.postal_address,
        at=NOW,
        content=content,
    )
