"""Which folder under `templates/mail/` a content is written by: one for every kind of mail that looks its own way.

A breaking alert and the digest after a pause have folders of their own, whose templates extend the plain ones. Decides
only. Pure. `compile` asks it.
"""

from __future__ import annotations

from worker.content import AlertContent, Content, DigestContent
from worker.model import Severity


def folder_of(content: Content) -> str:
    """Return the folder's path as template names begin, without a slash at its end."""
    match content:
        case AlertContent(severity=Severity.BREAKING):
            return "mail/breaking"
        case DigestContent(away=True):
            return "mail/away"
        case _:  # of letters: welcome, changed and goodbye have one each, those with a link of their own share "system"
            return f"mail/{content.kind}"
