"""Python and mailparser read every mail alike, and as it was written."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.contract.mail.conftest import Posted
from worker.rendering import samples

pytestmark = pytest.mark.timeout(600)  # the judges from npm are installed once

MAILS = [f"{kind}-{locale}" for kind in samples.KINDS for locale in samples.LOCALES]


def lines(text: str) -> list[str]:
    """Return a text's lines; how they end, and whether the last one does, is no part of it."""
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def part(posted: Posted, kind: str) -> str:
    body = posted.message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content


@pytest.mark.parametrize("mail", MAILS)
def test_python_reads_what_was_written(post, mail):
    posted = post[mail]
    assert posted.message["Subject"] == posted.subject
    assert lines(part(posted, "plain")) == lines(posted.text)
    assert lines(part(posted, "html")) == lines(posted.html)
    assert not [defect for one in posted.message.walk() for defect in one.defects]


@pytest.mark.parametrize("mail", MAILS)
def test_mailparser_reads_what_was_written(mailauth_and_mailparser, post, mail):
    posted, parsed = post[mail], mailauth_and_mailparser[mail]["parsed"]
    assert parsed["subject"] == posted.subject
    assert lines(parsed["text"]) == lines(posted.text)
    assert lines(parsed["html"]) == lines(posted.html)
    assert datetime.fromisoformat(parsed["date"]) == posted.sent_at
    assert parsed["to"] == [[posted.name, posted.recipient]]
    assert parsed["attachments"] == 0


@pytest.mark.parametrize("mail", MAILS)
def test_both_read_the_same_people_and_identifiers(mailauth_and_mailparser, post, mail):
    message, parsed = post[mail].message, mailauth_and_mailparser[mail]["parsed"]
    for header, found in (("From", "from"), ("To", "to"), ("Reply-To", "reply_to")):
        people = message[header].addresses if message[header] else ()
        assert parsed[found] == [[one.display_name, one.addr_spec] for one in people]
    assert parsed["message_id"] == message["Message-ID"]


@pytest.mark.parametrize("mail", MAILS)
def test_a_line_is_no_longer_than_rfc_5322_allows_and_ends_as_it_demands(post, mail):
    data = post[mail].data
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert data.isascii()
    assert b"\0" not in data
