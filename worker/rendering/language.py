"""The languages that mails and pages speak: their catalogues, and dates and lists in their manner.

Reads `templates/locales/*/LC_MESSAGES/messages.po` once, at start, and a theme's over them; there are no compiled .mo
files to build or forget. Decides nothing about content. `theme_files` keeps them; `compile` gives a language to the
views and the templates; the web pages may, too.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from worker.errors import ConfigurationError

SOURCE_LANGUAGE = "en"  # the templates' own; what a reader gets whose language has no catalogue


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)  # each is read once, and a catalogue takes long to compare
class Language:
    """One language; `tag` is fit for `lang` attributes and Content-Language."""

    tag: str
    locale: Locale
    catalogue: Translations

    @classmethod
    def of(cls, tag: str, compiled: bytes) -> Language:
        """Read a language of its compiled catalogue."""
        catalogue = Translations(fp=io.BytesIO(compiled))
        return cls(tag=tag, locale=Locale.parse(tag, sep="-"), catalogue=catalogue)

    @property
    def direction(self) -> str:
        """Return "ltr" or "rtl"."""
        return str(self.locale.text_direction)

    def gettext(self, message: str) -> str:
        """Translate a sentence."""
        return str(self.catalogue.gettext(message))

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a sentence that has a number in it."""
        return str(self.catalogue.ngettext(singular, plural, number))

    def day(self, value: date) -> str:
        """Write a date in full, with its weekday."""
        return format_date(value, "full", locale=self.locale)

    def moment(self, value: datetime, zone: tzinfo = UTC, *, with_year: bool = False) -> str:
        """Write a point in time, briefly and unbreakably: "Nov 23, 14:05 UTC"."""
        local = value.astimezone(zone)
        day = format_skeleton("yMMMd" if with_year else "MMMd", local, locale=self.locale)
        time = f"{format_skeleton('Hm', local, locale=self.locale)} {local.tzname()}"
        return str(self.locale.datetime_formats["medium"]).format(time, day).replace(" ", "\N{NO-BREAK SPACE}")

    def listing(self, words: Iterable[str]) -> str:
        """Join words as a sentence does: "A, B, and C"."""
        return format_list(list(words), locale=self.locale)

    def either(self, words: Iterable[str]) -> str:
        """Join words of which one is enough: "A, B, or C"."""
        return format_list(list(words), style="or", locale=self.locale)


def direction_of(text: str) -> str:
    """Return the direction of a text's first letter that has one (Unicode UAX #9, P2 and P3); "" for none.

    >>> direction_of("“Seoul”"), direction_of("2026: سيول"), direction_of("7 · 9")
    ('ltr', 'rtl', '')
    """
    kinds = (unicodedata.bidirectional(char) for char in text)
    first = next((kind for kind in kinds if kind in {"L", "R", "AL"}), "")
    return {"L": "ltr", "R": "rtl", "AL": "rtl"}.get(first, "")


class Languages:
    """All languages that have a catalogue in any of the folders; a later one's sentences take an earlier's place.

    `compiled` has their catalogues as they were compiled; given, it is read in place of folders.
    """

    def __init__(self, *folders: Path, compiled: Mapping[str, bytes] | None = None) -> None:
        files: dict[str, list[Path]] = {}
        for file in (found for root in folders for found in sorted(root.glob("*/LC_MESSAGES/messages.po"))):
            files.setdefault(file.parent.parent.name.replace("_", "-"), []).append(file)
        stamped = {tag: tuple((file, file.stat().st_mtime_ns) for file in found) for tag, found in files.items()}
        self.compiled = compiled or {tag: _compiled(found) for tag, found in stamped.items()}
        self._known = {tag: _read(tag, catalogue) for tag, catalogue in self.compiled.items()}
        if SOURCE_LANGUAGE not in self._known:
            where = f" in {folders[0]}" if folders else ""
            raise ConfigurationError(f"no {SOURCE_LANGUAGE}/LC_MESSAGES/messages.po{where}")

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the known tags, sorted."""
        return tuple(sorted(self._known))

    def best(self, locale: str) -> Language:
        """Return the language for a reader's locale ("ko-KR", "ko"): itself, else its base, else English."""
        tag = locale.replace("_", "-")
        return self._known.get(tag) or self._known.get(tag.partition("-")[0]) or self._known[SOURCE_LANGUAGE]


def read_catalogue(file: Path) -> Catalog:
    """Read a catalogue. Raises `ConfigurationError`, with the line where there is one."""
    tag = file.parent.parent.name.replace("_", "-")
    try:
        locale = Locale.parse(tag, sep="-")
        with file.open("rb") as stream:
            return read_po(stream, locale=str(locale), abort_invalid=True)
    except PoFileError as error:
        where = f"{file}, line {error.lineno + 1}" if error.lineno else f"{file}"
        raise ConfigurationError(f"{where}: {error}") from error
    except (UnknownLocaleError, ValueError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


_read = lru_cache(maxsize=64)(Language.of)  # once a process, so that whatever is kept for a language is kept once


@lru_cache(maxsize=64)
def _compiled(files: tuple[tuple[Path, int], ...]) -> bytes:
    """Compile a language's catalogues: once a process, as mails and pages speak the same, and again after a change."""
    first, *more = [read_catalogue(file) for file, _ in files]
    for message in (found for catalogue in more for found in catalogue if found.id and found.string):
        if isinstance(message.string, str) or all(message.string or ()):
            first.delete(message.id, message.context)  # else what is there already would stay
            first[message.id] = message
    compiled = io.BytesIO()
    try:
        write_mo(compiled, first)
    except ValueError as error:
        raise ConfigurationError(f"{files[0][0]}: {error}") from error
    return compiled.getvalue()
