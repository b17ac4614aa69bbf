"""What a reader has chosen, as letters about it tell it: what they follow, when it comes, and when it does not.

Holds a moment's state, to be told or to be compared with a later one. Decides nothing. The store reads it, signup keeps
one until a letter is due, planning puts it into contents, rendering words it.
"""

from __future__ import annotations

from datetime import datetime

from worker.content.cards import Frozen
from worker.model import BelowFloor, Cadence


class Subscribed(Frozen):
    """One thing that a reader follows. Newsletters come by a `schedule`, all else by the reader's rhythm."""

    target: str  # what it is, whatever it is called: "topic 7", "newsletter 2"
    name: dict[str, str]  # by language; of a query of the reader's own, its words under "en"
    is_own: bool = False
    cadence: Cadence | None = None  # none for a newsletter
    times: tuple[str, ...] = ()  # local, "07:00"
    weekday: int | None = None  # ISO, 1 is Monday
    schedule: str = ""  # an RRULE
    zone: str = ""  # in which the schedule's times are meant; "" by the reader's own clock
    next_at: datetime | None = None

    def wish(self) -> tuple[object, ...]:
        """Return what of it is the reader's choice: no name, no editor's schedule, no date."""
        return self.target, self.cadence, self.times, self.weekday


class Choices(Frozen):
    """Everything that a reader may choose. `paused_until` is None also for a pause without an end."""

    locale: str
    timezone: str
    is_paused: bool = False
    paused_until: datetime | None = None
    quiet: tuple[str, str] | None = None  # local, ("22:00", "07:00")
    alert_budget: int | None = None  # None: the house's; 0: no limit
    digest_floor: int = 1
    below_floor: BelowFloor = BelowFloor.MERGE
    follows: tuple[Subscribed, ...] = ()

    def wishes(self) -> tuple[object, ...]:
        """Return what two states must have in common for nothing to have been changed by their reader.

        >>> oman = Subscribed(target="topic 7", name={"en": "Oman"}, cadence=Cadence.DAILY, times=("07:00",))
        >>> was = Choices(locale="en", timezone="UTC", follows=(oman,))
        >>> renamed = was.model_copy(update={"follows": (oman.model_copy(update={"name": {"en": "Muscat"}}),)})
        >>> was.wishes() == renamed.wishes(), was.wishes() == was.model_copy(update={"locale": "ko"}).wishes()
        (True, False)
        """
        return (
            self.locale,
            self.timezone,
            self.is_paused,
            self.paused_until,
            self.quiet,
            self.alert_budget,
            # What becomes of fewer stories means nothing where every story is enough.
            (self.digest_floor, self.below_floor if self.digest_floor > 1 else None),
            frozenset(one.wish() for one in self.follows),
        )

    def at(self, moment: datetime) -> Choices:
        """Return the state as it is, or would have become by itself, at a moment: a pause may be over by then."""
        if self.paused_until is None or self.paused_until > moment:
            return self
        return self.model_copy(update={"is_paused": False, "paused_until": None})
