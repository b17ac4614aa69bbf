"""`tocsin demo --once`: the whole system on the seeds, as a newcomer meets it, and the inbox afterwards."""

from __future__ import annotations

import csv
import html
import json
import re
import signal
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from tests.acceptance.houses import STOP_WITHIN_S, CommandLine, Done, Installation, own_ports, until
from tests.acceptance.mails import Mail
from tests.http import NO_TLS
from worker.resources import seeds_dir

MARK = "tocsin-demo"
HEADER = "email,name,locale,timezone,topics,cadence,at"
CLIPPED_AT_BYTES = 102_000
OUTLETS_OF_THE_WIRE_COPY = {
    "Insurers clear second Black Sea lane for Ukraine's grain": "The Northfield Ledger",
    "Grain ships get a second lane as insurers sign in Istanbul": "Sable Coast Gazette",
    "Black Sea grain convoys to sail within ten days": "Pine Valley Post",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One `tocsin demo --once --json`, and the inbox right after it."""

    summary: dict[str, Any]
    progress: str
    mails: list[Mail]


def run_demo(house: Installation, *options: str) -> Run:
    with house.start("demo", "--once", "--json", *options) as running:
        status = running.process.wait(170)
    assert status == 0, running.said + house.logs()
    *progress, summary = running.said.splitlines()
    return Run(summary=json.loads(summary), progress="\n".join(progress), mails=house.mails())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> Installation:
    """The home of an earlier demo that went wrong; nothing but its place is set."""
    home = tmp_path_factory.mktemp("demo") / "home"
    (home / "inbox" / "new").mkdir(parents=True)
    (home / "inbox" / "new" / "1.old").write_bytes(b"Delivered-To: nobody@mail.example\r\nReturn-Path: <>\r\n\r\n")
    (home / "tocsin.db").write_bytes(b"the leftovers of a power cut")
    (home / MARK).touch()
    return Installation(home, command_line, {})


@pytest.fixture(scope="module")
def demo(house: Installation) -> Run:
    return run_demo(house, "--fresh")


@pytest.fixture(scope="module")
def readers() -> list[dict[str, str]]:
    with (seeds_dir() / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def unwanted() -> list[str]:
    """The titles of articles that concern no topic."""
    expected = yaml.safe_load((seeds_dir() / "expected-matches.yaml").read_text(encoding="utf-8"))
    return [title for title, topics in expected.items() if not topics]


def words(mail: Mail) -> str:
    """Return a mail's text on one line, however it was wrapped."""
    return " ".join(mail.part("plain").split())


def mails_telling(mails: list[Mail], title: str) -> list[Mail]:
    return [mail for mail in mails if title in words(mail)]


# What it prints ------------------------------------------------------------------------------------------------------


def test_the_summary_has_the_promised_keys_and_no_others(demo):
    assert list(demo.summary) == ["articles", "matches", "editions", "deliveries", "inbox", "conserved"]


def test_the_inbox_holds_what_was_accepted_and_nobody_was_lost(demo):
    assert demo.summary["conserved"] is True
    assert demo.summary["deliveries"] == {"accepted": len(demo.mails)}
    assert demo.summary["inbox"] == len(demo.mails)


def test_every_seeded_article_was_read(demo):
    expected = yaml.safe_load((seeds_dir() / "expected-matches.yaml").read_text(encoding="utf-8"))
    later_versions = 1
    assert demo.summary["articles"] == len(expected) - later_versions


def test_mails_have_pictures_and_each_lies_ready(house, demo):
    shown = [src for mail in demo.mails for src in re.findall(r'<img[^>]* src="([^"]+)"', mail.part("html"))]
    assert len(shown) > len(demo.mails) / 2
    assert all(re.match(r"http://127\.0\.0\.1:\d+/img/", src) for src in shown)
    kept = sum(file.is_file() for file in (house.home / "cache" / "pictures").glob("??/*"))
    assert kept == len(list((seeds_dir() / "pictures").iterdir()))


def test_every_edition_is_finished_and_its_books_balance(house, demo):
    editions = house.ask("editions", "list")
    assert len(editions) == demo.summary["editions"]
    rows = dict(house.query("SELECT edition_id, count(*) FROM delivery WHERE state = 'accepted' GROUP BY 1"))
    for edition in editions:
        assert edition["status"] == "finished"
        assert edition["audience"] == rows[edition["id"]] > 0
    shown = house.ask("editions", "show", editions[0]["id"])[0]
    nobody = dict.fromkeys(("refused", "suppressed", "expired", "cancelled", "unknown", "open"), 0)
    assert shown["conservation"] == {"audience": shown["audience"], "accepted": shown["audience"], **nobody}


def test_deliveries_are_listed_with_what_the_relay_said(house, demo):
    rows = house.ask("deliveries", "list")
    assert len(rows) == len(demo.mails)
    assert Counter(row["recipient"] for row in rows) == Counter(mail.recipient for mail in demo.mails)
    assert {row["message_id"] for row in rows} == {mail.id.strip("<>") for mail in demo.mails}
    for row in rows:
        assert (row["state"], row["attempts"], row["provider"], row["code"]) == ("accepted", 1, "inbox", 250)


@pytest.mark.usefixtures("demo")
def test_who_has_seen_enough_of_the_deliveries_may_go(house):
    assert house.speak_to_nobody("deliveries", "list", "--json") == Done(status=0, out="", err="")


# What lies in the inbox ----------------------------------------------------------------------------------------------


def test_every_seeded_reader_got_a_mail(demo, readers):
    assert len(readers) >= 20
    assert {reader["email"] for reader in readers} == {mail.recipient for mail in demo.mails}


def test_a_reader_of_daily_digests_got_exactly_one(demo, readers):
    sent = Counter(mail.recipient for mail in demo.mails)
    daily = [reader["email"] for reader in readers if reader["cadence"] != "immediate"]
    assert daily
    assert [sent[address] for address in daily] == [1] * len(daily)


def test_a_follower_of_north_korea_got_the_story_whose_title_does_not_name_it(demo):
    title = "Seoul summons Moscow's ambassador over N. Korea troops"
    mine = [mail for mail in demo.mails if mail.recipient == "jun.takeda@letters.example"]  # japan, north-korea
    (alert,) = mails_telling(mine, title)
    assert alert.subject == title
    assert "because you follow North Korea: it says" in words(alert)
    assert "“N. Korea”" in words(alert)


def test_nobody_got_the_bird_or_any_other_article_that_concerns_no_topic(demo, unwanted):
    assert "Turkey farmers bet on smaller birds this Thanksgiving" in unwanted
    for title in unwanted:
        assert not mails_telling(demo.mails, title), title


def test_the_same_wire_copy_comes_once_a_reader_and_names_the_other_outlets(demo):
    told: Counter[str] = Counter()
    for title, outlet in OUTLETS_OF_THE_WIRE_COPY.items():
        for mail in mails_telling(demo.mails, title):
            told[mail.recipient] += 1
            others = set(OUTLETS_OF_THE_WIRE_COPY.values()) - {outlet}
            assert all(other in words(mail) for other in others), mail.part("plain")
    assert len(told) >= 5
    assert set(told.values()) == {1}


@pytest.mark.usefixtures("demo")
def test_no_reader_was_told_one_story_twice(house):
    rows = house.query(
        "SELECT d.subscriber_id, s.story_id FROM delivery d JOIN content_story s ON s.content_id = d.content_id"
    )
    assert rows
    assert len(rows) == len(set(rows))


def test_who_follows_the_top_ten_got_them_after_the_alerts(demo):
    with (seeds_dir() / "newsletter-readers.csv").open(encoding="utf-8", newline="") as file:
        followers = {reader["email"] for reader in csv.DictReader(file)}
    letters = [mail for mail in demo.mails if mail.subject.startswith("Top 10 stories: ")]
    assert {mail.recipient for mail in letters} == followers
    assert len(letters) == len(followers)
    assert {str(mail.message["List-Id"]) for mail in letters} == {"Top 10 stories <top-10-stories.courier.example>"}
    assert all("5." in mail.part("plain") for mail in letters)


def test_korean_readers_are_written_to_in_korean(demo):
    mine = [mail for mail in demo.mails if mail.recipient == "dae-ho.lim@letters.example"]
    assert {mail.message["Content-Language"] for mail in mine} == {"ko"}
    assert all("구독 해지" in mail.part("plain") for mail in mine)


# Every single mail ---------------------------------------------------------------------------------------------------


def test_message_ids_are_unique_and_of_our_own_domain(demo):
    ids = [mail.id for mail in demo.mails]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"<[\w.+-]+@courier\.example>", each) for each in ids)


def test_every_mail_can_be_left_with_one_click(demo):
    for mail in demo.mails:
        assert re.fullmatch(rb"<https?://[\w.:/-]+/unsubscribe/[\w.-]+>", mail.header_bytes("List-Unsubscribe"))
        assert mail.header_bytes("List-Unsubscribe-Post") == b"List-Unsubscribe=One-Click"


def test_every_mail_keeps_the_rules_of_the_wire(demo):
    for mail in demo.mails:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.data), mail.subject
        assert max(map(len, mail.data.split(b"\r\n"))) <= 998
        assert mail.data.isascii()


def test_every_mail_is_read_without_complaint_text_first(demo):
    for mail in demo.mails:
        message = mail.message
        parts = list(message.walk())
        assert not [defect for part in parts for defect in part.defects], mail.subject
        assert message.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in parts[1:]] == ["text/plain", "text/html"]
        assert len(mail.part("html").encode()) < CLIPPED_AT_BYTES


def test_every_mail_names_its_sender_its_reader_and_its_list_once(demo):
    for mail in demo.mails:
        message = mail.message
        for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "Feedback-ID", "MIME-Version"):
            assert len(message.get_all(name, [])) == 1, (mail.subject, name)
        assert [address.addr_spec for address in message["To"].addresses] == [mail.recipient]
        assert [address.addr_spec for address in message["From"].addresses] == ["news@courier.example"]


def test_every_mail_says_why_it_came(demo):
    for mail in demo.mails:
        why = {"en": "because you follow", "ko": "구독하고 계셔서"}[str(mail.message["Content-Language"])]
        assert why in words(mail), mail.part("plain")


# Again, and in other places ------------------------------------------------------------------------------------------


def test_fresh_wiped_what_was_there(demo, house):
    assert "nobody@mail.example" not in {mail.recipient for mail in demo.mails}
    assert (house.home / MARK).exists()


def test_the_second_run_invites_to_the_inbox_sends_nothing_and_ends_with_ctrl_c(house, demo):
    with house.start("demo", **own_ports()) as running:
        invitation = until(
            lambda: re.findall(r"open this page: +(\S+)", running.said), within_s=90, what="the invitation"
        )
        counts = f"{demo.summary['articles']} articles, {demo.summary['matches']} matches, "
        assert f"{counts}{demo.summary['editions']} editions, {len(demo.mails)} mails" in running.said
        page = httpx.get(invitation[0], timeout=20, verify=NO_TLS)
        assert page.status_code == 200
        assert html.escape(demo.mails[-1].subject) in page.text.replace("&#39;", "&#x27;")
        assert running.stop(signal.SIGINT) < STOP_WITHIN_S
        assert running.process.returncode == 0, running.said
    assert [mail.file for mail in house.mails()] == [mail.file for mail in demo.mails]
    assert house.query("SELECT state, count(*) FROM delivery GROUP BY 1") == [("accepted", len(demo.mails))]


def test_fresh_refuses_a_directory_that_is_not_a_demos(tmp_path, command_line):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = Installation(tmp_path, command_line, {}).tocsin("demo", "--once", "--fresh", "--home", tmp_path)
    assert "is not a demo's home" in done.refusal
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_wrong_settings_are_told_before_fresh_wipes_anything(tmp_path, command_line):
    for name in (MARK, "tocsin.db"):
        (tmp_path / name).touch()
    done = Installation(tmp_path, command_line, {"TOCSIN_TIMEZONE": "Mars"}).tocsin("demo", "--once", "--fresh")
    assert "TOCSIN_TIMEZONE" in done.complaint
    assert (tmp_path / "tocsin.db").exists()


def test_a_demo_keeps_away_from_the_home_of_a_real_installation(make_installation):
    house = make_installation()
    house.migrated()
    before = house.rows()
    assert "real installation" in house.tocsin("demo", "--once").refusal
    assert house.rows() == before
    assert not (house.home / MARK).exists()


def test_a_demo_keeps_away_from_a_real_database(make_installation, tmp_path):
    house = make_installation()
    house.migrated()
    readers = tmp_path / "readers.csv"
    readers.write_text(f"{HEADER}\nreal@reader.example,,en,Europe/Berlin,,daily,\n")
    house.told("subscribers", "import", readers, "--confirmed")
    before = house.rows()
    address = f"sqlite:///{house.home / 'tocsin.db'}"
    done = house.tocsin("demo", "--once", "--home", tmp_path / "demo", TOCSIN_DATABASE_URL=address)
    assert "readers that are not a demo's" in done.refusal
    assert house.rows() == before
