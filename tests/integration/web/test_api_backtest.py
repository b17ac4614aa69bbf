"""`POST /api/v1/topics/backtest`: who may ask, what is answered, and how a refused query is told."""

from __future__ import annotations

import pytest

from tests import builders
from worker.store.house import put_api_key
from worker.web import api_backtest

from .newspaper import API_KEY


def ask(newspaper, key=API_KEY, **body):
    return newspaper.post("/api/v1/topics/backtest", json=body, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def archive(newspaper):
    """Three matched stories, one of them of two articles."""
    with newspaper.house.database.write() as conn:
        first, story = builders.article(conn, "Oman’s envoy speaks", summary="")
        ids = [first, builders.article(conn, "Oman’s envoy speaks", story=story, outlet="Harbour Courier")[0]]
        ids += [builders.article(conn, title, summary="")[0] for title in ("Oman sings", "Rain in Busan")]
    for article_id in ids:
        newspaper.house.matcher.match(article_id)


@pytest.mark.usefixtures("archive")
def test_a_query_is_answered_with_counts_mails_and_samples(newspaper):
    before = newspaper.snapshot()
    answer = ask(newspaper, query="@oman", days=7)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["canonical"], told["days"], told["timezone"]) == ("oman", 7, "Europe/London")
    assert (told["stories"], told["all_stories"], told["all_articles"], told["estimated"]) == (2, 3, 4, False)
    assert [pace["cadence"] for pace in told["cadences"]] == [
        "immediate", "hourly", "daily", "weekdays", "weekly", "monthly",
    ]  # fmt: skip
    assert told["cadences"][0] | {"says": ""} == {
        "cadence": "immediate", "runs": None, "mails": 2, "mails_a_day": 0.286, "says": "",
    }  # fmt: skip
    assert sum(day["stories"] for day in told["per_day"]) == 2
    title = told["samples"][0]["excerpts"][0]
    assert [title["text"][start:end] for start, end in title["highlights"]] == ["Oman"]
    assert newspaper.snapshot() == before


def test_thirty_days_are_asked_about_unless_said_otherwise(newspaper):
    assert ask(newspaper, query="oman").json()["days"] == 30


def test_a_refused_query_is_a_problem_with_its_offset_and_what_to_write(newspaper):
    answer = ask(newspaper, query="oman OR (rain")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["offset"]) == ("#/query", 8)
    assert error["hint"] == "write ) where the group ends"


def test_a_misspelt_topic_is_refused_with_the_right_name(newspaper):
    (error,) = ask(newspaper, query="rain @north-corea").json()["errors"]
    assert (error["pointer"], error["offset"], error["hint"]) == ("#/query", 5, "did you mean @north-korea?")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/query"),
        ({"query": 7}, "#/query"),
        ({"query": ""}, "#/query"),
        ({"query": "x" * 20_001}, "#/query"),
        ({"query": "oman", "days": 0}, "#/days"),
        ({"query": "oman", "days": 367}, "#/days"),
        ({"query": "oman", "since": "yesterday"}, "#/since"),
    ],
)
def test_a_mistake_names_its_field(newspaper, body, pointer):
    answer = ask(newspaper, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_the_key_must_be_one_for_editions(newspaper):
    with newspaper.house.database.write() as conn:
        for scope in ("articles", "editions"):
            put_api_key(conn, name=scope, key=scope, scopes=[scope])
    assert ask(newspaper, key="nobody's", query="oman").status_code == 401
    assert ask(newspaper, key="articles", query="oman").status_code == 403
    assert ask(newspaper, key="editions", query="oman").status_code == 200


def test_while_another_question_is_answered_it_asks_for_patience(newspaper, monkeypatch):
    monkeypatch.setattr(api_backtest, "_WAIT_S", 0.05)
    with api_backtest._TURN:
        answer = ask(newspaper, query="oman")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert ask(newspaper, query="oman").status_code == 200


def test_what_takes_too_long_is_given_up_with_advice(newspaper, monkeypatch):
    with newspaper.house.database.write() as conn:
        builders.article(conn)
    monkeypatch.setattr(api_backtest, "_TOTAL_S", -1)
    answer = ask(newspaper, query="oman")
    assert (answer.status_code, "ask about fewer days" in answer.json()["detail"]) == (503, True)


def test_the_answer_is_described(newspaper):
    document = newspaper.get("/api/openapi.json").json()
    described = document["paths"]["/api/v1/topics/backtest"]["post"]["responses"]
    assert described["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Backtest"}
