"""Machines that fill in the form: the trap, the clock, the puzzle; and people who are taken for one."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import altcha
import pytest

from worker.store.database import CLOCK_OFFSET
from worker.store.house import set_fact
from worker.tokens import Purpose

JO = "jo@example.org"
FORM = {"email": JO, "topics": "oman", "timezone": "UTC"}


def mark(newspaper, age_s=60.0):
    shown_at = datetime.now(UTC) - timedelta(seconds=age_s)
    return newspaper.house.tokens.sign(Purpose.FORM, int(shown_at.timestamp()))


def hidden(page):
    """Return a page's hidden fields, and those of the trap, as a browser would send them."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)) | {"homepage": ""}


def is_taken(answer):
    return "Check your mail" in answer.text


def solution(newspaper):
    challenge = altcha.Challenge.from_dict(newspaper.get("/captcha").json())
    solved = altcha.solve_challenge(challenge)
    assert solved is not None
    return altcha.Payload(challenge, solved).to_base64()


def passes(newspaper, **time):
    with newspaper.house.database.write() as conn:
        set_fact(conn, CLOCK_OFFSET, str(timedelta(**time).total_seconds()))


@pytest.fixture
def strict(open_newspaper):
    return open_newspaper(form_quickest_s=2)


@pytest.fixture
def suspicious(open_newspaper):
    return open_newspaper(form_quickest_s=2, captcha="suspicious")


@pytest.fixture
def careful(open_newspaper):
    return open_newspaper(captcha="always")


@pytest.mark.parametrize("path", ["/subscribe", "/embed"])
def test_who_fills_in_the_trap_gets_the_usual_page_and_nothing_is_stored(strict, path):
    sent = FORM | {"shown": mark(strict)}
    usual = strict.post(path, data=sent | {"homepage": ""})
    before, rung = strict.snapshot(), list(strict.house.rung)
    trapped = strict.post(path, data=sent | {"homepage": "http://spam.example", "email": "no@example.org"})
    assert is_taken(trapped)
    assert trapped.text.replace("no@example.org", JO) == usual.text
    assert strict.snapshot() == before
    assert strict.house.rung == rung


@pytest.mark.parametrize("path", ["/subscribe", "/embed"])
def test_a_form_that_comes_back_at_once_is_shown_again_as_it_was_filled_in(strict, path):
    form = hidden(strict.get(path))
    before = strict.snapshot()
    answer = strict.post(path, data=form | FORM)
    assert answer.status_code == 422
    assert "Press the button once more" in answer.text
    assert f'value="{JO}"' in answer.text
    assert strict.snapshot() == before
    again = hidden(answer)
    assert again["shown"] == form["shown"]  # its clock runs on
    passes(strict, seconds=3)
    assert is_taken(strict.post(path, data=again | FORM))


def test_a_form_that_lay_open_for_days_is_shown_again_with_a_new_mark(strict):
    old = mark(strict, age_s=86_400 + 60)
    answer = strict.post("/subscribe", data=FORM | {"shown": old})
    assert (answer.status_code, hidden(answer)["shown"] == old) == (422, False)
    passes(strict, seconds=3)
    assert is_taken(strict.post("/subscribe", data=FORM | {"shown": hidden(answer)["shown"]}))


@pytest.mark.parametrize("forged", ["x", "0.1.2", "0.sv2k3j.AAAA"])
def test_a_mark_of_somebody_elses_is_worth_no_more_than_an_old_one(strict, forged):
    assert strict.post("/subscribe", data=FORM | {"shown": forged}).status_code == 422


def test_a_link_is_no_mark(strict):
    token = strict.house.tokens.sign(Purpose.PREFERENCES, int(datetime.now(UTC).timestamp()) - 60)
    assert strict.post("/subscribe", data=FORM | {"shown": token}).status_code == 422


def test_a_page_that_was_cached_for_an_hour_works_for_everybody_who_sees_it(strict):
    shared = mark(strict, age_s=3_600)
    for number in range(5):
        assert is_taken(strict.post("/subscribe", data=FORM | {"email": f"r{number}@example.org", "shown": shared}))


def test_a_mistake_in_the_form_does_not_start_its_clock_anew(strict):
    shown = mark(strict)
    answer = strict.post("/subscribe", data=FORM | {"email": "nobody", "shown": shown})
    assert "name@example.org" in answer.text
    assert hidden(answer)["shown"] == shown


def test_a_form_without_a_mark_is_taken_at_twice_the_price(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=6)
    answers = [newspaper.post("/subscribe", data=FORM | {"email": f"r{number}@example.org"}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_a_suspicious_form_is_asked_for_a_puzzle_and_its_solution_counts_once(suspicious):
    assert "altcha-widget" not in suspicious.get("/subscribe").text
    assert is_taken(suspicious.post("/subscribe", data=FORM | {"shown": mark(suspicious)}))
    asked = suspicious.post("/subscribe", data=FORM)
    assert asked.status_code == 422
    assert '<altcha-widget name="altcha" challenge="/captcha"' in asked.text
    solved = solution(suspicious)
    assert is_taken(suspicious.post("/subscribe", data=FORM | {"altcha": solved}))
    assert not is_taken(suspicious.post("/subscribe", data=FORM | {"altcha": solved}))
    assert is_taken(suspicious.post("/subscribe", data=FORM | {"altcha": solution(suspicious)}))


def test_a_solution_is_not_spent_on_a_form_with_a_mistake(suspicious):
    solved = solution(suspicious)
    assert not is_taken(suspicious.post("/subscribe", data=FORM | {"altcha": solved, "email": "nobody"}))
    assert is_taken(suspicious.post("/subscribe", data=FORM | {"altcha": solved}))


def test_where_every_form_needs_a_puzzle_the_page_has_one_from_the_start(careful):
    page = careful.get("/subscribe")
    assert "altcha-widget" in page.text
    assert "Without JavaScript" in page.text
    form = FORM | {"shown": mark(careful)}
    assert not is_taken(careful.post("/subscribe", data=form))
    assert is_taken(careful.post("/subscribe", data=form | {"altcha": solution(careful)}))


def test_without_javascript_half_a_minutes_wait_is_as_good_and_counts_once(careful):
    form = FORM | {"shown": mark(careful)}
    asked = hidden(careful.post("/subscribe", data=form))
    assert asked["patience"]
    early = careful.post("/subscribe", data=form | asked)
    assert not is_taken(early)
    assert hidden(early)["patience"] == asked["patience"]  # it may wait on
    passes(careful, seconds=31)
    assert is_taken(careful.post("/subscribe", data=form | asked))
    again = careful.post("/subscribe", data=form | asked)
    assert not is_taken(again)
    assert hidden(again)["patience"] != asked["patience"]


def test_a_puzzle_is_new_for_everybody_and_kept_nowhere(careful):
    before = careful.snapshot()
    one, other = careful.get("/captcha"), careful.get("/captcha")
    assert one.headers["cache-control"] == "no-store"
    assert json.loads(one.text)["signature"] != json.loads(other.text)["signature"]
    assert careful.snapshot() == before


def test_beyond_its_budget_the_box_says_so_within_its_frame_and_to_scripts(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=2, embed_origins="https://www.courier.example")
    assert is_taken(newspaper.post("/embed", data=FORM | {"shown": mark(newspaper)}))
    assert is_taken(newspaper.post("/embed", data=FORM | {"shown": mark(newspaper)}))
    page = newspaper.post("/embed", data=FORM | {"shown": mark(newspaper)})
    assert page.status_code == 429
    assert "frame-ancestors 'self' https://www.courier.example" in page.headers["content-security-policy"]
    asked = {"Accept": "application/json", "Origin": "https://www.courier.example"}
    told = newspaper.post("/embed", data=FORM | {"shown": mark(newspaper)}, headers=asked)
    assert (told.status_code, told.headers["content-type"]) == (429, "application/problem+json")
    assert told.headers["access-control-allow-origin"] == "https://www.courier.example"
    assert int(told.headers["retry-after"]) > 0
