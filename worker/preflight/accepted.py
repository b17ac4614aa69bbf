"""What our own templates use although some client lacks it, each with the reason why nobody is worse off there. Pure.

The one place for such exceptions: the check of styles leaves them out, so that a mail of the templates as they come
gives no noise. Whoever adds one says what a reader sees where it does not work.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ACCEPTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rule media": "narrower margins and dark colours; without it the desk's look stays, which fits 320 px too",
        "media prefers-color-scheme": "dark colours; without it a mail is light, or the client darkens it itself",
        "property text-wrap": "evener lines of a headline; without it they break where they are full",
        "property word-wrap": "breaks a word that is wider than the screen; overflow-wrap says the same to others",
        "property overflow-wrap": "breaks a word that is wider than the screen; word-wrap says the same to others",
        "property word-break": "keeps Korean words whole; without it lines break at any syllable, as in print",
        "property white-space": "keeps a short label in one line; without it the label has two",
        "property opacity": "one of several ways in which the preheader is hidden: display and colour are the others",
        "property overflow": "as opacity: the preheader's box is hidden by display too",
        "property max-height": "as opacity: the preheader's box is hidden by display too",
        "property border-radius": "round corners; without it they are square",
        "property aspect-ratio": "keeps a picture's place until it comes; its attributes width and height say the same",
        "property float": "words beside a picture; Outlook goes by the attribute align, or shows it above them",
        "property height": "keeps a picture's shape; its attributes width and height say the same",
        "property color-scheme": "tells a client that the dark is seen to; without it the client darkens by itself",
        "property min-width": "keeps a column's width; the attribute width says the same",
    }
)
