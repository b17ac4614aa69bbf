"""The local inbox's Maildir: stored, listed, read, looked up and erased, whatever lies in it."""

from __future__ import annotations

import contextlib
import mailbox
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from worker.adapters.transports import maildir as storage
from worker.adapters.transports.maildir import count_messages, erase_messages_to, list_messages, look_up, read_message
from worker.errors import InputError
from worker.model import Sighting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def stored(folder: Path, head: str, *, recipient: str = "a@b.c", body: str = "News.") -> str:
    storage.make(folder)
    return storage.store(
        folder, f"{head}\r\n\r\n{body}\r\n".encode("utf-8", "surrogateescape"), sender="s@t.u", recipient=recipient
    )


def test_the_list_is_newest_first_and_comes_in_pages(folder):
    ids = [stored(folder, f"Subject: {number}") for number in range(5)]
    assert [message.id for message in list_messages(folder, 2)] == [ids[4], ids[3]]
    assert [message.id for message in list_messages(folder, 2, 4)] == [ids[0]]
    assert list_messages(folder, 2, 5) == ()
    assert list_messages(folder / "nowhere", 2) == ()
    assert (count_messages(folder), count_messages(folder / "nowhere")) == (5, 0)


def test_a_summary_is_readable(folder):
    subject = "=?utf-8?q?A_=E2=80=93_b?=\r\n =?utf-8?q?_c?="
    stored(folder, f"From: =?utf-8?b?7ZWc6rWtIOuJtOyKpA==?= <desk@news.test>\r\nSubject: {subject}")
    (message,) = list_messages(folder, 1)
    assert (message.sender, message.subject) == ("한국 뉴스 <desk@news.test>", "A – b c")
    assert message.recipient == "a@b.c"
    assert message.size_bytes == len(read_message(folder, message.id))
    assert abs(message.received_at.timestamp() - time.time()) < 60


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(head=st.text(max_size=200))
@example(head=" begins with a space")
@example(head="Delivered-To: somebody@else.org\r\nSubject: =?utf-8?b?!?=")
def test_no_message_is_too_strange_to_be_listed(folder, head):
    erase_messages_to(folder, "a@b.c")
    identifier = stored(folder, head)
    (message,) = list_messages(folder, 10)
    assert message.id == identifier
    assert "\n" not in message.subject
    assert read_message(folder, identifier)


def test_other_programs_can_read_the_maildir(folder):
    stored(folder, "Subject: plain")
    with contextlib.closing(mailbox.Maildir(folder, create=False)) as box:
        (message,) = box
    assert message["Subject"] == "plain"


def test_a_message_that_a_mail_reader_moved_is_still_found_listed_and_read(folder):
    identifier = stored(folder, "Message-ID: <m@news.test>\r\nSubject: seen")
    (folder / "new" / identifier).rename(folder / "cur" / f"{identifier}:2,S")
    assert look_up(folder, "<m@news.test>") is Sighting.FOUND
    assert [message.id for message in list_messages(folder, 1)] == [identifier]
    assert b"seen" in read_message(folder, identifier)


def test_a_look_up_goes_by_the_whole_id_and_knows_when_it_cannot_tell(folder):
    assert look_up(folder, "<m@news.test>") is Sighting.CANNOT_TELL
    identifier = stored(folder, "Message-ID:\r\n <m@news.test>")
    assert look_up(folder, "m@news.test") is Sighting.FOUND
    assert look_up(folder, "<m@news.test.example>") is Sighting.ABSENT
    (folder / "new" / identifier).rename(folder / "tmp" / identifier)
    assert look_up(folder, "<m@news.test>") is Sighting.CANNOT_TELL
    storage.make(folder)
    assert look_up(folder, "<m@news.test>") is Sighting.ABSENT


TRICKS = ["", ".", "..", "../secret", "..%2fsecret", "/etc/passwd", "a/b", "a\0b", "*", "a\n", "é"]


@pytest.mark.parametrize("trick", TRICKS)
def test_an_id_with_a_path_trick_reads_nothing(folder, trick):
    stored(folder, "Subject: x")
    (folder / "secret").write_text("secret")
    with pytest.raises(InputError):
        read_message(folder, trick)


def test_an_unknown_id_is_an_input_error(folder):
    with pytest.raises(InputError, match="no such message"):
        read_message(folder, stored(folder, "Subject: x") + "0")


def test_erasure_takes_every_message_to_an_address_and_no_other(folder):
    for recipient in ("Reader@Example.org", "reader@example.org", "other@example.org"):
        stored(folder, "Subject: x", recipient=recipient, body="reader@example.org asked")
    moved = stored(folder, "Subject: x", recipient="reader@example.org")
    (folder / "new" / moved).rename(folder / "cur" / f"{moved}:2,S")
    assert erase_messages_to(folder, " READER@example.org") == 3
    assert [message.recipient for message in list_messages(folder, 10)] == ["other@example.org"]
    assert erase_messages_to(folder, "reader@example.org") == 0
