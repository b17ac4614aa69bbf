"""Whatever readers, strangers and operators do in whatever order: mail has consent behind it, in the database too."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases import opened
from worker.model import SubscriberStatus
from worker.signup.consent import Consent, Evidence
from worker.signup.run import come_back
from worker.signup.run_import import Listing, import_readers
from worker.signup.run_preferences import unsubscribe

from .conftest import Readers, add_topics, hash_address

JO = "jo@example.org"
LIST = f"email,name,locale,timezone,topics,cadence,at\n{JO},,,,russia,daily,\n"
ACTS = ("sign up", "sign up for more", "confirm", "confirm the first", "leave", "come back", "import", "vouch", "wait")


def do(readers, act, folder):
    match act:
        case "sign up":
            readers.signs_up(JO, "oman")
        case "sign up for more":
            readers.signs_up(JO, "north-korea", "russia", locale="ko")
        case "confirm":
            readers.confirms(JO)
        case "confirm the first":
            readers.confirms(JO, question=1)
        case "leave":
            unsubscribe(readers.database, readers.reader(JO).id)
        case "come back":
            come_back(
                readers.database,
                readers.reader(JO).id,
                evidence=Evidence(how="unsubscribe page"),
                hash_address=hash_address,
            )
        case "import" | "vouch":
            file = folder / "readers.csv"
            file.write_text(LIST)
            import_readers(readers.database, file, Listing(hash_address=hash_address, confirmed=act == "vouch"))
        case "wait":
            readers.passes(minutes=11)


@settings(max_examples=30)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=10))
def test_nobody_follows_anything_without_consent(sqlite_template, acts):
    with TemporaryDirectory() as folder, opened(sqlite_template.copy(Path(folder) / "t.db")) as database:
        add_topics(database)
        readers = Readers(database)
        readers.signs_up(JO, "oman")
        for act in acts:
            before = readers.status(JO)
            do(readers, act, Path(folder))
            after = readers.status(JO)
            if after is SubscriberStatus.ACTIVE:
                assert Consent.read(readers.reader(JO).consent).given
                assert before is SubscriberStatus.ACTIVE or act.startswith("confirm") or act == "vouch"
            else:
                assert readers.follows(JO) == {}
            assert after is not SubscriberStatus.LEFT or readers.reader(JO).confirmation_due_at is None
