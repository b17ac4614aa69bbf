"""Which libraries write markup, in which versions. Decides nothing; `wiring` calls it once in a mail worker."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from platform import python_version
from typing import Final

_MARKUP: Final = ("babel", "css-inline", "jinja2", "markupsafe")


@lru_cache(maxsize=1)
def libraries() -> dict[str, str]:
    """Return their versions by name, Python's among them, as its quoting and dates are in every mail."""
    return {"python": python_version(), **{name: version(name) for name in _MARKUP}}
