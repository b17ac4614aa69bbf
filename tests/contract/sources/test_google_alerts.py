"""What is made of a mail of Google Alerts, and of one that only says to be."""

from __future__ import annotations

import resource
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.sources.google_alerts import MOST_ITEMS, MailKind, is_proven, read_alert

from .alert_mails import FERRY, FROM, QUAKE, alert, markup, microdata, redirect


def test_a_digest_tells_each_article_at_its_publishers_own_address():
    mail = read_alert(alert(markup(QUAKE, FERRY)))
    assert mail.kind is MailKind.ALERT
    quake, ferry = mail.articles
    assert (quake.url, quake.title) == ("https://gull.example/quake?id=7&x=ä", "Quake shakes Port Meridian")
    assert (quake.source, quake.summary) == ("The Gull", "Nobody was hurt.")
    assert (ferry.url, ferry.title, ferry.source) == ("https://www.ferry.example/a", "Ferry & quay", "ferry.example")
    assert quake.tags == ("quake",)
    assert quake.published_at == datetime(2026, 11, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("Google 알리미 - 북한 미사일", "북한 미사일"),
        ("Google アラート - 地震", "地震"),
        ("Alerte Google - séisme", "séisme"),
    ],
)
def test_alerts_in_any_language_are_alerts(words, tag):
    told = replace(QUAKE, title="북한, 동해상으로 미사일 발사", source="연합뉴스")
    [article] = read_alert(alert(markup(told, words=words))).articles
    assert (article.title, article.source, article.tags) == ("북한, 동해상으로 미사일 발사", "연합뉴스", (tag,))


def test_either_half_of_what_google_writes_is_enough():
    [shown] = read_alert(alert(f"<body>{microdata(QUAKE)}</body>")).articles
    hidden = markup(QUAKE).partition("<body>")[0]
    [told] = read_alert(alert(hidden)).articles
    assert (shown.url, shown.title, shown.summary) == (told.url, "Quake shakes Port Meridian", told.summary)
    assert told.source == "gull.example"
    link = redirect("https://gull.example/x")
    plain = f'<a href="{link}">Quake</a> <a href="{link}"> again</a>'
    assert [one.title for one in read_alert(alert(plain)).articles] == ["Quake again"]


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        (alert(markup(QUAKE), sender="evil@example.org"), MailKind.OTHER),
        (alert(markup(QUAKE), sender='"googlealerts-noreply@google.com" <evil@example.org>'), MailKind.OTHER),
        (alert(markup(QUAKE), sender=f"{FROM}, evil@example.org"), MailKind.OTHER),
        (b"From: evil@example.org\n" + alert(markup(QUAKE)), MailKind.OTHER),
        (alert(markup(QUAKE), sender="googlealerts-noreply@google.com.evil.example"), MailKind.OTHER),
        (alert("<p>hi</p>", sender="a@b.example", List_Id="The list <l.b.example>"), MailKind.LIST),
        (alert(markup(QUAKE), results="mx.a; dkim=fail header.d=google.com"), MailKind.UNPROVEN),
        (alert(markup(QUAKE), results="mx.a; dkim=pass header.d=evil.example; spf=pass"), MailKind.UNPROVEN),
        (alert(markup(QUAKE), results="mx.a; dkim=pass header.d=google.com.evil.example"), MailKind.UNPROVEN),
        (alert(markup(QUAKE), results="mx.a; none"), MailKind.UNPROVEN),
        (
            b"Authentication-Results: mx.a; dkim=none\n"
            + alert(markup(QUAKE), results="x; dkim=pass header.d=google.com"),
            MailKind.UNPROVEN,
        ),
        (alert(markup(QUAKE), results="mx.a; dkim=pass header.i=@google.com header.s=x"), MailKind.ALERT),
        (alert(markup()), MailKind.EMPTY),
        (b"", MailKind.OTHER),
        (b"\n\n", MailKind.OTHER),
    ],
)
def test_only_googles_own_mails_are_alerts(mail, kind):
    found = read_alert(mail)
    assert (found.kind, bool(found.articles)) == (kind, kind is MailKind.ALERT)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://www.google.com/url?url=https://x.example",
        "//x",
        "https://x.example/a b",
        "ftp://x",
    ],
)
def test_a_link_that_leads_to_no_publisher_is_no_article(url):
    assert read_alert(alert(microdata(replace(QUAKE, url=url)))).articles == ()


def test_hostile_mails_are_bounded_in_time_memory_and_articles():
    many = [replace(QUAKE, url=f"https://gull.example/{number}") for number in range(400)]
    assert len(read_alert(alert(markup(*many))).articles) == MOST_ITEMS
    head = f"From: {FROM}\nContent-Type: text/html; charset=punycode\n\n".encode()
    nested = head.replace(b"text/html; charset=punycode", b'multipart/mixed; boundary="b0"') + b"".join(
        f'--b{level}\nContent-Type: multipart/mixed; boundary="b{level + 1}"\n\n'.encode() for level in range(15_000)
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for mail in (
        nested,
        head + b"<" * 1_000_000,
        head + b"<!" * 500_000,
        head + b"<div>" * 200_000,
        head + b'<a href="https://www.google.com/url?url=https://x.example/">' * 16_000,
        head + b"&" * 1_000_000,
        head + b'<script data-scope="inboxmarkup">' + b"[" * 900_000,
        head + b'<script data-scope="inboxmarkup">{"cards": [1, {"widgets": {"a": [null]}}], "entity": []}</script>',
        head.replace(b"From: ", b"From: " + b"(" * 60_000),
        b"From: <" * 9_000,
        b"Authentication-Results: " + b"(" * 50_000 + b"\n" + head,
    ):
        read_alert(mail)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data):
    read_alert(data)
    read_alert(f"From: {FROM}\nContent-Type: text/html\n\n".encode() + data)


@pytest.mark.parametrize(
    "told",
    [
        'spf=pass smtp.mailfrom="x; dkim=pass header.d=google.com "@evil.example',
        'spf=pass (domain of "x) ; dkim=pass header.d=google.com "@evil.example designates 192.0.2.1)',
        'spf=pass (domain of "x) ; dkim=pass header.d=google.com (y"@evil.example designates 192.0.2.1)',
        'spf=pass smtp.mailfrom="x\\" ; dkim=pass header.d=google.com "@evil.example',
    ],
)
def test_a_senders_own_words_prove_nothing_where_his_server_repeats_them(told):
    assert not is_proven([f"mx.courier.example; {told}"])


def test_what_googles_servers_and_others_really_write_is_understood():
    told = (
        'mx.google.com; dkim=pass header.i=@google.com header.s=20230601 header.b="ab/c;d"; '
        "spf=pass (google.com: domain of 3x@alerts.example designates 192.0.2.1 as permitted sender) "
        "smtp.mailfrom=3x@alerts.example; dmarc=pass (p=REJECT (sp=REJECT) dis=NONE) header.from=google.com"
    )
    assert is_proven([told])
