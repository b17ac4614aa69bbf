"""The API's own description is true: schemathesis asks a real server whatever it allows, and much that it does not.

Every answer is one that the description has, in the shape that it says, and none is a failure of ours.
"""

from __future__ import annotations

import re

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode, checks
from schemathesis.core.result import Ok

from tests import builders
from worker.intake import run_sources
from worker.intake.listing.entries import Entry
from worker.model import EditionKind
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.web import api

from .newspaper import API_KEY

pytestmark = pytest.mark.slow

EXAMPLES = 20
NEEDS_LUCK = {  # what is sent must fit what is there, or itself: tests of their own do that
    "POST /api/v1/topics",
    "PATCH /api/v1/topics/{slug}",
    "POST /api/v1/subscribers/lookup",
    "POST /api/v1/editions/{edition_id}/test-send",
    "DELETE /api/v1/topics/{slug}",
    "POST /api/v1/sources",
    "POST /api/v1/webhooks",
    "PATCH /api/v1/webhooks/{endpoint_id}",
    "POST /api/v1/webhooks/{endpoint_id}/test",
}
BEARER = {"Authorization": f"Bearer {API_KEY}"}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.allow_header_conformance,
    checks.unsupported_method,
    checks.ignored_auth,
]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, make_url):
    """What is written reaches a database that is particular about it."""
    return make_url(request.param)


@pytest.fixture
def newspaper(open_newspaper, monkeypatch):
    """A newspaper with a bit of everything."""
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)  # there is no worker that would match anything
    opened = open_newspaper()
    for number in range(3):
        opened.joins(f"reader{number}@example.org", "oman", "russia")
    return opened


@pytest.fixture
def there(newspaper, issue):
    """What there is of each thing that a path may name."""
    with newspaper.house.database.write() as conn:
        articles = [builders.article(conn, f"Envoy {number} summoned") for number in range(3)]
        told = articles[2][1]  # of which nothing is corrected or killed: that would end its alert
        alert = builders.edition(conn, [builders.reader(conn)], kind=EditionKind.ALERT, story=told)
    # A name that no try connects to: nothing leaves this machine.
    endpoint, _ = run_endpoints.add(newspaper.house.database, Wish(url="https://localhost/"), actor="a test")
    source = run_sources.add(newspaper.house.database, Entry(url="https://localhost/feed"), actor="a test")
    subscriber = newspaper.reader("reader0@example.org").id

    def name(path):
        is_draft = re.search("draft|preview|approve|skip|test-send", path)
        known = {
            "article_id": articles[path.endswith("kill")][0],
            "edition_id": issue if is_draft else alert,
            "subscriber_id": subscriber,
            "endpoint_id": endpoint.id,
            "source_id": source.row.id,
            "slug": "oman",
            "command": "pause",
        }
        return {name: value for name, value in known.items() if f"{{{name}}}" in path} or None

    return name


@pytest.fixture
def operations(newspaper):
    description = schemathesis.openapi.from_url(f"{newspaper.url}/api/openapi.json")
    found = list(description.get_all_operations())
    assert len(found) > 25
    return [one.ok() for one in found if isinstance(one, Ok)]


def test_no_answer_is_undescribed_whatever_is_sent(operations):
    for operation in operations:
        assert statuses(operation, GenerationMode.NEGATIVE) & {*range(400, 500)}, operation.label


def test_no_answer_is_undescribed_when_all_is_well(operations, there):
    operations.sort(key=lambda operation: operation.method == "delete")  # what is there is looked at first
    seen = {}
    for operation in operations:
        known = there(operation.path)
        seen[operation.label] = statuses(operation, GenerationMode.POSITIVE, path_parameters=known)
    unlucky = {label: found for label, found in seen.items() if not found & {*range(200, 300)}}
    assert {label: found for label, found in unlucky.items() if label not in NEEDS_LUCK} == {}


def statuses(operation, mode, **fixed):
    """Ask for an operation in many ways, hold each answer against its description, and return the statuses seen."""
    seen = set()

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode, **fixed))
    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case):
        seen.add(case.call_and_validate(headers=BEARER, checks=CHECKS, timeout=60).status_code)

    ask()
    return seen
