"""What pause, resume and cancel make of an edition, wherever it stands."""

from __future__ import annotations

from itertools import product

import pytest

from worker.delivery.steering import TABLE, Command, Refused, follow
from worker.model import EditionStatus

ENDED = {EditionStatus.CANCELLED, EditionStatus.FINISHED}


def test_every_status_answers_every_command():
    for status, command in product(EditionStatus, Command):
        assert isinstance(TABLE[status][command], EditionStatus | Refused)


def test_a_command_that_was_followed_can_be_repeated_and_changes_nothing_more():
    for status, command in product(EditionStatus, Command):
        following = follow(status, command)
        if isinstance(following, EditionStatus) and command is not Command.RESUME:
            assert follow(following, command) is following


def test_what_has_ended_is_never_sent_again():
    for status, command in product(ENDED, Command):
        assert follow(status, command) not in set(EditionStatus) - ENDED


@pytest.mark.parametrize("status", [EditionStatus.PAUSED, EditionStatus.HELD])
def test_what_was_stopped_goes_on_when_it_is_resumed(status):
    assert follow(status, Command.RESUME) is EditionStatus.SENDING


def test_everything_that_has_not_ended_can_be_cancelled():
    for status in set(EditionStatus) - ENDED:
        assert follow(status, Command.CANCEL) is EditionStatus.CANCELLED
