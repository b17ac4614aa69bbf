"""A Maildir of Google Alerts as one more source: what is stored, and what becomes of the mails."""

from __future__ import annotations

import json
import mailbox
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.contract.sources.alert_mails import FERRY, QUAKE, alert, markup
from worker.intake.run import Intake
from worker.intake.run_alert_mails import AlertMails
from worker.store.database import AWAY, Database
from worker.store.schema import Article, Source
from worker.wiring import house


@pytest.fixture
def box(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "alerts")


@pytest.fixture
def alerts(database: Database, tmp_path: Path, box: mailbox.Maildir) -> AlertMails:
    intake = Intake(database, age_limit=timedelta(hours=24))
    return AlertMails(database, intake, str(box._path), left=tmp_path / "left")


def fresh(*items, **more: str) -> bytes:
    return alert(markup(*items), date=format_datetime(datetime.now(UTC)), **more)


def flags(box: mailbox.Maildir) -> list[str]:
    return sorted(message.get_flags() for message in box)


def rows(database: Database) -> list[tuple[object, ...]]:
    with database.read() as conn:
        columns = (Source.kind, Source.name, Article.url, Article.outlet, Article.may_alert)
        statement = sa.select(*columns).join(Source, Source.id == Article.source_id).order_by(Article.id)
        return [tuple(row) for row in conn.execute(statement).all()]


def test_alerts_are_one_source_whose_articles_have_their_publishers_names(database, alerts, box):
    box.add(fresh(QUAKE, FERRY))
    assert len(alerts.visit()) == 2
    source = ("mailbox", "Google Alerts")
    assert sorted(rows(database), key=str) == sorted(
        [(*source, QUAKE.url, "The Gull", True), (*source, FERRY.url, "ferry.example", True)], key=str
    )
    assert (flags(box), alerts.visit()) == (["S"], [])  # seen, and still there


def test_what_two_alerts_tell_is_one_article_and_a_mail_of_long_ago_alerts_nobody(database, alerts, box):
    box.add(fresh(QUAKE))
    box.add(fresh(QUAKE))
    box.add(alert(markup(FERRY), date="Sun, 01 Nov 2020 06:00:00 +0000"))
    assert len(alerts.visit()) == 2
    assert {row[2]: row[4] for row in rows(database)} == {QUAKE.url: True, FERRY.url: False}


def test_a_long_digest_is_no_flood_that_is_held(database, alerts, box):
    box.add(fresh(QUAKE))
    alerts.visit()
    box.add(fresh(*(replace(QUAKE, url=f"https://gull.example/{n}", title=f"Other story {n}") for n in range(15))))
    assert len(alerts.visit()) == 15
    assert all(row[4] for row in rows(database))


def test_whatever_is_no_proven_alert_is_left_for_people_and_told(database, alerts, box, caplog):
    box.add(fresh(QUAKE, sender="evil@example.org"))
    box.add(fresh(QUAKE, results="mx.example; dkim=fail header.d=google.com"))
    box.add(fresh(QUAKE, sender="a@lists.example", List_Id="Harbour <h.lists.example>"))
    box.add(fresh())
    assert (alerts.visit(), rows(database)) == ([], [])
    assert flags(box) == ["F"] * 4
    for words in ("is no alert", "did not find Google's signature", "(Harbour <h.lists.example>)", "format changed"):
        assert words in caplog.text


def test_a_mail_that_breaks_us_holds_up_no_other(database, alerts, box, monkeypatch):
    box.add(fresh(QUAKE))
    box.add(fresh(FERRY))
    intake, take_feed = alerts._intake, alerts._intake.take_feed

    def breaks_once(source, found):
        if found[0].url == QUAKE.url:
            raise RuntimeError("a defect")
        return take_feed(source, found)

    monkeypatch.setattr(intake, "take_feed", breaks_once)
    assert len(alerts.visit()) == 1
    assert [row[2] for row in rows(database)] == [FERRY.url]
    assert len(box.get_folder("Unreadable")) == 1


@pytest.mark.parametrize("away", AWAY)
def test_while_the_database_is_away_no_mail_is_put_aside(alerts, box, monkeypatch, away):
    box.add(fresh(QUAKE))

    def gone(*_: object) -> None:
        raise away("", {}, OSError()) if issubclass(away, DBAPIError) else away("cannot open the database")

    with monkeypatch.context() as patched:
        patched.setattr(alerts._intake, "take_feed", gone)
        with pytest.raises(away):
            alerts.visit()
    assert (flags(box), box.list_folders()) == ([""], [])
    assert len(alerts.visit()) == 1


def test_the_doctor_tells_whether_the_mailbox_can_be_read_and_when_it_last_had_an_alert(tocsin, tmp_path, monkeypatch):
    def told():
        _, out, _ = tocsin("doctor", "--no-dns", "--json")
        return [(one["health"], one["says"]) for one in map(json.loads, out.splitlines()) if one["part"] == "alerts"]

    assert told() == []
    mailbox.Maildir(tmp_path / "alerts", create=True)
    monkeypatch.setenv("TOCSIN_ALERTS_MAILBOX", str(tmp_path / "alerts"))
    assert told() == [("well", "the mailbox of Google Alerts can be read; no alert has come yet")]
    (tmp_path / "alerts" / "new" / "1").write_bytes(fresh(QUAKE))
    alert_mails = house().alert_mails
    assert alert_mails is not None
    assert alert_mails.visit()
    ((_, says),) = told()
    assert "its last alert was read at 2" in says
    monkeypatch.setenv("TOCSIN_ALERTS_MAILBOX", "imaps://news:word@localhost:1/INBOX")
    ((health, says),) = told()
    assert health != "well"
    assert "word@" not in says
