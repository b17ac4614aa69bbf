"""What planning's tests share: a policy, one pass of planning, and small chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from worker.planning import run_alerts, run_digests
from worker.planning.run import Planned, Policy, plan
from worker.store.database import Database

POLICY = Policy(domain="courier.example", alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))


@pytest.fixture
def policy() -> Policy:
    return POLICY


@pytest.fixture
def planned(database: Database) -> Callable[[], Planned]:
    """Plan whatever is due now."""
    return lambda: plan(database, POLICY)


@pytest.fixture
def chunks_of_two() -> Iterator[None]:
    """Make a chunk two readers instead of hundreds, for the whole of a test whatever else it patches and undoes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_alerts, "CHUNK_READERS", 2)
        patch.setattr(run_digests, "CHUNK_READERS", {"postgresql": 2, "sqlite": 2})
        yield
