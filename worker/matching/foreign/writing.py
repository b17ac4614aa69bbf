"""Translated queries as topics, fit for `tocsin topics import` and for a person to look through.

Decides nothing about queries. In YAML, the foreign query and what became of its pieces stand above each topic as
comments. Pure; the `translate` command calls it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from worker.matching.foreign.draft import Effect, Finding
from worker.matching.foreign.listings import Entry
from worker.matching.foreign.naming import cleaned, shortened
from worker.matching.foreign.translation import Translation


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A topic to be: the entry it was made of, and what the query became."""

    slug: str
    entry: Entry
    translation: Translation

    @property
    def name(self) -> str:
        """The entry's own name, or the beginning of its query."""
        return cleaned(self.entry.name) or shortened(self.entry.query)


def as_yaml(topic: Topic) -> str:
    """Write one entry of a YAML list, comments first."""
    lines = [f"line {topic.entry.line}: {cleaned(topic.entry.query)}"]
    lines += [f"  {finding.fate}: {cleaned(finding.text)}: {check(finding)}" for finding in topic.translation.findings]
    comments = "".join(f"# {line}\n" for line in lines)
    fields = {"slug": topic.slug, "name": topic.name, "query": topic.translation.query}
    return f"{comments}{yaml.safe_dump([fields], allow_unicode=True, sort_keys=False, width=110)}"


def as_json(topic: Topic) -> str:
    """Write one JSON line, as `tocsin topics list --json` does."""
    fields = {"id": topic.slug, "name": topic.name, "query": topic.translation.query}
    return f"{json.dumps(fields, ensure_ascii=False)}\n"


def check(finding: Finding) -> str:
    """Say what a person should look at: what the query finds now, and why.

    >>> from worker.matching.foreign.draft import Fate
    >>> check(Finding(0, "wc>300", Fate.DROPPED, Effect.MORE, "articles are not chosen by their length here"))
    'finds more: articles are not chosen by their length here'
    """
    return finding.says if finding.effect is Effect.SAME else f"finds {finding.effect}: {finding.says}"


def summary(topics: Sequence[Topic], refused: int) -> str:
    """Count what became of all queries.

    >>> summary([], 2)
    '2 queries: 2 refused'
    """
    whole = [topic for topic in topics if topic.translation.is_whole]
    same = [topic for topic in whole if not topic.translation.findings]
    told = {
        "as they were": len(same),
        "with a changed meaning": len(whole) - len(same),
        "with something dropped": len(topics) - len(whole),
        "refused": refused,
    }
    count = len(topics) + refused
    fates = ", ".join(f"{number} {fate}" for fate, number in told.items() if number)
    return f"{count} {'query' if count == 1 else 'queries'}: {fates}"
