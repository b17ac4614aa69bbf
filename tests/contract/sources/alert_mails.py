"""Mails as Google Alerts writes them, in several languages, and as others would forge them. Asserts nothing."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import quote

FROM = "Google Alerts <googlealerts-noreply@google.com>"


@dataclass(frozen=True, kw_only=True)
class Told:
    url: str
    title: str
    source: str = "The Gull"
    summary: str = "Nobody was hurt."


QUAKE = Told(url="https://gull.example/quake?id=7&x=ä", title="Quake shakes <b>Port Meridian</b>")
FERRY = Told(url="https://www.ferry.example/a", title="Ferry &amp; quay", source="", summary="")


def redirect(url: str) -> str:
    return f"https://www.google.com/url?rct=j&sa=t&url={quote(url, safe=':/')}&ct=ga&cd=CAEY&usg=AOvVaw0"


def microdata(*items: Told) -> str:
    """Write the visible part, with the links to share and to flag that stand below each item."""
    rows = "".join(
        '<tr itemscope itemtype="http://schema.org/Article"><td><div><span style="padding:0">'
        f'<a href="{html.escape(redirect(item.url))}" itemprop="url" style="color:#427fed">'
        f'<span itemprop="name">{item.title}</span></a></span><div>'
        + (
            '<div itemprop="publisher" itemscope itemtype="http://schema.org/Organization">'
            f'<a style="color:#737373"><span itemprop="name">{item.source}</span></a></div>'
            if item.source
            else ""
        )
        + f'<div itemprop="description">{item.summary}</div></div>'
        f'<a href="https://www.google.com/alerts/share?hl=en&amp;ru={quote(item.url)}&amp;ss=fb">Facebook</a> '
        '<a href="https://www.google.com/alerts/feedback?ffu=1">Flag as irrelevant</a></div></td></tr>'
        for item in items
    )
    foot = '<a href="https://www.google.com/alerts/edit?source=alertsmail">Edit this alert</a>'
    return f'<table><tr><td><span itemprop="name">NEWS</span></td></tr>{rows}</table>{foot}'


def markup(*items: Told, words: str = "Google Alert - quake") -> str:
    told = {
        "api_version": "1.0",
        "publisher": {"api_key": "668269e72cfedea31b22524041ff21d9", "name": "Google Alerts"},
        "entity": {"external_key": words, "title": words, "subtitle": "Latest: November 29, 2026"},
        "updates": [{"snippets": [{"icon": "BOOKMARK", "message": f"{item.title} - {item.source}"} for item in items]}],
        "cards": [
            {
                "title": words,
                "widgets": [
                    {"type": "LINK", "title": item.title, "description": item.summary, "url": redirect(item.url)}
                    for item in items
                ],
            }
        ],
    }
    script = f'<script data-scope="inboxmarkup" type="application/json">{json.dumps(told)}</script>'
    return f"<html><head>{script}<style>a{{}}</style></head><body>{microdata(*items)}</body></html>"


def alert(page: str, *, sender: str = FROM, results: str | None = None, date: str = "", **headers: str) -> bytes:
    mail = EmailMessage()
    if results is not None:
        mail["Authentication-Results"] = results
    mail["From"] = sender
    mail["Subject"] = "Google Alert - quake"
    mail["Date"] = date or "Sun, 29 Nov 2026 06:00:00 +0000"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("=== News - 1 new result for [quake] ===\n")
    mail.add_alternative(page, subtype="html")
    return mail.as_bytes()
