"""What each version of an article changed, in the words of its fields, and in its texts.

Pure. The command line and the API show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from worker.facts import Version
from worker.intake.word_diff import Piece, word_diff

TEXTS: Final = ("title", "summary", "body")


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A version, and what it changed of the one before that is still kept.

    `changed` names fields, none of the first version. `material` is None where nobody has judged it: an editor's change
    is as material as they say.
    """

    revision: int
    recorded_at: datetime
    reason: str
    changed: tuple[str, ...]
    material: bool | None

    def told(self) -> dict[str, object]:
        """Return it for programs, without its texts."""
        return {
            "revision": self.revision,
            "recorded_at": self.recorded_at,
            "reason": self.reason,
            "changed": list(self.changed),
            "material": self.material,
        }


def history(versions: Sequence[Version]) -> list[Changed]:
    """Return what each version changed; `versions` rise, and some between them may be kept no more."""
    return [_changed(before, one) for before, one in zip([None, *versions], versions, strict=False)]


def diffs(versions: Sequence[Version]) -> list[dict[str, list[Piece]]]:
    """Return of each version which of its texts changed, by their names, and how."""
    return [
        {name: word_diff(getattr(before, name), getattr(one, name)) for name in _changed_texts(before, one) if before}
        for before, one in zip([None, *versions], versions, strict=False)
    ]


def _changed(before: Version | None, one: Version) -> Changed:
    return Changed(
        revision=one.revision,
        recorded_at=one.recorded_at,
        reason=one.reason,
        changed=tuple(_changed_texts(before, one) if one.changed is None else one.changed),
        material=one.material,
    )


def _changed_texts(before: Version | None, one: Version) -> list[str]:
    return [name for name in TEXTS if before and getattr(before, name) != getattr(one, name)]
