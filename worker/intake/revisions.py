"""Which versions of an article are kept: not the tenth return of an old one, and no more than anybody asks for.

Pure. `run_taking` asks it before it stores an update, `run_edits` which version makes room.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from worker.facts import KeptVersion
from worker.intake.decide import COMPARED, settled
from worker.intake.places import place
from worker.intake.thresholds import FLIPS_SETTLE, MAX_VERSIONS
from worker.model import ParsedArticle


def state_hash(article: ParsedArticle) -> str:
    """Return a hash of all that a reader would see changed: equal for versions that are no update of one another.

    >>> state_hash(ParsedArticle(title="Quake ")) == state_hash(ParsedArticle(title="Quake"))
    True
    """
    seen = [settled(name, article) for name in COMPARED]
    told = json.dumps([seen, article.severity, place(article.url)])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def why_not_again(state: str, versions: Sequence[KeptVersion], *, now: datetime) -> str:
    """Say why a version is not stored although it differs from ours: it goes back and forth; "" if it is stored.

    `versions` rise. The first return to an earlier version is stored: a newsroom may take something back. When the
    newest version is itself a return, the next one is believed only after `FLIPS_SETTLE`.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> had = [KeptVersion(revision=n + 1, state_hash=state, recorded_at=noon) for n, state in enumerate("aba")]
    >>> why_not_again("b", had, now=noon), why_not_again("c", had, now=noon), why_not_again("a", had[:2], now=noon)
    ('back and forth between versions, as in revision 2 again', '', '')
    """
    earlier = next((one.revision for one in versions if one.state_hash == state), None)
    if earlier is None or not versions:
        return ""
    newest = versions[-1]
    is_return = any(one.state_hash == newest.state_hash for one in versions[:-1])
    if not is_return or now - newest.recorded_at >= FLIPS_SETTLE:
        return ""
    return f"back and forth between versions, as in revision {earlier} again"


def make_room(revisions: Sequence[int]) -> list[int]:
    """Return which of an article's revisions, rising, are dropped when one more is stored: the oldest but the first.

    >>> make_room([1, 2, 3]), make_room([1, *range(5, 5 + MAX_VERSIONS)])
    ([], [5, 6])
    """
    surplus = len(revisions) + 1 - MAX_VERSIONS
    return list(revisions[1 : 1 + max(surplus, 0)])
