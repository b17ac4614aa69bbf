"""Fills the demo's home with the seeds: topics, newsletters, readers, feeds to watch, and a few single articles.

Does what an operator would do with the commands of the same names. Called by `tocsin demo` only.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from worker.adapters.sources.files import read_document
from worker.intake.listing.reading import read_list
from worker.intake.run_lists import import_list
from worker.matching.library import read_topics
from worker.matching.run_library import import_topics
from worker.model import SourceId
from worker.pictures import number_of
from worker.resources import seeds_dir
from worker.signup.run_import import Listing, import_readers
from worker.signup.run_newsletters import import_newsletters
from worker.store import house as house_table
from worker.store import sources, watching
from worker.store.database import now
from worker.wiring import House

_SEEDED = "demo_seeded_at"


def is_seeded(house: House) -> bool:
    """Tell whether the home has been filled before."""
    with house.database.read() as conn:
        return house_table.fact(conn, _SEEDED) is not None


def seed(house: House) -> None:
    """Fill the home. Readers come before the news, so that what comes in is new to them."""
    seeds = seeds_dir()
    import_topics(house.database, read_topics([seeds / "topics"]))
    import_newsletters(house.database, seeds / "newsletters.yaml")
    listing = Listing(hash_address=house.address_hash, confirmed=True)
    import_readers(house.database, seeds / "subscribers.csv", listing)
    import_readers(house.database, seeds / "newsletter-readers.csv", listing)
    write_feeds(seeds / "feeds", house.home / "seeds" / "feeds", at=_now(house))
    for file in sorted((seeds / "articles").iterdir()):
        for parsed in read_document(file.read_bytes(), url="", content_type="", file_name=file.name):
            house.intake.add(parsed, kind="file", outlet=house.newsroom.name)
    with house.database.write() as conn:
        house_table.set_fact(conn, _SEEDED, now(conn).isoformat())


def watch_feeds(house: House) -> int:
    """Watch the seeds' feeds, served by this installation's own pages, all due now; return how many there are."""
    file = seeds_dir() / "sources.yaml"
    base = f"http://127.0.0.1:{house.settings.web_port}/demo/feeds/"
    listed = read_list(file.read_bytes(), file_name=file.name, base=base)
    with house.database.write() as conn:
        known = {row.name: row for row in sources.every(conn) if row.url is not None}
        for entry in listed.entries:
            before = known.get(entry.name or "")
            if before is not None and before.url != entry.url:  # the port is another one than last time
                watching.move(conn, SourceId(before.id), entry.url)
    import_list(house.database, listed, actor="the demo")
    with house.database.write() as conn:
        addresses = {entry.url for entry in listed.entries}
        watching.make_due(conn, [SourceId(row.id) for row in sources.every(conn) if row.url in addresses])
    return len(listed.entries)


def lay_out_pictures(house: House) -> None:
    """Put the seeds' pictures where the image proxy keeps what it has fetched: their addresses are nobody's."""
    shelf = house.picture_shelf
    for file in sorted((seeds_dir() / "pictures").glob("*.jpg")):
        shelf.put(number_of(f"https://img.courier.example/{file.name}"), file.read_bytes())


def write_feeds(templates: Path, target: Path, *, at: datetime) -> None:
    """Render the feeds with dates relative to `at`: once a home, for a feed that moved its dates would be all news."""
    loader = FileSystemLoader(templates)
    # XML and JSON of our own writing, which escapes itself where it must.
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False)  # noqa: S701  see above
    environment.globals["rfc822"] = lambda hours: format_datetime(at - timedelta(hours=hours))
    environment.globals["iso"] = lambda hours: (at - timedelta(hours=hours)).isoformat(timespec="seconds")
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for template in sorted(templates.glob("*.j2")):
        rendered = environment.get_template(template.name).render()
        (target / template.stem).write_text(rendered, encoding="utf-8")


def _now(house: House) -> datetime:
    with house.database.read() as conn:
        return now(conn).astimezone(UTC)
