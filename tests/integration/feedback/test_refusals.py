"""An address that is refused while we are still on the line is as dead as one that bounces a minute later."""

from __future__ import annotations

import pytest

from worker.lifecycle import Happening, State
from worker.store import deliveries
from worker.store.deliveries import Outcome


def refuse(listening, **said):
    """Let a mail be refused; return its address."""
    (delivery,) = listening.deliveries(state=State.COMMITTING)
    outcome = Outcome(delivery_id=delivery, fence=0, happening=Happening.REFUSED, provider="relay", **said)
    with listening.database.write() as conn:
        deliveries.record(conn, [outcome])
        deliveries.record(conn, [outcome])  # the row has ended: nothing follows
    listening.feedback.settle()
    assert listening.state(delivery) is State.REFUSED
    return listening.recipient(delivery)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.10", "5.2.1"])
def test_a_refused_address_is_suppressed(listening, status):
    address = refuse(listening, code=550, enhanced=status, text="no such user")
    assert listening.cause(address) == "bounce"
    (event,) = listening.events()
    assert (event.kind, event.raw, event.outcome) == ("bounced", "", "the address is suppressed: bounce")


@pytest.mark.parametrize("said", [{"code": 550}, {"code": 422}, {"code": 550, "enhanced": "5.1.3"}, {}])
def test_a_refusal_that_may_have_other_reasons_only_counts(listening, said):
    assert listening.cause(refuse(listening, **said)) is None
    assert len(listening.events()) == 1


def test_other_outcomes_are_no_bounces(listening):
    (delivery,) = listening.deliveries(state=State.COMMITTING)
    with listening.database.write() as conn:
        deferred = Outcome(
            delivery_id=delivery, fence=0, happening=Happening.DEFERRED, provider="relay", code=451, retry_in_s=60
        )
        deliveries.record(conn, [deferred])
    assert listening.events() == []
