"""Whoever asks for too much is told when to come again; a victim's neighbours and an office are not the victims."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from worker.cli.asking_state import questions
from worker.health import Health
from worker.model import SubscriberStatus
from worker.store import asking
from worker.store.database import now
from worker.tokens import Purpose
from worker.web import gate

from .newspaper import API_KEY

FORM = {"topics": "oman", "timezone": "UTC"}
KEY = {"Authorization": f"Bearer {API_KEY}"}


def sign_up(newspaper, address, *, of="203.0.113.77", shown=""):
    shown = shown or newspaper.house.tokens.sign(Purpose.FORM, int(datetime.now(UTC).timestamp()))
    data = FORM | {"email": address, "shown": shown}
    return newspaper.post("/subscribe", data=data, headers={"X-Forwarded-For": of})


def test_beyond_its_budget_a_sender_is_told_when_to_come_again_and_nothing_is_stored(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=3)
    answers = [sign_up(newspaper, f"reader{number}@example.org").status_code for number in range(3)]
    assert answers == [200, 200, 200]
    before = newspaper.snapshot()
    answer = sign_up(newspaper, "reader9@example.org")
    assert answer.status_code == 429
    assert 1190 <= int(answer.headers["retry-after"]) <= 1200
    assert re.search(r"try again in 20 minutes", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert newspaper.snapshot() == before
    assert sign_up(newspaper, "reader9@example.org", of="203.0.113.78").status_code == 200


def test_neighbours_share_a_wider_budget_and_ipv6_senders_are_their_networks(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=2, signups_per_subnet=3)
    senders = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.114.1"]
    assert [sign_up(newspaper, "jo@example.org", of=of).status_code for of in senders] == [200, 200, 200, 429, 200]
    senders = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2::3", "2001:db8:1:3::1", "2001:db8:1:4::1"]
    assert [sign_up(newspaper, "jo@example.org", of=of).status_code for of in senders] == [200, 200, 429, 200, 429]


def test_looking_costs_nothing_and_an_office_of_fifty_signs_up_in_one_meeting(newspaper):
    for _ in range(70):
        assert newspaper.get("/subscribe", headers={"X-Forwarded-For": "203.0.113.77"}).status_code == 200
    for number in range(50):
        assert sign_up(newspaper, f"colleague{number}@example.org").status_code == 200
    assert newspaper.status("colleague49@example.org") is SubscriberStatus.PENDING


def test_whichever_button_tries_a_search_on_the_preferences_it_is_charged(open_newspaper):
    newspaper = open_newspaper(tries_per_ip=1)
    page = newspaper.link(Purpose.PREFERENCES, newspaper.joins("jo@example.org", "oman"))
    look = {"query": "yemen", "timezone": "UTC", "enter": "", "q": "ye", "shown_q": ""}
    assert newspaper.post(f"{page}/try", data=look).status_code == 200
    assert newspaper.post(f"{page}/try", data=look).status_code == 429
    assert newspaper.post(page, data=look).status_code == 429


def test_what_a_stranger_says_of_itself_buys_no_second_budget(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=2, trusted_proxies="192.0.2.1")
    senders = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
    assert [sign_up(newspaper, "jo@example.org", of=of).status_code for of in senders] == [200, 200, 429]


def test_a_proxy_that_counts_as_one_sender_is_warned_of_once_and_no_address_is_told(open_newspaper, caplog):
    newspaper = open_newspaper(signups_per_ip=1, trusted_proxies="192.0.2.1")
    gate._warn_of_proxy.cache_clear()
    for number in range(4):
        sign_up(newspaper, f"reader{number}@example.org", of=f"203.0.113.{number}")
    warned = [record.getMessage() for record in caplog.records if record.name == "worker.web.gate"]
    assert len(warned) == 1
    assert "TOCSIN_TRUSTED_PROXIES" in warned[0]
    assert "127.0.0.1" not in warned[0]


def test_a_key_has_a_budget_of_its_own_whatever_address_it_calls_from(open_newspaper):
    newspaper = open_newspaper(signups_per_key=2, signups_per_ip=1)
    wish = {"email": "jo@example.org", "topics": ["oman"]}
    answers = [newspaper.post("/api/v1/subscriptions", json=wish, headers=KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert answers[2].json()["status"] == 429
    assert answers[2].headers["retry-after"] == "1800"


@pytest.mark.parametrize("known", [False, True])
def test_a_mailbox_that_has_had_enough_changes_no_answer(open_newspaper, known):
    newspaper = open_newspaper(questions_per_mailbox=2)
    if known:
        newspaper.joins("victim@example.org", "oman")
    shown = newspaper.house.tokens.sign(Purpose.FORM, int(datetime.now(UTC).timestamp()) - 60)  # one and the same form
    answers = [sign_up(newspaper, f"victim+{number}@example.org", shown=shown) for number in range(4)]
    texts = {answer.text.replace(f"victim+{number}@", "victim@") for number, answer in enumerate(answers)}
    assert {answer.status_code for answer in answers} == {200}
    assert len(texts) == 1
    assert len([row for row in newspaper.snapshot()["asking"] if row[3]]) == 2
    assert len(newspaper.house.rung) == 4


def test_the_doctor_and_the_figures_tell_of_questions_that_wait(open_newspaper):
    newspaper = open_newspaper(questions_an_hour=2)
    [well] = questions(newspaper.house)
    assert well.health is Health.WELL
    for number in range(5):
        sign_up(newspaper, f"reader{number}@example.org")
    [ill] = questions(newspaper.house)
    assert ill.health is Health.ILL
    assert "3 wait for their turn, since only 2 go in an hour" in ill.says
    figures = newspaper.get("/metrics").text
    assert 'tocsin_questions{state="asked"} 2' in figures
    assert 'tocsin_questions{state="waiting"} 3' in figures


def test_the_doctor_notes_that_somebody_signs_others_up_by_the_hundred(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=0, signups_per_subnet=0, questions_per_mailbox=1)
    with newspaper.house.database.write() as conn:
        for _ in range(100):
            asking.note(conn, at=now(conn))
    [note] = questions(newspaper.house)
    assert (note.health, note.says.partition("; ")[2][:12]) == (Health.NOTE, "100 sign-ups")
