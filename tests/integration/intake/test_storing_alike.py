"""A feed that is stored in groups leaves the same rows as one that is stored item by item."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.intake.test_known_items import NOON, row_of
from tests.integration.intake.test_taking_in import QUAY, WIRE, watch
from worker.intake import run
from worker.intake.run import Intake
from worker.model import ParsedArticle
from worker.store.database import Database
from worker.store.schema import Article, ArticleBand, ArticleVersion, Base, PictureAddress, Story

PORTS = " ".join(f"The harbour master of quay {number} counted {number * 3} crates of lemons." for number in range(12))
BODIES = ("", "Fog.", "Live updates from the port, all day, as they come in.", WIRE, PORTS, f"{WIRE} {PORTS}")
TIMES = {"created_at", "seen_at", "recorded_at", "published_at"}  # where nothing is told, of first sight

told = st.builds(
    ParsedArticle,
    guid=st.sampled_from(["", "a", "b", "c", "d", "e"]),
    url=st.sampled_from(["", *(f"{scheme}://courier.example/{n}" for scheme in ("http", "https") for n in range(4))]),
    title=st.sampled_from(["Ports agree on fees", "Ports agree on fees, at last", "Voters reject the bridge", "Fog"]),
    body=st.one_of(
        st.sampled_from(BODIES),
        st.builds(
            lambda body, number: f"{body} The ledger adds line {number}.", st.sampled_from(BODIES), st.integers(0, 99)
        ),
    ),
    published_at=st.one_of(st.none(), st.integers(0, 3).map(lambda days: NOON + timedelta(days=days))),
    image=st.sampled_from([None, None, QUAY]),
)
documents = st.lists(st.tuples(st.sampled_from("AB"), st.lists(told, min_size=1, max_size=14)), min_size=1, max_size=3)


def rows(database: Database) -> dict[str, list[dict[str, object]]]:
    """Return all that taking items in may write, without the moments at which it did."""
    found = {}
    with database.read() as conn:
        for table in (Story, Article, ArticleVersion, ArticleBand, PictureAddress):
            every = conn.execute(sa.select(table.__table__)).mappings()
            bare = [{name: value for name, value in row.items() if name not in TIMES} for row in every]
            found[table.__tablename__] = sorted(bare, key=str)
    return found


def empty(database: Database) -> None:
    with database.write() as conn:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in {"article_band", "picture_address", "article_version", "article", "story", "source"}:
                conn.execute(sa.delete(table))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=documents)
def test_items_that_are_stored_together_are_judged_as_one_by_one(database, documents):
    left = []
    for together in (1, run._TOGETHER):
        empty(database)
        intake = Intake(database, age_limit=timedelta(days=365_000))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(run, "_TOGETHER", together)
            taken = []
            for name, items in documents:
                source = row_of(database, watch(database, f"https://{name}.example/feed.xml", outlet=name))
                taken.append(intake.take_feed(source, items))
        left.append((taken, rows(database)))
    assert left[0] == left[1]
