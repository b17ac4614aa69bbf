"""The part of the preferences form that holds for all of a reader's mail: quiet hours, alerts a day, smallest digest.

Parses and fills in; `signup` decides. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from worker.errors import InputError
from worker.model import BelowFloor
from worker.rendering.language import Language
from worker.signup.terms import NONE, Terms, read_budget, read_floor, read_quiet
from worker.store.people import Reader


@dataclass(kw_only=True, slots=True)
class TermsDraft:
    """The fields, as text. Blank quiet hours are none, a blank budget is the house's."""

    quiet_from: str = ""
    quiet_to: str = ""
    budget: str = ""
    floor: str = "1"
    below: str = BelowFloor.MERGE

    @classmethod
    def of(cls, reader: Reader) -> TermsDraft:
        """Fill the fields from what is stored."""
        return cls(
            quiet_from=reader.quiet_from or "",
            quiet_to=reader.quiet_to or "",
            budget="" if reader.alert_budget is None else str(reader.alert_budget),
            floor=str(reader.digest_floor),
            below=reader.below_floor,
        )

    @classmethod
    def sent(cls, text: Callable[[str], str]) -> TermsDraft:
        """Fill the fields from what was sent; `text` returns a field's."""
        return cls(
            quiet_from=text("quiet_from"),
            quiet_to=text("quiet_to"),
            budget=text("alert_budget"),
            floor=text("digest_floor") or "1",
            below=text("below_floor") or BelowFloor.MERGE,
        )

    def read(self, language: Language, errors: dict[str, str]) -> Terms | None:
        """Return what the fields say, None where something is wrong, which then stands in `errors` by field."""
        faulty: dict[str, str] = {}
        quiet = budget = None
        floor = 1
        try:
            quiet = read_quiet(f"{self.quiet_from}-{self.quiet_to}" if self.quiet_from or self.quiet_to else NONE)
        except InputError:
            faulty["quiet_from"] = language.gettext("Write two different times, such as 22:00 and 07:00, or none.")
        try:
            budget = read_budget(self.budget or NONE)
        except InputError:
            faulty["alert_budget"] = language.gettext("Write a number of alerts from 0 to 1000, or none.")
        try:
            floor = read_floor(self.floor)
        except InputError:
            faulty["digest_floor"] = language.gettext("Write a number of stories from 1 to 100.")
        errors.update(faulty)
        if faulty:
            return None
        below = BelowFloor.SKIP if self.below == BelowFloor.SKIP else BelowFloor.MERGE
        return Terms(quiet=quiet, budget=budget, floor=floor, below=below)
