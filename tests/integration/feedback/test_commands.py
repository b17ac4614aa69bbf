"""`tocsin feedback webhooks`, `tocsin feedback reclassify`, and what `tocsin subscribers` tells of suppressions."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import pytest

from tests import builders
from worker.cli import main
from worker.hearsay import EventKind, FeedbackEvent
from worker.store import people
from worker.store.database import Database
from worker.wiring import house

SECRET = "the-secret-of-the-webhooks"


@pytest.fixture
def tocsin(database_url, tmp_path, monkeypatch, capsys):
    """Run a command in this process; give its exit status, standard output and standard error."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TOCSIN_SUPPRESSION_KEY", "a-key-that-hashes-addresses-in-tests")
    monkeypatch.setenv("TOCSIN_SECRET_KEYS", "a-key-that-signs-links-in-tests-only")
    monkeypatch.setenv("TERM", "dumb")
    opened: list[Database] = []

    class Recorded(Database):
        """A database that can be closed by whoever did not open it, as the end of a process does."""

        def __init__(self, url: str) -> None:
            super().__init__(url)
            opened.append(self)

    monkeypatch.setattr("worker.foundation.Database", Recorded)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tocsin", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    yield run
    for one in opened:
        one.close()


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_provider_is_given_its_address_and_an_operator_told_what_lacks(tocsin, monkeypatch):
    monkeypatch.setenv("TOCSIN_WEBHOOK_SECRETS", f"{SECRET} an-older-secret-of-theirs")
    monkeypatch.setenv("TOCSIN_WEBHOOK_KEYS", "mailgun=key brevo=user:word")
    monkeypatch.setenv("TOCSIN_BASE_URL", "https://news.courier.example")
    code, out, _ = tocsin("feedback", "webhooks", "--json")
    told = {str(row["provider"]): row for row in lines(out)}
    assert code == 0
    assert told["mailgun"]["address"] == f"https://news.courier.example/webhooks/mailgun/{SECRET}"
    assert told["mailgun"]["proved_by"] == told["brevo"]["proved_by"] == "the address and its key"
    assert told["postmark"]["proved_by"] == "the address"
    assert "TOCSIN_WEBHOOK_KEYS" in str(told["ses"]["proved_by"])


def test_a_suppression_is_explained_and_can_be_lifted(tocsin, database):
    with database.write() as conn:
        hash_ = house().address_hash("jo@readers.example")
        people.add_reader(conn, email="jo@readers.example", address_hash=hash_, status="active")
    feedback = house().feedback
    feedback.store([(bounce(database), "{}")])
    feedback.settle()
    _, out, _ = tocsin("subscribers", "show", "jo@readers.example", "--json")
    (told,) = lines(out)
    assert told["suppressed"] == "postmark 5.1.1 no such user"
    assert told["suppressed_for"] == "bounce"
    assert str(told["suppressed_by_event"]).endswith("postmark says bounced")
    assert told["suppressed_at"]
    code, _, err = tocsin("subscribers", "unsuppress", "jo@readers.example", "--reason", "their typing error")
    assert (code, err.strip()) == (0, "jo@readers.example may get mail again: their typing error")
    _, out, _ = tocsin("subscribers", "show", "jo@readers.example", "--json")
    assert lines(out)[0]["suppressed"] is None
    code, _, err = tocsin("subscribers", "unsuppress", "jo@readers.example", "--reason", "again")
    assert (code, "is not suppressed" in err) == (2, True)


def test_events_are_read_again_by_command(tocsin, database):
    raw = json.dumps({"RecordType": "Bounce", "ID": 7, "Type": "SoftBounce", "Email": "jo@readers.example"})
    house().feedback.store([(bounce(database), raw)])
    code, out, err = tocsin("feedback", "reclassify", "--dry-run", "--json")
    assert (code, err.strip()) == (0, "1 would change")
    (told,) = lines(out)
    assert told == {"provider": "postmark", "event": "Bounce 7", "before": "bounced 5.1.1", "after": "bounced"}
    assert tocsin("feedback", "reclassify")[2].strip() == "1 changed"
    assert tocsin("feedback", "reclassify")[2].strip() == "0 changed"
    code, _, err = tocsin("feedback", "reclassify", "--provider", "nobody")
    assert (code, "providers are" in err) == (2, True)


def test_the_doctor_tells_which_provider_is_silent(tocsin, monkeypatch, database):
    monkeypatch.setenv("TOCSIN_TRANSPORTS", "postmark://token@default resend://key@default")

    def told(part="webhooks"):
        findings = lines(tocsin("doctor", "--json", "--no-dns")[1])
        return [(row["health"], str(row["says"])) for row in findings if row["part"] == part]

    assert [(health, says.split()[0]) for health, says in told()] == [("note", "postmark"), ("note", "resend")]
    house().feedback.store([(bounce(database), "{}")])
    assert [health for health, _ in told()] == ["well", "note"]
    builders.set_clock(database, ahead=timedelta(hours=1))
    assert [health for health, _ in told()] == ["well", "note", "ill"]
    house().feedback.settle()
    assert [health for health, _ in told()] == ["well", "note"]


def bounce(database):
    return FeedbackEvent(
        provider="postmark",
        event_id="Bounce 7",
        kind=EventKind.BOUNCED,
        occurred_at=builders.time_of(database),
        recipient="jo@readers.example",
        status="5.1.1",
        reason="no such user",
    )
