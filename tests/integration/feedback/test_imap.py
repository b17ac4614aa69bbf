"""Returned mail in an IMAP mailbox: a real Dovecot, with TLS."""

from __future__ import annotations

from contextlib import closing, contextmanager
from urllib.parse import quote

import pytest

from worker.adapters.mailboxes.build import open_mailbox
from worker.errors import ConfigurationError, FetchError
from worker.hearsay import Fate

from .dovecot import PASSWORD, can_run, running_dovecot


@pytest.fixture(scope="module")
def dovecot():
    if not can_run():
        pytest.skip("needs Debian's package dovecot-imapd")
    with running_dovecot() as server:
        yield server


@pytest.fixture
def open_inbox(dovecot, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))

    @contextmanager
    def opened(*, scheme="imaps", password=PASSWORD, host="localhost", folder="INBOX"):
        port = dovecot.tls if scheme == "imaps" else dovecot.plain
        url = f"{scheme}://news:{quote(password, safe='')}@{host}:{port}/{folder}"
        with closing(open_mailbox(url, left=tmp_path)) as inbox:
            yield inbox

    return opened


def test_a_mail_waits_until_it_is_settled_and_never_again(dovecot, open_inbox):
    dovecot.deliver("1.taken", b"Subject: one\r\n\r\nbody\r\n")
    dovecot.deliver("2.left", b"Subject: two\r\n\r\n\xff\x00\r\n")
    dovecot.deliver("3.again", b"Subject: three\r\n\r\n")
    with open_inbox() as inbox:
        waiting = {data.partition(b"\r\n")[0]: key for key, data in inbox.waiting(limit=10)}
        assert set(waiting) == {b"Subject: one", b"Subject: two", b"Subject: three"}
        inbox.settle(waiting[b"Subject: one"], Fate.TAKEN)
        inbox.settle(waiting[b"Subject: two"], Fate.LEFT)
    with open_inbox() as inbox:
        assert [data for _, data in inbox.waiting(limit=10)] == [b"Subject: three\r\n\r\n"]
        inbox.settle(waiting[b"Subject: three"], Fate.ASIDE)
        inbox.settle("4711", Fate.TAKEN)  # somebody has deleted it meanwhile
    with open_inbox() as inbox:
        assert list(inbox.waiting(limit=10)) == []
    assert dovecot.flags() == {"1.taken": "S", "2.left": "F", "3.again": "FS"}


def test_starttls_is_insisted_on_where_tls_does_not_come_first(open_inbox):
    with open_inbox(scheme="imap") as inbox:
        assert list(inbox.waiting(limit=1)) == []


def test_a_certificate_of_another_name_is_refused(open_inbox):
    with pytest.raises(FetchError, match="certificate"), open_inbox(host="127.0.0.1"):
        pass


def test_a_wrong_password_is_told_without_the_password(open_inbox):
    with pytest.raises(FetchError, match=r"(?i)authentication") as refused, open_inbox(password="wrong"):
        pass
    assert "wrong" not in str(refused.value)


def test_a_folder_that_is_not_there_is_named(open_inbox):
    with pytest.raises(ConfigurationError, match="Nowhere"), open_inbox(folder="Nowhere"):
        pass


def test_a_server_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FetchError, match="localhost:1"):
        open_mailbox("imaps://news:word@localhost:1/INBOX", left=tmp_path)


@pytest.mark.parametrize("where", ["pop3://a:b@c", "imaps://host/INBOX", "imaps://a@host", "imaps://a:b@host:x/INBOX"])
def test_a_name_that_means_nothing_is_refused_with_what_to_write_instead(where, tmp_path):
    with pytest.raises(ConfigurationError, match="imaps://user:password@host"):
        open_mailbox(where, left=tmp_path)
