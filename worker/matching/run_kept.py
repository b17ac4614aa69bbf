"""A match as it is stored: the topic, the strength, and the evidence cut to what anybody looks at.

Decides nothing. Called by `matching.run` and `matching.run_backfill`.
"""

from __future__ import annotations

from typing import Final

from worker.matching.evidence import Match
from worker.model import TopicId
from worker.store.topics import TopicMatch

_SPANS_KEPT: Final = 40  # of one topic in one article: enough for every highlight, bounded for a 2 MB body


def kept(match: Match) -> TopicMatch:
    """Return what is stored of a match; its expression is the topic's number."""
    evidence = [  # spelt out: hundreds of readers' queries may match, and `asdict` takes twenty times as long
        {"field": str(span.field), "start": span.start, "end": span.end, "part": span.part, "alias": span.alias}
        for span in match.spans[:_SPANS_KEPT]
    ]
    return TopicMatch(topic_id=TopicId(match.expression), strength=int(match.strength), evidence=evidence)
