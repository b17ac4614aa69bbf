"""The names of the made-up mails, for whoever must know them before anything is rendered: the command line's own help.

Decides nothing, makes nothing; `samples` has the mails.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from worker.model import LetterKind

LOCALES: Final = ("en", "ko")
EDITORIAL: Final = (
    "alert",
    "breaking",
    "update",
    "digest",
    "away",
    "rolling",
    "newsletter",
    "correction",
    "retraction",
)
LISTED: Final = (*EDITORIAL, "welcome", "changed")
"""What can be left by one click."""
_COURTESIES: Final = ("welcome", "changed", "goodbye")
LETTERS: Final = MappingProxyType(
    {str(about).replace("_", "-"): about for about in LetterKind if str(about) not in _COURTESIES}
)
"""Letters with a link of their own, or none at all: on no list."""
KINDS: Final = (*EDITORIAL, "confirmation", *_COURTESIES, *LETTERS)
