"""A newsletter with one reader, and the draft of an issue of it, made by the commands that an editor types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import builders
from worker.model import EditionKind
from worker.planning.run import Policy, plan
from worker.store.database import Database

LETTER = """
- slug: top-10
  name: Top 10 stories
  sender: {{name: The Courier, address: top10@courier.example}}
  schedule: FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}
  timezone: UTC
  approval: {approval}
  selection: {{minimum: 2, maximum: 3}}
"""
READERS = "email,name,locale,timezone,topics,cadence,at\nada@readers.example,Ada,en,UTC,newsletter:top-10,,\n"


def drafted(database: Database, policy: Policy, tocsin: Callable[..., Any], folder: Path, letter: str) -> int:
    """Return the number of a draft of an issue of three stories. `letter` is `LETTER`, filled in."""
    (folder / "n.yaml").write_text(letter)
    (folder / "readers.csv").write_text(READERS)
    with database.write() as conn:
        gulf = builders.topic(conn, "gulf", en="Gulf")
    assert tocsin("newsletters", "import", folder / "n.yaml")[0] == 0
    assert tocsin("subscribers", "import", folder / "readers.csv", "--confirmed")[0] == 0
    with database.write() as conn:
        for title in ("Anchors", "Boats", "Cranes"):
            builders.news(conn, gulf, title=title, outlet=f"Paper of {title}")
    plan(database, policy)
    with database.read() as conn:
        [draft] = [one for one in builders.all_editions(conn) if one.kind is EditionKind.NEWSLETTER]
    return int(draft.id)
