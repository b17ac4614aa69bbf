"""What we have learnt to read better is read again, and its consequences follow; what was right stays as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from worker.errors import InputError
from worker.feedback.run_again import Change, classify_again
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import State


class Learnt:
    """A reader that knows now what each raw form says."""

    def __init__(self, *told: tuple[str, FeedbackEvent]) -> None:
        self.told = told

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        del received_at
        if raw == "broken":
            raise InputError("unreadable")
        return [event for form, event in self.told if form == raw]


@pytest.fixture
def again(listening):
    def run(*told: tuple[str, FeedbackEvent], **options: Any) -> list[Change]:
        changes = list(classify_again(listening.database, {"postmark": Learnt(*told)}, **options))
        while listening.feedback.settle():
            pass
        return changes

    return run


def keep(listening, raw: str, event: FeedbackEvent) -> FeedbackEvent:
    listening.feedback.store([(event, raw)])
    listening.feedback.settle()
    return event


def test_what_was_unknown_leads_to_what_it_says_once_it_is_understood(listening, again):
    (delivery,) = listening.deliveries()
    unknown = keep(listening, "raw", listening.event(EventKind.UNKNOWN, delivery_id=delivery))
    bounce = dataclasses.replace(unknown, kind=EventKind.BOUNCED, status="5.1.1")
    assert again(("raw", bounce), dry_run=True) == [Change(before=unknown, after=bounce)]
    assert listening.state(delivery) is State.ACCEPTED
    assert again(("raw", bounce)) == [Change(before=unknown, after=bounce)]
    assert listening.state(delivery) is State.BOUNCED
    assert listening.cause(listening.recipient(delivery)) == "bounce"
    assert again(("raw", bounce)) == []


def test_a_suppression_ends_when_what_led_to_it_was_misread(listening, again):
    first, second = listening.deliveries(2)
    misread = keep(listening, "one", listening.event(EventKind.BOUNCED, delivery_id=first, hard=True))
    right = keep(listening, "two", listening.event(EventKind.BOUNCED, delivery_id=second, hard=True))
    soft = dataclasses.replace(misread, hard=False, status="5.2.2")
    assert again(("one", soft), ("two", right)) == [Change(before=misread, after=soft)]
    assert listening.cause(listening.recipient(first)) is None
    assert listening.cause(listening.recipient(second)) == "bounce"


def test_what_else_is_known_of_an_address_speaks_once_more(listening, again):
    (delivery,) = listening.deliveries()
    misread = keep(listening, "one", listening.event(EventKind.BOUNCED, delivery_id=delivery, hard=True))
    other = keep(listening, "two", listening.event(EventKind.BOUNCED, delivery_id=delivery, status="5.1.1"))
    again(("one", dataclasses.replace(misread, hard=False)), ("two", other))
    assert listening.cause(listening.recipient(delivery)) == "bounce"


def test_a_second_event_in_what_was_kept_is_found_later(listening, again):
    (delivery,) = listening.deliveries()
    kept = keep(listening, "raw", listening.event(EventKind.REJECTED, delivery_id=delivery))
    complaint = dataclasses.replace(kept, event_id=f"{kept.event_id} more", kind=EventKind.COMPLAINED)
    assert again(("raw", kept), ("raw", complaint)) == [Change(before=None, after=complaint)]
    assert listening.state(delivery) is State.COMPLAINED
    assert again(("raw", kept), ("raw", complaint)) == []


def test_what_nobody_can_read_any_more_stays_as_it_is(listening, again):
    (delivery,) = listening.deliveries()
    for raw in ("broken", "empty", ""):
        keep(listening, raw, listening.event(EventKind.BOUNCED, delivery_id=delivery, hard=True))
    before = listening.events()
    assert again() == []
    assert list(classify_again(listening.database, {})) == []
    assert listening.events() == before


def test_a_defect_that_is_mended_has_cost_nothing(listening, again):
    (delivery,) = listening.deliveries()
    event = listening.event(EventKind.BOUNCED, delivery_id=delivery)
    means, listening.feedback._means = listening.feedback._means, None  # a defect, for a while
    keep(listening, "raw", event)
    assert listening.outcomes() == ["failed: AttributeError"]
    listening.feedback._means = means
    assert again(("raw", event)) == []
    assert listening.state(delivery) is State.BOUNCED


def test_only_the_provider_that_was_asked_for_is_read_again(listening, again):
    kept = keep(listening, "raw", listening.event(EventKind.UNKNOWN))
    other = dataclasses.replace(kept, kind=EventKind.DELIVERED)
    assert again(("raw", other), provider="mailgun") == []
    assert again(("raw", other), provider="postmark") == [Change(before=kept, after=other)]
