"""What every request of the API passes: rates, repetitions, and bodies that are no JSON."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.redis_server import redis_server
from worker.store import house
from worker.web import api
from worker.web.api_rates import Rates

from .newspaper import API_KEY

BEARER = {"Authorization": f"Bearer {API_KEY}"}
WISH = {"email": "jo@example.org", "topics": ["oman"]}
ARTICLE = {"title": "Port reopens", "url": "https://courier.example/port"}


@pytest.fixture(autouse=True)
def _nobody_waits_for_matching(monkeypatch):
    """There is no worker here that would match anything."""
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)


def post(newspaper, path, body, *, key=API_KEY, again=None, **options):
    headers = {"Authorization": f"Bearer {key}"} | ({"Idempotency-Key": again} if again is not None else {})
    return newspaper.post(f"/api/v1{path}", json=body, headers=headers, **options)


def articles_of(newspaper):
    return len(newspaper.snapshot()["article"])


# Again ---------------------------------------------------------------------------------------------------------------


def test_a_post_that_is_sent_again_happens_once_and_is_answered_alike(newspaper):
    first = post(newspaper, "/articles", ARTICLE, again='"0b7f"')
    before = newspaper.snapshot()
    again = post(newspaper, "/articles", ARTICLE, again="0b7f")  # bare is as good as quoted
    assert (first.status_code, first.json()["status"]) == (202, "new")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert newspaper.snapshot() == before


def test_another_body_or_place_under_the_same_key_is_refused(newspaper):
    post(newspaper, "/articles", ARTICLE, again="k")
    for path, body in (("/articles", ARTICLE | {"title": "Port closes"}), ("/subscriptions", ARTICLE)):
        refused = post(newspaper, path, body, again="k")
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert "another request" in refused.json()["detail"]
    assert articles_of(newspaper) == 1


def test_the_same_word_of_another_holder_is_another_key(newspaper):
    with newspaper.house.database.write() as conn:
        house.put_api_key(conn, name="cms", key="a key for pushing", scopes=["articles"])
    post(newspaper, "/articles", ARTICLE, again="k")
    told = post(
        newspaper, "/articles", ARTICLE | {"title": "Ferry sinks", "url": ""}, again="k", key="a key for pushing"
    )
    assert told.json()["status"] == "new"


def test_what_failed_may_be_mended_under_the_same_key(newspaper):
    assert post(newspaper, "/subscriptions", WISH | {"email": "nobody"}, again="k").status_code == 422
    assert post(newspaper, "/subscriptions", WISH, again="k").status_code == 202
    assert newspaper.status("jo@example.org") == "pending"


def test_of_many_at_once_one_happens_and_none_fails_otherwise_than_with_409(newspaper):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(newspaper, "/subscriptions", WISH, again="k"), range(16)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 409} <= {"1"}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers if answer.status_code == 202) == 1
    assert newspaper.house.rung == [("sweep_planning",)]


NO_KEYS = ["", "a b", "x" * 256, '""']


def test_what_is_no_key_is_told(newspaper):
    for word in NO_KEYS:
        assert post(newspaper, "/articles", ARTICLE, again=word).status_code == 400
        assert articles_of(newspaper) == 0


def test_neither_key_nor_body_is_stored(newspaper):
    post(newspaper, "/subscriptions", WISH, again="my-own-key")
    rows = repr(newspaper.snapshot()["request"])
    assert "jo@" not in rows
    assert "my-own-key" not in rows
    assert "received" not in rows  # nor can the answer be read


def test_a_stranger_learns_nothing_from_a_key(newspaper):
    post(newspaper, "/articles", ARTICLE, again="k")
    assert post(newspaper, "/articles", ARTICLE, again="k", key="nobody's").status_code == 401


# Bodies --------------------------------------------------------------------------------------------------------------


NO_JSON = ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]


def test_what_is_no_json_is_an_unsupported_media_type(newspaper):
    for kind in NO_JSON:
        answer = newspaper.post("/api/v1/articles", content=b'{"title": "x"}', headers=BEARER | {"Content-Type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
        assert articles_of(newspaper) == 0


# Rates ---------------------------------------------------------------------------------------------------------------


def test_a_key_that_asks_too_often_is_told_when_to_come_back(open_newspaper, tmp_path):
    with redis_server(tmp_path) as redis:
        newspaper = open_newspaper(redis_url=redis.url)
        with newspaper.house.database.write() as conn:
            for name in ("slow", "other"):
                house.put_api_key(conn, name=name, key=f"the {name} key", scopes=["editions"], rate_per_minute=3)
        asked = [
            newspaper.get("/api/v1/editions/7", headers={"Authorization": "Bearer the slow key"}) for _ in range(4)
        ]
        assert [answer.status_code for answer in asked] == [404, 404, 404, 429]
        assert [answer.headers["ratelimit"].split(";")[1] for answer in asked] == ["r=2", "r=1", "r=0", "r=0"]
        assert asked[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert 15 <= int(asked[3].headers["retry-after"]) <= 20
        assert asked[3].json()["status"] == 429
        other = newspaper.get("/api/v1/editions/7", headers={"Authorization": "Bearer the other key"})
        assert other.status_code == 404
        redis.stop()
        freed = newspaper.get("/api/v1/editions/7", headers={"Authorization": "Bearer the slow key"})
        assert (freed.status_code, "ratelimit" in freed.headers) == (404, False)


def test_the_count_is_exact_however_many_ask_at_once(tmp_path):
    with redis_server(tmp_path) as redis:
        rates = [Rates(redis.url) for _ in range(4)]  # as many processes
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda number: rates[number % 4].take("cms", per_minute=50), range(120)))
        assert sum(one.goes for one in told if one) == 50
        assert [one for one in told if one is None] == []
