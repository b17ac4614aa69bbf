"""Events come in any order, and again and again: whatever they do, they end in the same."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests import builders
from tests.thorough import thorough
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import PRE_COMMIT, State
from worker.model import DeliveryId

from .listening import Listening

TOLD: list[dict[str, Any]] = [
    {"kind": EventKind.QUEUED},
    {"kind": EventKind.DELIVERED},
    {"kind": EventKind.DEFERRED},
    {"kind": EventKind.BOUNCED, "hard": False},
    {"kind": EventKind.BOUNCED, "hard": True},
    {"kind": EventKind.BOUNCED, "status": "5.0.0"},
    {"kind": EventKind.BOUNCED, "status": "5.7.1"},
    {"kind": EventKind.REJECTED, "hard": True},
    {"kind": EventKind.REJECTED},
    {"kind": EventKind.FAILED},
    {"kind": EventKind.COMPLAINED},
    {"kind": EventKind.AUTORESPONDED},
    {"kind": EventKind.UNSUBSCRIBED},
    {"kind": EventKind.UNKNOWN},
]
SAID = st.tuples(st.sampled_from(TOLD), st.integers(0, 40))
DAYS = st.lists(st.integers(0, 9), unique=True, min_size=6, max_size=10)
# Enough days of soft bounces for the threshold, unless a delivery lies among them.
SCORED = st.builds(
    lambda bounced, delivered: [(TOLD[3], day) for day in bounced] + [(TOLD[1], day) for day in delivered],
    DAYS,
    st.lists(st.integers(0, 9), max_size=2),
)


def left_by(listening: Listening, state: State, told: list[FeedbackEvent], *, at_once: bool) -> tuple[object, ...]:
    """Let a fresh delivery hear this, and return how things stand afterwards."""
    (delivery,) = listening.deliveries(state=state)
    mine = [dataclasses.replace(event, delivery_id=delivery, event_id=f"{event.event_id} {delivery}") for event in told]
    for group in [mine] if at_once else [[event] for event in mine]:
        listening.hears(*group)
    return stand(listening, delivery)


def stand(listening: Listening, delivery: DeliveryId) -> tuple[object, ...]:
    row = listening.row(delivery)
    kept = [(event.kind, event.occurred_at) for event in listening.events() if event.delivery_id == delivery]
    return row.state, listening.cause(row.recipient), listening.edition_status(delivery), sorted(kept)


@given(
    said=st.lists(SAID, max_size=5) | SCORED,
    state=st.sampled_from([State.PLANNED, State.DEFERRED, State.COMMITTING, State.UNKNOWN, State.ACCEPTED]),
    data=st.data(),
)
@thorough(few=8, many=25, suppress_health_check=list(HealthCheck))
def test_any_order_and_any_repetition_end_in_the_same(database, said, state, data):
    listening = Listening(database, threshold=3)
    now = builders.time_of(database)
    told = [listening.event(**values, occurred_at=now - timedelta(days=days)) for values, days in said]
    # What a provider did not even try may go out by another: only there does it matter what was heard before.
    told = [one for one in told if state not in PRE_COMMIT or one.kind not in {EventKind.REJECTED, EventKind.FAILED}]
    again = data.draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
    shuffled = data.draw(st.permutations(told + again))
    assert left_by(listening, state, told, at_once=True) == left_by(listening, state, list(shuffled), at_once=False)
