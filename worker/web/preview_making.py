"""Makes the mails that editors look at, with the templates as they are now; all sending keeps what it began with.

Notices a change of any template, checks a theme anew then, and goes on with the templates in force while the new ones
are faulty. One a web process; `preview_pages` asks it.
"""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from worker.errors import ConfigurationError
from worker.letters import Letters
from worker.rendering.theme_check import check
from worker.rendering.theme_files import Fault, read_theme, stamp_of
from worker.wiring import House


class Bench(NamedTuple):
    """What mails are made with. `stamp` changes with any file; `tags` are the languages."""

    stamp: str
    letters: Letters
    tags: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def is_faulty(self) -> bool:
        """Whether the files are not fit to be used, so that the templates in force are."""
        return any(fault.stops for fault in self.faults)


class Previews:
    """The last bench, kept until a file changes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bench: Bench | None = None

    def bench(self, house: House) -> Bench:
        """Return what to make mails with: a second of work after a change, else none."""
        stamp = stamp_of(house.theme_folder)
        with self._lock:
            if self._bench is None or self._bench.stamp != stamp:
                self._bench = _set_up(house, stamp)
            return self._bench


def _set_up(house: House, stamp: str) -> Bench:
    folder = house.theme_folder
    try:
        theme = read_theme(folder)
        faults = tuple(check(theme)) if folder else ()
        if not any(fault.stops for fault in faults):
            return Bench(stamp, house.letters_by(theme), theme.languages.tags, faults)
    except ConfigurationError as error:
        faults = (Fault(file=str(folder or "templates"), says=str(error)),)
    return Bench(stamp, house.shown_letters, house.theme.languages.tags, faults)
