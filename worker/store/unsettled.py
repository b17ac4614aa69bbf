"""The condition that a delivery is not settled yet, in the words of its partial index: SQLite recognises no others.

Whatever looks for the few rows that are under way among the millions that are not asks for it as well. A single state
stands before it in a condition: SQLite looks up what stands first. Decides nothing.
"""

from __future__ import annotations

from typing import Final

from worker.store.quick import any_of
from worker.store.schema import UNSETTLED, Delivery

IS_UNSETTLED: Final = any_of(Delivery.state, UNSETTLED)
