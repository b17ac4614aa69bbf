"""Where the files that are not Python lie: templates and seeds.

In a checkout they are folders beside the package; in a wheel they travel inside it (see `force-include` in
pyproject.toml). Finds folders only, reads nothing. Rendering, the web pages, and the demo call it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """Return the folder that holds `mail/`, `pages/` and `locales/`."""
    return _folder("templates")


def seeds_dir() -> Path:
    """Return the folder of sample articles, topics, newsletters and readers."""
    return _folder("seeds")


def _folder(name: str) -> Path:
    in_wheel = _PACKAGE / "_resources" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name
