"""What stands at the gate of an installation, as its settings describe it: budgets, marks in forms, puzzles, a meter.

Everything is made when first asked for. `wiring` builds the rest of the house on it; nobody else imports this.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from worker import policies
from worker.adapters.captchas.patience import PatienceCaptcha
from worker.foundation import Foundation
from worker.measures import Measure, read_measures
from worker.ports import Captcha
from worker.signup.budgets import Budgets
from worker.signup.courtesies import Courtesies
from worker.signup.run_budgets import Purse
from worker.signup.suspicion import Demand
from worker.tokens import keyed_hash

if TYPE_CHECKING:
    from worker.measuring.run import Meter
    from worker.signup.run import Limits


class Gatehouse(Foundation):
    """The gate of a `House`."""

    @functools.cached_property
    def budgets(self) -> Budgets:
        """How much one sender may ask of the pages in an hour."""
        return policies.budgets(self.settings)

    @functools.cached_property
    def purse(self) -> Purse:
        """What keeps those budgets."""
        return Purse(self.redis_url, key=self.suppression_key)

    @property
    def question_limits(self) -> Limits:
        """How often mailboxes are asked for their consent."""
        return policies.question_limits(self.settings)

    @property
    def courtesies(self) -> Courtesies:
        """Which letters readers get unasked."""
        return policies.courtesies(self.settings)

    @property
    def puzzle_demand(self) -> Demand:
        """Which forms must come with a solved puzzle."""
        return Demand(self.settings.captcha)

    @functools.cached_property
    def puzzle(self) -> Captcha:
        """The puzzle that scripts solve."""
        from worker.adapters.captchas.altcha import AltchaCaptcha  # noqa: PLC0415  only the pages' process needs it

        return AltchaCaptcha(secret=keyed_hash(self.suppression_key, "captcha altcha"))

    @functools.cached_property
    def captchas(self) -> Sequence[Captcha]:
        """Everything that counts as solved: the puzzle, and to have waited, for browsers without scripts."""
        return (self.puzzle, self.patience)

    @functools.cached_property
    def patience(self) -> PatienceCaptcha:
        """What browsers without scripts do."""
        return PatienceCaptcha(self.tokens)

    @property
    def measures(self) -> frozenset[Measure]:
        """What is counted of mails."""
        return read_measures(self.settings.measure)

    @functools.cached_property
    def meter(self) -> Meter:
        """What counts, and tells where counted links lead."""
        from worker.measuring.run import Meter  # noqa: PLC0415  only the pages' process counts

        return Meter(self.database, measures=self.measures)

    def close_meter(self) -> None:
        """Write down what was counted."""
        if "meter" in self.__dict__:
            self.meter.close()

    @property
    def form_quickest(self) -> timedelta:
        """What a form takes at least to be filled in."""
        return timedelta(seconds=self.settings.form_quickest_s)

    @property
    def form_oldest(self) -> timedelta:
        """For how long a form may lie open."""
        return timedelta(seconds=self.settings.form_oldest_s)
