"""An issue of a newsletter that has gone out, and a reader who has more than that. Asserts nothing.

The tests of the archive's pages and those in Chromium use it.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tests import builders
from worker.model import Cadence
from worker.planning.run import plan
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store.schema import Subscriber
from worker.wiring import House

SECRET = "ada's own secret search"
TITLES = ("Anchors", "Boats", "Cranes", "Docks & <quays>")


def send_issue(house: House) -> None:
    """Send an issue of four stories to a reader who has a name, a search of her own, and an alert for it."""
    database = house.database
    due_at = builders.time_of(database) - timedelta(minutes=1)
    letter = NewNewsletter.model_validate(
        {
            "slug": "top-10",
            "name": "Top <10> stories",
            "description": "Every morning & evening.",
            "sender": {"name": "The Courier", "address": "top10@courier.example"},
            "schedule": f"FREQ=DAILY;BYHOUR={due_at.hour};BYMINUTE={due_at.minute}",
            "timezone": "UTC",
            "starts": str((due_at - timedelta(days=1)).date()),
            "selection": {"minimum": 2, "maximum": 4},
        }
    )
    store_newsletters(database, (letter,), where="n.yaml")
    with database.write() as conn:
        ada = builders.reader(conn, "ada", timezone="UTC")
        conn.execute(sa.update(Subscriber).where(Subscriber.id == ada).values(name="Ada Pemberton"))
        fulfil(conn, ada, [Follow(newsletter="top-10")], timezone="UTC")
        own = builders.own_query(conn, SECRET)
        builders.follow(conn, ada, own, cadence=Cadence.IMMEDIATE)
        gulf = builders.topic(conn, "gulf", en="Gulf")
        for title in TITLES:
            builders.news(conn, gulf, own, title=title, outlet=f"Paper of {title}")
        builders.breaking(conn, own, title="A whisper")
        conn.exec_driver_sql("UPDATE newsletter SET next_due_at = ?", (f"{due_at:%Y-%m-%d %H:%M:%S.%f}",))
    plan(database, house.planning_policy)
