"""Returned mail on its way from a Maildir to its consequences, on either database."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from tests import builders
from worker.adapters.mailboxes.maildir import Maildir
from worker.errors import ConfigurationError
from worker.feedback.mail.hearing import KEPT_BYTES, ReturnedMail, kept, restored
from worker.feedback.run_mailbox import take_in
from worker.hearsay import EventKind, Fate
from worker.store import events
from worker.tokens import Tokens

TOKENS = Tokens(["a key that nobody knows"])
MAIL = ReturnedMail(delivery_of=TOKENS.delivery_of, was_sent=lambda _message_id, _recipient: False)
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HUMAN = b"From: Jo <jo@example.org>\nSubject: Re: Ferries\n\nThank you!\n"


def bounce(*, to="news@courier.example", status="5.1.1", action="failed", recipient="jo@example.org", message_id=""):
    return f"""Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Date: Mon, 23 Nov 2026 07:00:00 +0000
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

From: news@courier.example
Message-ID: <{message_id or "x@elsewhere.example"}>

--b--
""".encode()


def complaint(kind="abuse", *, sender="b.x@courier.example"):
    return f"""From: fbl@isp.example
Subject: FW: Ferries
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1
Original-Mail-From: <{sender}>
Original-Rcpt-To: redacted@isp.example

--b--
""".encode()


@pytest.fixture
def maildir(tmp_path):
    for name in ("tmp", "new", "cur"):
        (tmp_path / "in" / name).mkdir(parents=True)
    return tmp_path / "in"


@pytest.fixture
def visit(listening, maildir):
    return lambda: visit_of(listening, maildir)


def visit_of(listening, maildir):
    """Take in what waits, once, and draw the consequences."""

    def was_sent(message_id, recipient):
        with listening.database.read() as conn:
            return events.was_sent(conn, message_id, recipient)

    opened = Maildir(maildir, most_bytes=1_000_000)
    mail = ReturnedMail(delivery_of=TOKENS.delivery_of, was_sent=was_sent)
    done = take_in(opened, mail, listening.feedback, received_at=builders.time_of(listening.database))
    while listening.feedback.settle():
        pass
    return done


def arrive(maildir, name, data):
    (maildir / "new" / name).write_bytes(data)


def names(maildir):
    return sorted(str(path.relative_to(maildir)) for path in maildir.rglob("*") if path.is_file())


def return_path(delivery_id):
    return TOKENS.return_path(delivery_id, domain="courier.example")


def test_a_bounce_is_known_by_its_return_path_whatever_address_it_tells(listening, maildir, visit):
    (delivery,) = listening.deliveries()
    arrive(maildir, "1", bounce(to=return_path(delivery), recipient="forwarded.to@elsewhere.example"))
    assert visit().mails == {Fate.TAKEN: 1}
    assert listening.state(delivery) == "bounced"
    assert listening.cause(listening.recipient(delivery)) == "bounce"
    assert listening.cause("forwarded.to@elsewhere.example") is None
    assert names(maildir) == ["cur/1:2,S"]


def test_a_mail_server_that_writes_small_letters_is_understood(listening, maildir, visit):
    (delivery,) = listening.deliveries()
    arrive(maildir, "1", bounce(to=return_path(delivery).lower()))
    visit()
    assert listening.state(delivery) == "bounced"


def test_a_bounce_is_known_by_our_message_id_and_else_scores_by_its_recipient(listening, maildir, visit):
    first, second = listening.deliveries(2)
    told = {"message_id": listening.row(first).message_id, "recipient": listening.recipient(first).upper()}
    arrive(maildir, "1", bounce(**told))
    arrive(maildir, "2", bounce(recipient=listening.recipient(second).upper()))
    visit()
    assert listening.state(first) == "bounced"
    assert listening.cause(listening.recipient(first)) == "bounce"
    assert listening.cause(listening.recipient(second)) is None  # anybody can write such a mail
    assert builders.address_hash(listening.recipient(second)) in {event.address_hash for event in listening.events()}


FATES = {
    "a full mailbox": (lambda path: bounce(to=path, status="5.2.2"), "bounced", None),
    "a policy": (lambda path: bounce(to=path, status="5.7.1"), "bounced", None),
    "nobody says why": (lambda path: bounce(to=path, status="5.0.0"), "bounced", None),
    "still trying": (lambda path: bounce(to=path, status="4.4.1", action="delayed"), "accepted", None),
    "delivered": (lambda path: bounce(to=path, status="2.0.0", action="delivered"), "delivered", None),
    "a complaint": (lambda path: complaint(sender=path), "complained", "complaint"),
    "out of office": (lambda path: f"Subject: Out of office\nTo: {path}\n\n".encode(), "accepted", None),
}


@pytest.mark.parametrize(("make", "state", "cause"), FATES.values(), ids=FATES)
def test_only_what_is_about_the_address_ends_it(listening, maildir, make, state, cause):
    (delivery,) = listening.deliveries()
    arrive(maildir, "1", make(return_path(delivery)))
    assert visit_of(listening, maildir).mails == {Fate.TAKEN: 1}
    assert listening.state(delivery) == state
    assert listening.cause(listening.recipient(delivery)) == cause


def test_nobody_silences_readers_by_guessing_message_ids(listening, maildir, visit):
    (delivery,) = listening.deliveries()
    guessed = listening.row(delivery).message_id
    arrive(maildir, "1", bounce(message_id=guessed, recipient="anybody@example.net"))
    arrive(maildir, "2", bounce(message_id=guessed, recipient=""))
    arrive(maildir, "3", bounce(to=f"b.0.{delivery}.{'A' * 43}@courier.example", recipient="nobody@example.net"))
    assert visit().mails == {Fate.TAKEN: 3}
    assert listening.state(delivery) == "accepted"
    assert listening.cause(listening.recipient(delivery)) is None


def test_an_opt_out_report_ends_subscriptions_and_is_no_complaint(listening, maildir, visit):
    (delivery,) = listening.deliveries()
    arrive(maildir, "1", complaint("opt-out", sender=return_path(delivery)))
    visit()
    (event,) = listening.events()
    assert event.kind == EventKind.UNSUBSCRIBED
    assert "subscriptions" in event.outcome
    assert listening.cause(listening.recipient(delivery)) is None


def test_somebody_s_reply_is_left_for_people_and_not_looked_at_again(listening, maildir, visit):
    arrive(maildir, "1", HUMAN)
    assert visit().mails == {Fate.LEFT: 1}
    assert names(maildir) == ["cur/1:2,F"]
    assert visit().mails == {}
    assert listening.events() == []


def test_the_same_mail_counts_once_however_often_it_is_found(listening, maildir, visit):
    (delivery,) = listening.deliveries()
    arrive(maildir, "1", bounce(to=return_path(delivery)))
    arrive(maildir, "2", bounce(to=return_path(delivery)))  # the same bytes, delivered twice
    assert visit().events == 1
    (maildir / "cur" / "1:2,S").rename(maildir / "new" / "1")  # a crash before the rename
    assert visit().events == 0
    assert len(listening.events()) == 1


def test_what_a_mail_program_has_moved_without_reading_still_counts(maildir, visit):
    (maildir / "cur" / "1:2,").write_bytes(bounce())
    (maildir / "cur" / "2:2,S").write_bytes(bounce(recipient="al@example.org"))
    assert visit().mails == {Fate.TAKEN: 1}
    assert names(maildir) == ["cur/1:2,S", "cur/2:2,S"]


@pytest.mark.parametrize("away", [OperationalError("", {}, OSError()), ConfigurationError("cannot open the database")])
def test_nothing_is_settled_while_the_database_is_away(listening, maildir, visit, monkeypatch, away):
    arrive(maildir, "1", bounce())
    monkeypatch.setattr(listening.feedback, "store", lambda *_, **_when: (_ for _ in ()).throw(away))
    with pytest.raises(type(away)):
        visit()
    assert names(maildir) == ["new/1"]
    monkeypatch.undo()
    assert visit().mails == {Fate.TAKEN: 1}


def test_a_mail_that_breaks_us_is_put_aside_and_holds_up_no_other(listening, maildir, visit, monkeypatch, caplog):
    store = listening.feedback.store

    def breaking(heard, **when):
        if any(event.recipient == "bad@example.org" for event, _ in heard):
            raise ValueError("a defect")
        return store(heard, **when)

    monkeypatch.setattr(listening.feedback, "store", breaking)
    arrive(maildir, "1", bounce())
    arrive(maildir, "2", bounce(recipient="bad@example.org"))
    arrive(maildir, "3", bounce(recipient="al@example.org"))
    with caplog.at_level(logging.ERROR):
        assert visit().mails == {Fate.TAKEN: 2, Fate.ASIDE: 1}
    assert "put aside" in caplog.text
    assert names(maildir) == [".Unreadable/cur/2:2,", "cur/1:2,S", "cur/3:2,S"]
    assert visit().mails == {}


def test_a_mail_that_nobody_can_read_without_a_fault_holds_up_no_other(listening, maildir, monkeypatch, caplog):
    def hear(self, data, *, received_at):
        if b"bad@" in data:
            raise RecursionError("a defect")
        return understand(self, data, received_at=received_at)

    understand = ReturnedMail.hear
    monkeypatch.setattr(ReturnedMail, "hear", hear)
    arrive(maildir, "1", bounce(recipient="bad@example.org"))
    arrive(maildir, "2", bounce())
    with caplog.at_level(logging.ERROR):
        assert visit_of(listening, maildir).mails == {Fate.TAKEN: 1, Fate.ASIDE: 1}
    assert "put aside" in caplog.text
    assert names(maildir) == [".Unreadable/cur/1:2,", "cur/2:2,S"]


def test_nothing_is_settled_while_nobody_can_look_up_what_was_sent(listening, maildir, monkeypatch):
    def away(*_, **__):
        raise OperationalError("", {}, OSError())

    monkeypatch.setattr(ReturnedMail, "hear", away)
    arrive(maildir, "1", bounce())
    with pytest.raises(OperationalError):
        visit_of(listening, maildir)
    assert names(maildir) == ["new/1"]


def test_a_file_that_cannot_be_read_is_put_aside(maildir, visit, monkeypatch):
    arrive(maildir, "1", bounce())
    monkeypatch.setattr(Maildir, "read", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert visit().mails == {Fate.ASIDE: 1}
    assert names(maildir) == [".Unreadable/cur/1:2,"]


def test_many_mails_are_taken_in_with_few_commits(maildir, visit):
    for number in range(120):
        arrive(maildir, f"{number:03}", bounce(recipient=f"r{number}@example.org", status="5.2.2"))
    done = visit()
    assert (done.events, done.mails) == (120, {Fate.TAKEN: 120})


def test_the_raw_mail_is_kept_and_can_be_understood_again(listening, maildir, visit):
    mail = bounce().replace(b"Reporting", b"\xff\x00Reporting")
    arrive(maildir, "1", mail)
    visit()
    (event,) = listening.events()
    assert restored(event.raw) == mail
    (again,) = MAIL.read(event.raw, received_at=AT)
    assert (again.event_id, again.status) == (event.provider_event_id, "5.1.1")


def test_of_a_huge_mail_the_beginning_is_kept_and_its_id_stays_the_same():
    mail = bounce() + b"x" * 3_000_000
    raw = kept(mail)
    assert len(raw) == KEPT_BYTES
    first, again = MAIL.hear(mail, received_at=AT), MAIL.read(raw, received_at=AT)
    assert [event.event_id for event in first] == [event.event_id for event in again]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Mon, 23 Nov 2026 07:00:00 +0100", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 07:00:00", datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("Mon, 23 Nov 2099 07:00:00 +0000", AT),
        ("Mon, 23 Nov 1999 07:00:00 +0000", AT),
        ("Fri, 31 Dec 9999 23:59:59 -2359", AT),
        ("yesterday", AT),
        ("", AT),
    ],
)
def test_a_clock_out_of_all_reason_is_not_believed(date, told):
    (event,) = MAIL.hear(f"From: a@b.example\nDate: {date}\n\n".encode(), received_at=AT)
    assert event.occurred_at == told


def test_a_folder_that_is_no_maildir_is_refused_with_what_it_needs(tmp_path):
    with pytest.raises(ConfigurationError, match="`new` and `cur`"):
        Maildir(tmp_path, most_bytes=10)
