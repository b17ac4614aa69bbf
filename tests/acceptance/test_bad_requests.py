"""Wrong input over HTTP: an answer of 4xx that says what is wrong, and not a row more or less than before.

Only `tocsin web` runs: what a worker would do with what was stored is none of its business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import API_KEY, Installation, until
from tests.http import NO_TLS

ARTICLES = "/api/v1/articles"
SUBSCRIPTIONS = "/api/v1/subscriptions"
GOOD = {"title": "A good title", "body": "A good body."}
WISH = {"email": "new@reader.example", "topics": ["good"], "cadence": "daily"}


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Iterator[Installation]:
    """An installation with one topic, whose pages and API are served."""
    house = make_module_installation()
    house.migrated()
    (house.folder / "t.yaml").write_text("- slug: good\n  name: {en: Good}\n  query: russia\n")
    house.told("topics", "import", "t.yaml")
    with house.start("web") as running:

        def answers() -> bool:
            try:
                return httpx.get(f"{house.url}/healthz", timeout=5, verify=NO_TLS).status_code == 200
            except httpx.HTTPError:
                return False

        until(answers, within_s=30, what="/healthz answers", tell=lambda: running.said)
        yield house
        said = running.said
    assert "Traceback" not in said
    assert "@reader.example" not in said  # addresses never enter logs


@pytest.fixture(autouse=True)
def nothing_is_stored(house: Installation) -> Iterator[None]:
    before = house.rows()
    yield
    assert house.rows() == before


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem details of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told


# The API -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [ARTICLES, SUBSCRIPTIONS])
@pytest.mark.parametrize("key", ["", "wrong", API_KEY[:-1], API_KEY + "x", "kéy"], ids=range(5))
def test_without_the_right_key_nothing_is_taken(house, path, key):
    headers = {b"Authorization": f"Bearer {key}".encode()} if key else {}
    answer = httpx.post(f"{house.url}{path}", json=GOOD, headers=headers, timeout=20, verify=NO_TLS)
    assert "API key" in problem(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b"\xff\xfe", b'{"title": "x",}', b"[" * 100_000])
def test_garbage_is_no_json(house, body):
    answer = post_bytes(house, ARTICLES, body)
    assert problem(answer, answer.status_code)["detail"]
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], "#"),
        ({}, "#"),
        ({"title": 7}, "#/title"),
        ({**GOOD, "titel": "x"}, "#/titel"),
        ({**GOOD, "published_at": "yesterday"}, "#/published_at"),
        ({**GOOD, "published_at": "2026-11-23T12:00:00"}, "#/published_at"),
        ({**GOOD, "severity": "apocalyptic"}, "#/severity"),
        ({**GOOD, "url": "javascript:alert(1)"}, "#/url"),
        ({**GOOD, "title": "A \0 title"}, "#/title"),
        ({**GOOD, "body": "A \0 body"}, "#/body"),
        ({**GOOD, "tags": ["fine", "\0"]}, "#/tags"),
        ({**GOOD, "body": "word " * 500_000}, "#/body"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_article_is_refused_by_its_field(house, body, pointer):
    told = problem(house.post(ARTICLES, body), 422)
    assert any(error["pointer"].startswith(pointer) for error in told["errors"]), told
    assert told["detail"]


def test_a_lone_surrogate_is_no_text(house):
    answer = post_bytes(house, ARTICLES, b'{"title": "\\ud800", "body": "x"}')
    assert 400 <= answer.status_code < 500, answer.text


def test_a_body_of_five_megabytes_is_too_large(house):
    answer = post_bytes(house, ARTICLES, json.dumps({**GOOD, "body": "word " * 1_000_000}).encode())
    problem(answer, 413)


def test_an_endless_body_is_too_large(house):
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 65_536

    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    try:
        answer = httpx.post(f"{house.url}{ARTICLES}", content=endless(), headers=headers, timeout=20, verify=NO_TLS)
    except httpx.WriteError:  # it hung up on us, which is an answer too
        return
    problem(answer, 413)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a\0b@reader.example"}, "email"),
        ({"email": "new@reader.example\r\nBcc: victim@reader.example"}, "email"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"locale": "not a language!"}, "locale"),
        ({"cadence": "hourlyish"}, "cadence"),
        ({"at": ["25:00"]}, "at"),
        ({"topics": ["no-such-topic"]}, "topics"),
        ({"topics": ["NOT A SLUG"]}, "topics"),
        ({"query": "north (korea"}, "query"),
        ({"query": "NOT russia"}, "query"),
    ],
    ids=str,
)
def test_a_wrong_wish_is_refused_by_its_field(house, change, field):
    told = problem(house.post(SUBSCRIPTIONS, WISH | change), 422)
    assert any(field in error["pointer"] for error in told["errors"]), told


@pytest.mark.parametrize("path", [ARTICLES, SUBSCRIPTIONS])
def test_a_get_on_what_takes_posts_is_told_so(house, path):
    problem(httpx.get(f"{house.url}{path}", verify=NO_TLS), 405)


# The pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"email": "nobody"}, "name@example.org"),
        ({"email": ""}, "name@example.org"),
        ({"email": "new@reader.example\nBcc: victim@reader.example"}, "name@example.org"),
        ({"timezone": "Mars/Base"}, "Choose a place"),
        ({"query": "north (korea"}, "bracket"),
        ({"topics": []}, "Choose a topic"),
        ({"topics": "no-such-topic"}, "not there any more"),
        ({"cadence": "hourlyish"}, "how often"),
        ({"at": "25:00"}, "07:00"),
    ],
    ids=str,
)
def test_a_wrong_form_comes_back_with_what_is_wrong_and_what_was_typed(house, change, said):
    form = {"email": "new@reader.example", "topics": "good", "cadence": "daily", "timezone": "Europe/Oslo", **change}
    answer = httpx.post(f"{house.url}/subscribe", data=form, timeout=20, verify=NO_TLS)
    assert answer.status_code == 422
    assert said in answer.text


def test_markup_that_was_typed_comes_back_as_text(house):
    form = {"email": '"><script>alert(1)</script>', "query": "</textarea><script>", "name": "<b>", "cadence": "daily"}
    answer = httpx.post(f"{house.url}/subscribe", data=form, timeout=20, verify=NO_TLS)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "</textarea><script>" not in answer.text


@pytest.mark.parametrize("path", ["confirm", "preferences", "unsubscribe", "m"])
@pytest.mark.parametrize("token", ["x", "0.a.bc", "0.1.1.AAAA", "%00", "a" * 5_000])
def test_a_forged_link_opens_nothing(house, path, token):
    for method in ("GET", "POST"):
        answer = httpx.request(method, f"{house.url}/{path}/{token}", timeout=20, verify=NO_TLS)
        assert answer.status_code in {404, 405, 410, 414, 431}, answer.text


def test_a_form_of_a_megabyte_is_too_large(house):
    form = {"email": "new@reader.example", "query": "x" * 1_000_000}
    assert httpx.post(f"{house.url}/subscribe", data=form, timeout=20, verify=NO_TLS).status_code == 413


def post_bytes(house: Installation, path: str, body: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    return httpx.post(f"{house.url}{path}", content=body, headers=headers, timeout=20, verify=NO_TLS)
