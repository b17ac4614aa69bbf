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
from worker.model import EditionKind
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.web import api

from .newspaper import API_KEY

pytestmark = pytest.mark.slow

EXAMPLES = 40
NEEDS_LUCK = {  # what is asked for must fit what is there: tests of their own do that
    "POST /api/v1/subscribers/lookup",
    "POST /api/v1/editions/{edition_id}/test-send",
    "DELETE /api/v1/topics/{slug}",
    "POST /api/v1/webhooks",
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


@pytest.fixture
def newspaper(open_newspaper, monkeypatch):
    """A newspaper with a bit of everything: its numbers 1 to 5 are all there."""
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)  # there is no worker that would match anything
    opened = open_newspaper()
    for number in range(1, 6):
        opened.joins(f"reader{number}@example.org", "oman", "russia")
        opened.mails(f"reader{number}@example.org")
    with opened.house.database.write() as conn:
        for number in range(1, 6):
            _, story = builders.article(conn, f"Envoy {number} summoned")
            builders.edition(conn, [builders.reader(conn)], kind=EditionKind.ALERT, story=story)
    for _ in range(2):
        # A name that no try connects to: nothing leaves this machine.
        run_endpoints.add(opened.house.database, Wish(url="https://localhost/"), actor="a test")
    return opened


@pytest.fixture
def operations(newspaper):
    description = schemathesis.openapi.from_url(f"{newspaper.url}/api/openapi.json")
    found = list(description.get_all_operations())
    assert len(found) > 25
    return [one.ok() for one in found if isinstance(one, Ok)]


def test_no_answer_is_undescribed_whatever_is_sent(operations):
    for operation in operations:
        assert statuses(operation, GenerationMode.NEGATIVE) & {*range(400, 500)}, operation.label


def test_no_answer_is_undescribed_when_all_is_well(operations, issue):
    for operation in operations:
        path = operation.path
        known = {
            "article_id": 2 if path.endswith("kill") else 1,
            "edition_id": issue if re.search("draft|preview|approve|skip|test-send", path) else 6,
            "subscriber_id": 1,
            "endpoint_id": 2 if operation.method.upper() == "DELETE" else 1,
            "slug": "oman",
            "command": "pause",
        }
        there = {name: value for name, value in known.items() if f"{{{name}}}" in path}
        seen = statuses(operation, GenerationMode.POSITIVE, path_parameters=there or None)
        assert seen & {*range(200, 300)} or operation.label in NEEDS_LUCK, (operation.label, seen)


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
