"""The API's own description is true: schemathesis asks a real server whatever it allows, and much that it does not.

Every answer is one that the description has, in the shape that it says, and none is a failure of ours.
"""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode, checks

from tests import builders
from worker.model import EditionKind
from worker.web import api, api_backtest

from .newspaper import API_KEY

pytestmark = pytest.mark.slow

EXAMPLES = 40
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
def description(open_newspaper, monkeypatch) -> Any:
    """What a server says of itself that has a bit of everything: its numbers 1 to 5 are all there."""
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)  # there is no worker that would match anything
    monkeypatch.setattr(api_backtest, "_TOTAL_S", 2.0)
    newspaper = open_newspaper()
    for number in range(1, 6):
        newspaper.joins(f"reader{number}@example.org", "oman", "russia")
        newspaper.mails(f"reader{number}@example.org")
    with newspaper.house.database.write() as conn:
        for number in range(1, 6):
            _, story = builders.article(conn, f"Envoy {number} summoned")
            builders.edition(conn, [builders.reader(conn)], kind=EditionKind.ALERT, story=story)
    return schemathesis.openapi.from_url(f"{newspaper.url}/api/openapi.json")


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_one_that_the_description_has(description, mode):
    found = [result.ok() for result in description.get_all_operations()]
    asked = {operation.label: statuses(operation, mode) for operation in found}
    assert len(asked) > 25
    wanted = range(200, 300) if mode is GenerationMode.POSITIVE else range(400, 500)
    assert [label for label, seen in asked.items() if not seen & {*wanted}] == []


def statuses(operation, mode):
    """Ask for an operation in many ways, hold each answer against its description, and return the statuses seen."""
    seen = set()

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case):
        seen.add(case.call_and_validate(headers=BEARER, checks=CHECKS, timeout=60).status_code)

    ask()
    return seen
