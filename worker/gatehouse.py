"""What guards the sign-up pages of an installation, as its settings describe it: budgets of senders and of mailboxes.

Everything is made when first asked for. `wiring` builds the rest of the house on it; nobody else imports this.
"""

from __future__ import annotations

import functools

from worker import policies
from worker.foundation import Foundation
from worker.signup.budgets import Budgets
from worker.signup.run import Limits
from worker.signup.run_budgets import Purse


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
