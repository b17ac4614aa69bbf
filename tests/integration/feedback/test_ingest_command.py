"""`tocsin feedback ingest`, as an operator types it and as a pipe calls it, and the sweep that does the same."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.conftest import SUPPRESSION_KEY
from worker import tasks
from worker.store import suppressions
from worker.store.schema import Delivery, Event
from worker.tokens import Tokens, keyed_hash
from worker.wiring import house

from .test_mailbox_intake import HUMAN, bounce


@pytest.fixture
def maildir(tmp_path):
    for name in ("tmp", "new", "cur"):
        (tmp_path / "in" / name).mkdir(parents=True)
    return tmp_path / "in"


@pytest.fixture
def delivery(database):
    with database.write() as conn:
        edition_id = builders.edition(conn, [builders.reader(conn, "ada")])
        (found,) = builders.ids_of(conn, edition_id)
        conn.execute(sa.update(Delivery).values(state="accepted", provider="relay"))
    return found


@pytest.fixture
def mail(delivery):
    tokens = Tokens(["a-key-that-signs-links-in-tests-only"])
    return bounce(to=tokens.return_path(delivery, domain="courier.example"))


def state_of(database, delivery):
    with database.read() as conn:
        return conn.execute(sa.select(Delivery.state).where(Delivery.id == delivery)).scalar_one()


def pipe(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_a_maildir_is_taken_in_with_its_consequences(tocsin, database, maildir, delivery, mail):
    (maildir / "new" / "1").write_bytes(mail)
    (maildir / "new" / "2").write_bytes(HUMAN)
    assert tocsin.ask("feedback", "ingest", str(maildir)) == [{"taken": 1, "left": 1, "aside": 0, "events": 1}]
    assert state_of(database, delivery) == "bounced"
    with database.read() as conn:
        recipient = conn.execute(sa.select(Delivery.recipient)).scalar_one()
        known = suppressions.of_address(conn, keyed_hash(SUPPRESSION_KEY, recipient))
    assert known is not None
    assert known.cause == "bounce"
    assert tocsin.ask("feedback", "ingest", str(maildir)) == [{"taken": 0, "left": 0, "aside": 0, "events": 0}]


def test_a_mail_from_a_pipe_is_taken_in(tocsin, database, delivery, mail, monkeypatch):
    pipe(monkeypatch, mail)
    assert tocsin.ask("feedback", "ingest", "-") == [{"taken": 1, "left": 0, "aside": 0, "events": 1}]
    assert state_of(database, delivery) == "bounced"
    assert [path for path in (tocsin.home / "returned-mail").rglob("*") if path.is_file()] == []


def test_a_reply_from_a_pipe_is_kept_for_people_whole(tocsin, monkeypatch):
    reply = HUMAN + b"x" * 3_000_000
    pipe(monkeypatch, reply)
    assert tocsin.ask("feedback", "ingest", "-") == [{"taken": 0, "left": 1, "aside": 0, "events": 0}]
    (left,) = (tocsin.home / "returned-mail" / "cur").iterdir()
    assert left.name.endswith(":2,F")
    assert left.read_bytes() == reply


def test_a_pipe_is_told_to_bring_the_mail_again_when_it_cannot_be_kept(tocsin, mail, monkeypatch):
    pipe(monkeypatch, mail)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", "sqlite:////nowhere/tocsin.db")
    status, _, told = tocsin("feedback", "ingest", "-")
    assert status == 75
    assert "again later" in told


def test_a_mailbox_must_be_named_somewhere(tocsin):
    status, _, told = tocsin("feedback", "ingest")
    assert status == 2
    assert "TOCSIN_RETURNED_MAIL" in told


@pytest.fixture
def sweep(tocsin, monkeypatch):
    """Sweep as a worker of an installation with such settings does, and give what it rings for."""
    del tocsin  # its environment is what counts

    away: dict[str, float] = defaultdict(float)

    def swept():
        rung = []
        home = house()
        monkeypatch.setattr(tasks, "this_house", lambda: home)
        monkeypatch.setattr(tasks, "_away", away)
        monkeypatch.setattr(tasks.settle_feedback, "delay", lambda: rung.append("settle_feedback"))
        tasks.sweep_returned_mail()
        home.close()
        return rung

    return swept


def test_a_sweep_takes_in_what_the_settings_name(sweep, database, maildir, mail, monkeypatch):
    (maildir / "new" / "1").write_bytes(mail)
    assert sweep() == []
    monkeypatch.setenv("TOCSIN_RETURNED_MAIL", str(maildir))
    assert sweep() == ["settle_feedback"]
    with database.read() as conn:
        assert conn.execute(sa.select(Event.provider)).scalars().all() == ["mail"]
    assert sweep() == []


def test_a_sweep_outlives_a_mailbox_that_is_away(sweep, monkeypatch, caplog):
    monkeypatch.setenv("TOCSIN_RETURNED_MAIL", "imaps://news:word@localhost:1/INBOX")
    assert sweep() == []
    assert "tried again in 300 s" in caplog.text
    caplog.clear()
    assert sweep() == []
    assert caplog.text == ""  # it is left alone for a while


def test_kept_mail_is_read_again_with_the_others(tocsin, maildir, mail):
    (maildir / "new" / "1").write_bytes(mail)
    undated = b"".join(line for line in mail.splitlines(keepends=True) if not line.startswith(b"Date:"))
    assert undated != mail
    (maildir / "new" / "2").write_bytes(undated)
    assert tocsin.ask("feedback", "ingest", str(maildir))[0]["taken"] == 2
    assert tocsin.ask("feedback", "reclassify", "--provider", "mail") == []


def test_the_doctor_tells_whether_the_mailbox_can_be_read(tocsin, maildir, monkeypatch):
    def told():
        _, out, _ = tocsin("doctor", "--no-dns", "--json")
        return [(one["health"], one["says"]) for one in map(json.loads, out.splitlines()) if one["part"] == "returns"]

    assert told() == []
    monkeypatch.setenv("TOCSIN_TRANSPORTS", "smtp://127.0.0.1:1")
    assert told() == [("note", "no mailbox for bounces is named")]
    monkeypatch.setenv("TOCSIN_RETURNED_MAIL", str(maildir))
    assert told() == [("well", "the mailbox of returned mail can be read")]
    monkeypatch.setenv("TOCSIN_RETURNED_MAIL", str(maildir / "new"))
    ((health, says),) = told()
    assert health == "ill"
    assert "no Maildir" in says
