"""Lists of readers in and out: all or nothing, farewells respected, nobody active without a word for it."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from worker.errors import InputError
from worker.model import Cadence, SubscriberStatus
from worker.resources import seeds_dir
from worker.signup.consent import Consent
from worker.signup.run_export import HEADER, export_readers
from worker.signup.run_import import Fate, Listing, import_readers
from worker.signup.run_newsletters import import_newsletters
from worker.signup.run_preferences import unsubscribe
from worker.store import newsletters, people, topics
from worker.store.schema import Subscriber

from .conftest import hash_address

S = SubscriberStatus
COLUMNS = "email,name,locale,timezone,topics,cadence,at\n"


@pytest.fixture
def bring(database, write_list):
    """Import a list; its header is put in front."""

    def bring(lines, *, header=COLUMNS, **how):
        return import_readers(database, write_list(header + lines), Listing(hash_address=hash_address, **how))

    return bring


def count(database):
    with database.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(Subscriber)).scalar_one()


def test_a_vouched_list_is_active_with_its_evidence(bring, readers):
    imported = bring("jo@example.org,Jo,ko,Asia/Seoul,oman;russia,daily,07:00;18:30\n", confirmed=True)
    assert imported.fates == {Fate.NEW: 1}
    reader = readers.reader("jo@example.org")
    assert (reader.status, reader.confirmation_due_at) == (S.ACTIVE, None)
    assert [evidence.how for evidence in Consent.read(reader.consent).given] == [
        "imported by the operator, with consent"
    ]
    follows = readers.follows("jo@example.org")
    assert set(follows) == {"oman", "russia"}
    assert follows["oman"].times == ("07:00", "18:30")
    assert follows["oman"].next_due_at is not None


def test_an_unvouched_list_is_asked_reader_by_reader(bring, readers):
    imported = bring("jo@example.org,,,,oman,,\n")
    assert imported.has_questions
    assert readers.status("jo@example.org") is S.PENDING
    assert readers.follows("jo@example.org") == {}
    readers.confirms("jo@example.org")
    assert set(readers.follows("jo@example.org")) == {"oman"}


def test_an_address_on_several_lines_follows_all_of_them(bring, readers):
    lines = "jo@example.org,,,,oman,immediate,\nJO@example.org,,,,russia,weekly,09:00\n"
    bring(lines, confirmed=True)
    follows = readers.follows("jo@example.org")
    assert (follows["oman"].cadence, follows["russia"].cadence) == (Cadence.IMMEDIATE, Cadence.WEEKLY)
    bring(lines.replace("jo@", "al@").replace("JO@", "al@"))
    readers.confirms("al@example.org")
    assert set(readers.follows("al@example.org")) == {"oman", "russia"}


def test_the_same_list_twice_changes_nothing(bring, readers):
    line = "jo@example.org,Jo,ko,Asia/Seoul,oman,daily,07:00\n"
    bring(line, confirmed=True)
    reader, follows = readers.reader("jo@example.org"), readers.follows("jo@example.org")
    assert bring(line, confirmed=True).fates == {Fate.UPDATED: 1}
    assert readers.reader("jo@example.org") == reader
    assert readers.follows("jo@example.org") == follows


def test_a_list_does_not_bring_back_who_has_left(bring, readers):
    unsubscribe(readers.database, readers.joins("jo@example.org", "oman"))
    assert bring("jo@example.org,,,,russia,,\n", confirmed=True).fates == {Fate.LEFT: 1}
    assert readers.status("jo@example.org") is S.LEFT


def test_a_list_does_not_bring_back_who_has_left_and_was_signed_up_by_somebody(bring, readers):
    unsubscribe(readers.database, readers.joins("jo@example.org", "oman"))
    readers.signs_up("jo@example.org", "oman")
    assert bring("jo@example.org,,,,russia,,\n", confirmed=True).fates == {Fate.LEFT: 1}
    assert readers.status("jo@example.org") is S.PENDING


def test_a_suppressed_address_stays_suppressed(bring, database):
    with database.write() as conn:
        people.suppress(conn, hash_address("jo@example.org"), reason="complained")
    assert bring("Jo@example.org,,,,oman,,\n", confirmed=True).fates == {Fate.SUPPRESSED: 1}
    assert count(database) == 0


def test_one_bad_line_and_nothing_is_stored(bring, database):
    good = "".join(f"r{number}@example.org,,,,oman,,\n" for number in range(3))
    with pytest.raises(InputError) as refused:
        bring(good + "jo@example.org,,,Mars/Olympus,oman,,\n", confirmed=True)
    assert str(refused.value).startswith("readers.csv, line 5, timezone: 'Mars/Olympus' is not a time zone")
    assert count(database) == 0


def test_fifty_mistakes_are_shown_and_all_are_counted(bring):
    with pytest.raises(InputError) as refused:
        bring("nobody,,,,atlantis,,\n" * 60)
    lines = str(refused.value).splitlines()
    assert lines[0] == "readers.csv: 120 mistakes, nothing was imported:"
    assert lines[1].startswith("  line 2, email: 'nobody' has no @")
    assert lines[-1] == "  and 70 more"
    assert len(lines) == 52


def test_a_dry_run_counts_and_stores_nothing(bring, database):
    imported = bring("jo@example.org,,,,oman,,\nal@example.org,,,,oman,,\n", dry_run=True, confirmed=True)
    assert imported.fates == {Fate.NEW: 2}
    assert count(database) == 0


def test_progress_is_told_up_to_twice_the_files_size(database, write_list):
    file = write_list(COLUMNS + "jo@example.org,,,,oman,,\n" * 3)
    told: list[int] = []
    import_readers(database, file, Listing(hash_address=hash_address), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 2 * file.stat().st_size


@pytest.mark.parametrize("place", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(database, tmp_path, place):
    with pytest.raises(InputError, match="cannot be read"):
        import_readers(database, tmp_path / place, Listing(hash_address=hash_address))


def test_an_export_is_a_list_that_makes_the_same_house_again(bring, database, readers, write_list):
    jo = "active@example.org,Jo,ko,Asia/Seoul"
    bring(
        f"{jo},oman;russia,daily,18:30\n{jo},north-korea,immediate,\n",
        confirmed=True,
    )
    readers.signs_up("pending@example.org", "oman")
    unsubscribe(database, readers.joins("left@example.org", "oman"))
    first = exported(database)
    assert {(row["email"], row["status"]) for row in first} == {
        ("active@example.org", "active"),
        ("pending@example.org", "pending"),
        ("left@example.org", "left"),
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER)
    writer.writeheader()
    writer.writerows(row | {"email": "new." + row["email"]} for row in first)
    import_readers(database, write_list(out.getvalue()), Listing(hash_address=hash_address, confirmed=True))
    again = [row | {"email": row["email"][4:]} for row in exported(database) if row["email"].startswith("new.")]
    assert again == first


def test_the_seeded_readers_come_in_and_go_out_unchanged(database):
    with database.write() as conn:
        with (seeds_dir() / "subscribers.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        for slug in {slug for row in rows for slug in row["topics"].split(";")}:
            topics.put_topic(conn, topics.NewTopic(slug=slug, name={}, query=slug, canonical=slug))
    import_readers(database, seeds_dir() / "subscribers.csv", Listing(hash_address=hash_address, confirmed=True))
    assert exported(database) == [row | {"status": "active"} for row in rows]


def test_newsletters_are_stored_all_or_none(database, write_list):
    one = "- {slug: top, name: Top, sender: {name: C, address: c@x.org}, schedule: FREQ=DAILY, timezone: UTC"
    with pytest.raises(
        InputError, match=r"n.yaml, worse, selection.topics: there is no topic 'omann'.*did you mean oman"
    ):
        import_newsletters(
            database,
            write_list(f"{one}}}\n{one.replace('top', 'worse')}, selection: {{topics: [omann]}}}}\n", "n.yaml"),
        )
    with database.read() as conn:
        assert newsletters.listed(conn) == []
    assert import_newsletters(database, write_list(f"{one}, selection: {{topics: [oman]}}}}\n", "n.yaml")) == {
        "top": True
    }
    assert import_newsletters(database, write_list(f"{one}}}\n", "n.yaml")) == {"top": False}
    with database.read() as conn:
        [stored] = newsletters.listed(conn)
    assert (stored["sender_address"], stored["selection"]["topics"]) == ("c@x.org", [])


def exported(database):
    return [dict(zip(HEADER, map(str, row), strict=True)) for row in export_readers(database)]
