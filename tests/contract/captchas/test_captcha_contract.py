"""What every captcha keeps to: its own puzzles only, each by one name, and no harm from whatever is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.captchas.altcha import AltchaCaptcha
from worker.adapters.captchas.patience import PatienceCaptcha
from worker.ports import Captcha
from worker.tokens import Tokens

NOW = datetime.now(UTC)


def find_number(challenge: str) -> str:
    posed = altcha.Challenge.from_dict(json.loads(challenge))
    solution = altcha.solve_challenge(posed)
    assert solution is not None
    return altcha.Payload(posed, solution).to_base64()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A captcha, what solves its puzzles, and how long that takes its solver."""

    made: Callable[[str], Captcha]
    solve: Callable[[str], str]
    takes: timedelta
    lasts: timedelta


KINDS = {
    "altcha": Kind(
        made=lambda secret: AltchaCaptcha(secret=secret),
        solve=find_number,
        takes=timedelta(0),
        lasts=timedelta(minutes=21),
    ),
    "patience": Kind(
        made=lambda secret: PatienceCaptcha(Tokens([secret])),
        solve=str,
        takes=timedelta(seconds=30),
        lasts=timedelta(hours=2),
    ),
}


@pytest.fixture(params=KINDS, scope="module")
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def solved(kind):
    """A captcha, and a puzzle of it with its solution."""
    captcha = kind.made("a secret of this house")
    posed = captcha.pose(now=NOW)
    return captcha, posed, kind.solve(posed)


def test_a_solution_names_its_puzzle_always_by_the_same_name(kind, solved):
    captcha, _, solution = solved
    named = captcha.solved(solution, now=NOW + kind.takes)
    assert named
    assert captcha.solved(solution, now=NOW + kind.takes + timedelta(seconds=9)) == named
    assert kind.made("a secret of this house").solved(solution, now=NOW + kind.takes) == named


def test_two_puzzles_have_two_names(kind, solved):
    captcha, posed, solution = solved
    other = captcha.pose(now=NOW)
    assert other != posed
    other_solution = kind.solve(other)
    assert captcha.solved(other_solution, now=NOW + kind.takes) != captcha.solved(solution, now=NOW + kind.takes)


def test_a_solution_of_somebody_elses_puzzle_is_none(kind, solved):
    assert kind.made("another house").solved(solved[2], now=NOW + kind.takes) is None


def test_a_solution_does_not_last_for_ever(kind, solved):
    assert solved[0].solved(solved[2], now=NOW + kind.lasts) is None


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()))
def test_whatever_is_sent_does_no_harm(kind, given):
    assert kind.made("a secret of this house").solved(given, now=NOW) is None


@pytest.mark.parametrize("place", [0, 7, 40, -1])
def test_a_solution_that_was_changed_is_none(kind, solved, place):
    captcha, _, solution = solved
    changed = list(solution)
    changed[place] = "B" if changed[place] != "B" else "C"
    later = NOW + kind.takes
    assert captcha.solved("".join(changed), now=later) in {None, captcha.solved(solution, now=later)}


def test_altchas_number_must_be_the_right_one():
    captcha = AltchaCaptcha(secret="a secret of this house")
    payload = json.loads(base64.b64decode(find_number(captcha.pose(now=NOW))))
    payload["solution"]["counter"] += 1
    assert captcha.solved(base64.b64encode(json.dumps(payload).encode()).decode(), now=NOW) is None


def test_patience_counts_after_half_a_minute_and_not_before():
    captcha = PatienceCaptcha(Tokens(["a secret of this house"]))
    began = captcha.pose(now=NOW)
    assert captcha.solved(began, now=NOW + timedelta(seconds=28)) is None
    assert captcha.is_early(began, now=NOW + timedelta(seconds=28))
    assert captcha.solved(began, now=NOW + timedelta(seconds=31))
    assert not captcha.is_early(began, now=NOW + timedelta(seconds=31))
