"""A web server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.preflight.servers import Web, serving


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server
