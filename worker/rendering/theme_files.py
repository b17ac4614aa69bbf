"""The templates that are in force: ours, and over them an operator's own folder, read once and kept as they were.

Reads both folders whole, so that a file that is changed or lost later changes no mail until the next start, and no
template can reach a file outside of them. Decides only which file counts. `theme` makes environments of it,
`theme_check` looks for faults.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from worker.errors import ConfigurationError
from worker.rendering.language import Languages
from worker.resources import templates_dir

ORIGINALS: Final = "tocsin/"  # before a template's name: ours, also where the folder has another of this name
EMBED_SCRIPT: Final = "pages/embed.js"  # the one file that is neither a template nor served as it is
MAX_FILE_BYTES: Final = 1_000_000
MAX_FILES: Final = 1_000
_CATALOGUES: Final = "locales/"
_SERVED: Final = "pages/static/"  # by the web server, as they are


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What is wrong with a theme. `file` is relative to its folder; `line` is 0 where none can be named.

    `stops`: nothing starts with it; else it is only told. `hint` says what to write instead.
    """

    file: str
    line: int = 0
    says: str
    hint: str = ""
    stops: bool = True

    def __str__(self) -> str:
        """One line."""
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.says}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A template's text, and the file that it stood in."""

    path: Path
    text: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Theme:
    """All templates by their path below `templates/`; a theme is equal to itself only.

    `own` has those of the operator's folder, `files` all that was found there. `digest` changes with any of them.
    """

    folder: Path | None
    originals: Mapping[str, Source]
    own: Mapping[str, Source]
    files: frozenset[str]
    digest: str
    languages: Languages
    embed_script: str  # which puts the sign-up box on the newspaper's own pages

    def find(self, name: str) -> Source | None:
        """Return the template of a name; of a name that begins with `tocsin/`, the one of ours."""
        if name.startswith(ORIGINALS):
            return self.originals.get(name.removeprefix(ORIGINALS))
        return self.own.get(name) or self.originals.get(name)

    def names(self, prefix: str) -> list[str]:
        """Return the names of all templates below a folder, sorted."""
        return sorted(name for name in {*self.originals, *self.own} if name.startswith(prefix))

    @property
    def served(self) -> list[Path]:
        """The folders of static files, the first before the second."""
        folders = [self.folder] if self.folder else []
        return [found for folder in [*folders, templates_dir()] if (found := folder / "pages" / "static").is_dir()]


@lru_cache(maxsize=1)
def plain_theme() -> Theme:
    """Return our own templates, with nothing over them."""
    return read_theme(None)


def read_theme(folder: Path | None) -> Theme:
    """Read our templates and those of a folder over them. Nothing is said of what they say: see `theme_check`.

    Raises `ConfigurationError` for a folder that cannot be read, leads elsewhere by a link, or is no theme at all.
    """
    ours, theirs = templates_dir(), _read(folder) if folder else {}
    locales = [ours / "locales", *([folder / "locales"] if folder else [])]
    shipped = _read(ours)
    originals = _templates(ours, shipped)
    total = hashlib.sha256()
    for name, source in sorted(originals.items()):
        total.update(f"{name}\0{source.text}\0".encode())
    for name, data in [*_bytes_of_catalogues(ours), *sorted(theirs.items())]:
        total.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return Theme(
        folder=folder,
        originals=originals,
        own=_templates(folder, theirs) if folder else {},
        files=frozenset(theirs),
        digest=total.hexdigest(),
        languages=Languages(*locales),
        embed_script=(shipped | theirs)[EMBED_SCRIPT].decode("utf-8", "replace"),
    )


def stamp_of(folder: Path | None) -> str:
    """Return a word that changes with any file of either folder, for whoever waits for a change."""
    total = hashlib.sha256()
    for root in (templates_dir(), *([folder] if folder else [])):
        for name, path in sorted(_walk(root)):
            try:
                status = path.stat()
            except OSError:  # gone since: an editor saves by renaming
                continue
            total.update(f"{name}\0{status.st_mtime_ns}\0{status.st_size}\0".encode())
    return total.hexdigest()[:24]


def is_served(name: str) -> bool:
    """Tell whether a file of a theme is given to browsers as it is."""
    return name.startswith(_SERVED)


def is_catalogue(name: str) -> bool:
    """Tell whether a file of a theme is read as a catalogue of sentences."""
    path = PurePosixPath(name)
    return name.startswith(_CATALOGUES) and path.parts[2:] == ("LC_MESSAGES", "messages.po")


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder} (make a theme with `tocsin theme new {folder}`)")
    root = folder.resolve()
    found: dict[str, bytes] = {}
    for name, path in _walk(folder):
        if not path.resolve().is_relative_to(root):
            raise ConfigurationError(f"{path} is a link that leaves the folder; put the file itself there")
        if is_served(name):
            found[name] = b""  # as large as it likes; the web server reads it when it is asked for
            continue
        if len(found) >= MAX_FILES:
            raise ConfigurationError(f"{folder} holds more than {MAX_FILES} files; is it a theme?")
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ConfigurationError(f"{path} is larger than {MAX_FILE_BYTES} bytes; is it a template?")
            found[name] = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read ({error.strerror})") from error
    return found


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield files with their names; those of editors and version control, which begin with a dot, are left out."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (Path(root) / name).is_symlink():  # not followed; refused by whoever reads it
                yield (Path(root) / name).relative_to(folder).as_posix(), Path(root) / name
        for name in sorted(files):
            if not name.startswith(".") and not name.endswith("~"):
                path = Path(root) / name
                yield path.relative_to(folder).as_posix(), path


def _templates(folder: Path, files: Mapping[str, bytes]) -> dict[str, Source]:
    found = {}
    for name, data in files.items():
        if name.endswith(".j2") and not is_served(name):
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = data[: error.start].count(b"\n") + 1
                raise ConfigurationError(
                    f"{folder / name}, line {line}: this is no UTF-8 (save it as UTF-8)"
                ) from error
            found[name] = Source(path=folder / name, text=text.replace("\r\n", "\n"))
    return found


def _bytes_of_catalogues(folder: Path) -> list[tuple[str, bytes]]:
    files = sorted(folder.glob("locales/*/LC_MESSAGES/messages.po"))
    return [(file.relative_to(folder).as_posix(), file.read_bytes()) for file in files]
