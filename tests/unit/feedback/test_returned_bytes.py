"""Whatever bytes come back, they are read in bounded time, and something is always made of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.feedback.mail.classify import findings
from worker.feedback.mail.decoding import text_of_html
from worker.feedback.mail.phrases import reason_in
from worker.feedback.mail.reading import MOST_BYTES, read
from worker.feedback.mail.verdict import Kind, Reason

REPORT = b"Final-Recipient: rfc822; jo@example.org\nAction: failed\nStatus: 5.1.1\n"
PIECES = st.sampled_from(
    [
        REPORT,
        b"\n",
        b"--b\n",
        b"--b--\n",
        b"From: MAILER-DAEMON@mx.example\n",
        b"Subject: =?utf-8?B?w4s=?=\n",
        b"Subject: =?x?Q?=\n",
        b"X-Failed-Recipients: , ,\n",
        b"Content-Type: multipart/report; boundary=b\n",
        b"Content-Type: multipart/mixed; boundary=\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: message/delivery-status\n",
        b"Content-Type: message/feedback-report\n",
        b"Content-Type: text/html\n",
        b"Content-Type: text/plain; charset=zlib\n",
        b"Content-Type: text/plain; charset=idna\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Feedback-Type: abuse\n",
        b"Action: delayed\n",
        b"Status: 99.999.999\n",
        b"Diagnostic-Code: smtp; 4.4.4.4 550\n",
        b"Original-Recipient: utf-8; \\x{110000}@\\x{D800}\n",
        b"<jo@example.org>:\n",
        b"550 5.1.1 no such user\n",
        b"  RCPT TO:<@>\n",
        b"<table><br>",
        b"\x1b$B",
        b"\xff\xfe\x00",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=40), max_size=40).map(b"".join))
@thorough(many=400)
def test_any_bytes_give_findings_and_never_an_error(data):
    found = findings(data)
    assert found
    assert len({one.recipient for one in found}) == len(found)
    for one in found:
        assert one.kind in Kind
        assert one.reason in Reason
        assert not one.hard or (one.kind is Kind.BOUNCE and one.status.startswith("5."))
        assert bool(one.status) == (one.kind is Kind.BOUNCE)


@given(st.text(max_size=300))
@thorough(many=300)
def test_any_words_have_a_reason(words):
    assert reason_in(words) in Reason


def test_messages_nested_a_hundred_and_ten_thousand_deep_are_read():
    for depth in (100, 10_000):
        rfc822 = b"Content-Type: message/rfc822\n\n" * depth + REPORT
        assert findings(rfc822)
        nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth))
        assert findings(nested + REPORT)


HOSTILE = [
    unit * (60_000 // len(unit))
    for unit in (
        *(b"a", b"@", b"a@", b"a.", b"<", b"a@b.", b"1.", b"550 ", b"5.1.", b"x-", b" \n", b"<p>", b"&lt;", b"--b\n"),
        *(b"user ", b"mailbox unknow ", b"message size ", b"no such ", b"recipient is not ", b"delivery delivery "),
        *(b"(expanded from: ", b"https://", b":\n  x", b"X-Y: z\n", b"=?utf-8?Q?a?= ", b"Your message to "),
        *(b"Final-Recipient: rfc822; a@b.c\n", b"\xe3\x81\x82"),
        *(b"!", b"-" * 39 + b"\n", b"#" * 39 + b"\n", b"\n", b"<style>", b"<!--", b"<head></head"),
    )
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:16]))
def test_a_hostile_text_takes_no_longer_than_it_is_long(line):
    for head in (
        b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n",
        b"From: a@b.example\nSubject: " + line[:3_000] + b"\n\n",
        b"From: a@b.example\nContent-Type: text/html\n\n",
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n",
    ):
        before = time.process_time()
        assert findings(head + line)
        assert time.process_time() - before < 5.0  # a catastrophic pattern takes hours; a slow machine does not matter


def test_a_mail_that_names_thousands_leads_to_a_handful_of_events():
    named = b"".join(b"Original-Rcpt-To: reader%d@example.org\n" % number for number in range(1_000))
    assert 2 <= len(findings(b"From: fbl@isp.example\n\nFeedback-Type: abuse\n" + named)) <= 20


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a<style>p {}</style>b", "a b"),
        ("a<STYLE type=x>p {}</style >b<!-- no -->c<script>d", "a b cd"),
        ("<!-- <style> -->a<style>b</style>", "a"),
        ("a<style>b<!--c-->d", "ab d"),
    ],
)
def test_what_a_page_hides_is_not_read(page, text):
    assert text_of_html(page).strip() == text


def test_what_lies_beyond_the_limit_is_not_looked_at():
    huge = b"From: MAILER-DAEMON@mx.example\n\n" + b"x" * MOST_BYTES + b"\n" + REPORT
    assert "jo@example.org" not in read(huge).text
    assert findings(huge)[0].recipient == ""


def test_nothing_is_unpacked_into_more_than_it_was():
    bomb = b"Content-Type: text/plain; charset=zlib\nContent-Transfer-Encoding: base64\n\neJwDAAAAAAE=\n"
    assert len(read(bomb).text) < 100
