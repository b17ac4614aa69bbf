"""A real mail server cannot deliver: its bounces find back to their deliveries, and have their consequences."""

from __future__ import annotations

import smtplib
import time

import pytest

from worker.adapters.mailboxes.maildir import Maildir
from worker.feedback.run_mailbox import take_in
from worker.hearsay import Fate

from .postfix import can_run, running_postfix
from .test_mailbox_intake import AT, MAIL, return_path

pytestmark = pytest.mark.skipif(not can_run(), reason="needs Debian's package postfix, and root to start it")


@pytest.fixture(scope="module")
def postfix():
    with running_postfix() as server:
        yield server


def test_a_real_mail_server_s_bounces_are_understood(postfix, listening):
    nobody, unreachable = listening.deliveries(2)
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
        for delivery, recipient in ((nobody, "nobody.here@courier.example"), (unreachable, "jo@unreachable.example")):
            mail = f"From: news@courier.example\r\nTo: {recipient}\r\nSubject: Ferries\r\n\r\nGood morning.\r\n"
            client.sendmail(return_path(delivery), [recipient], mail)
    until = time.monotonic() + 60
    while len(list((postfix.maildir / "new").iterdir())) < 2:
        assert time.monotonic() < until, "no bounce has come back"
        time.sleep(0.2)

    done = take_in(Maildir(postfix.maildir, most_bytes=1_000_000), MAIL, listening.feedback, received_at=AT)
    while listening.feedback.settle():
        pass
    assert done.mails == {Fate.TAKEN: 2}
    assert [listening.state(one) for one in (nobody, unreachable)] == ["bounced", "bounced"]
    assert listening.cause(listening.recipient(nobody)) == "bounce"
    assert listening.cause(listening.recipient(unreachable)) is None
