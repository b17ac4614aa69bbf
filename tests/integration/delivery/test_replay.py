"""Messages that a courier has sent into the local inbox, made again after everything about them has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.conftest import Tocsin
from tests.integration.delivery.stand_in import StandIn
from worker.deliverability.dkim_keys import Algorithm, new_private_key
from worker.lifecycle import State
from worker.model import EditionId, Lane, SubscriberId
from worker.runtime.inbox import listen
from worker.signup import run_erasure
from worker.store import people
from worker.store.database import Database
from worker.store.schema import Delivery
from worker.wiring import house

KEYS = ("a-key-that-signs-links-in-tests-only", "another-key-that-signs-links-in-tests")


class Post:
    """Sends an edition as a mail worker does, in a house of its own, into a folder."""

    def __init__(self, database: Database, folder: Path, setenv: Callable[[str, str], None]) -> None:
        self.database, self.folder, self.setenv = database, folder, setenv
        with database.write() as conn:
            self.mina = builders.reader(conn, "mina")
            people.change_reader(conn, self.mina, name="Mina Kim")
            self.bo = builders.reader(conn, "bo")
            self.story = builders.news(conn, builders.topic(conn, "diplomacy"))

    def plan(self, *readers: SubscriberId) -> EditionId:
        with self.database.write() as conn:
            return builders.edition(conn, readers, story=self.story)

    def send(self, edition: EditionId) -> None:
        async def sent() -> None:
            async with listen("127.0.0.1", 0, self.folder) as port:
                self.setenv("TOCSIN_TRANSPORTS", f"inbox://127.0.0.1:{port}?maildir={self.folder}")
                await asyncio.to_thread(deliver)

        def deliver() -> None:
            sender = house()
            try:
                sender.dispatch.deliver(Lane.BULK, edition, 1)
            finally:
                sender.close()

        asyncio.run(sent())

    def received(self) -> dict[bytes, Path]:
        """Return the files of the inbox by the name in To."""
        return {_field(file, b"To: "): file for file in (self.folder / "new").iterdir()}


def _field(file: Path, name: bytes) -> bytes:
    return next(line for line in file.read_bytes().splitlines() if line.startswith(name)).removeprefix(name)


@pytest.fixture
def post(tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    for algorithm, variable in ((Algorithm.RSA, "TOCSIN_DKIM"), (Algorithm.ED25519, "TOCSIN_DKIM_ED25519")):
        key = tmp_path / f"{algorithm}.pem"
        key.write_bytes(new_private_key(algorithm))
        key.chmod(0o600)
        monkeypatch.setenv(f"{variable}_SELECTOR", f"s-{variable[-3:].lower()}")
        monkeypatch.setenv(f"{variable}_KEY_FILE", str(key))
    return Post(tocsin.database, tmp_path / "inbox", monkeypatch.setenv)


def change_templates(post: Post, theme: Path) -> None:
    """Give the house other templates."""
    (theme / "mail/blocks").mkdir(parents=True)
    (theme / "mail/blocks/why.html.j2").write_text(
        '{% macro box(why, hole) %}<p>{{ why }} <a href="{{ hole.preferences_url }}">!</a></p>{% endmacro %}'
    )
    post.setenv("TOCSIN_THEME", str(theme))


def change_the_rest(post: Post) -> None:
    """Give the house another name, colour and key, and the reader another name."""
    post.setenv("TOCSIN_NEWSROOM", "The Other Courier")
    post.setenv("TOCSIN_ACCENT", "#114488")
    post.setenv("TOCSIN_SECRET_KEYS", f"{KEYS[1]} {KEYS[0]}")
    with post.database.write() as conn:
        people.change_reader(conn, post.mina, name="Mina Park", confirmations=7)


def test_a_sent_message_is_made_again_byte_for_byte_whatever_has_changed_since(post, tocsin, tmp_path):
    edition = post.plan(post.mina, post.bo)
    post.send(edition)
    change_templates(post, tmp_path / "theme")
    change_the_rest(post)
    made = {row["recipient"]: row for row in tocsin.ask("editions", "replay", edition, "--out", tmp_path / "again")}
    assert {row["changed"][0] for row in made.values()} == {"templates"}
    received = post.received()
    assert set(received) == {b"Mina Kim <mina@readers.example>", b"bo@readers.example"}
    for to, file in received.items():
        row = made[to.decode().removeprefix("Mina Kim <").rstrip(">")]
        again = Path(row["file"]).read_bytes()
        assert again.startswith(b"DKIM-Signature: ")
        assert again.count(b"DKIM-Signature: ") == 2
        assert file.read_bytes().endswith(again)
        assert sha256(again).hexdigest() == row["sha256"]
        (verified,) = tocsin.ask("editions", "replay", edition, "--verify", file)
        assert (verified["received"], verified["recipient"]) == ("identical", row["recipient"])
    status, out, _ = tocsin("editions", "replay", edition, "--delivery", made["bo@readers.example"]["delivery"])
    assert status == 0
    assert out.startswith("DKIM-Signature: ")


def test_what_is_sent_after_a_change_is_made_again_as_it_is_then(post, tocsin, tmp_path):
    first = post.plan(post.mina)
    post.send(first)
    change_the_rest(post)
    second = post.plan(post.mina)
    post.send(second)
    (before,) = tocsin.ask("editions", "replay", first)
    (after,) = tocsin.ask("editions", "replay", second, "--out", tmp_path / "again")
    assert before["look"] != after["look"]
    assert after["changed"] == []
    assert b"To: Mina Park <" in Path(after["file"]).read_bytes()
    file = next(file for file in (post.folder / "new").iterdir() if b"Mina Park" in file.read_bytes())
    assert file.read_bytes().endswith(Path(after["file"]).read_bytes())


def test_a_message_that_somebody_has_changed_is_told_from_what_was_sent(post, tocsin, tmp_path):
    edition = post.plan(post.bo)
    post.send(edition)
    (file,) = post.received().values()
    forged = tmp_path / "forged.eml"
    forged.write_bytes(file.read_bytes().replace(b"Envoy summoned", b"Envoy expelled"))
    status, _, err = tocsin("editions", "replay", edition, "--verify", forged)
    assert status == 1
    assert "not what was received: line" in err


def test_nothing_of_an_erased_reader_is_made_again(post, tocsin):
    edition = post.plan(post.mina, post.bo)
    post.send(edition)
    run_erasure.erase_reader(post.database, post.mina, actor="a test", suppress=False)
    status, out, err = tocsin("editions", "replay", edition)
    assert status == 1
    assert "1 of 2: cannot be made again, without its reader, who has been erased" in err
    assert "mina" not in out.lower()
    with post.database.read() as conn:
        assert [row.addressee for row in builders.deliveries_of(conn, edition)] == [None, ""]


def test_what_a_lost_key_made_is_told_and_what_was_never_sent_is_not_there(post, tocsin, monkeypatch):
    edition = post.plan(post.bo)
    post.send(edition)
    unsent = post.plan(post.bo)
    monkeypatch.delenv("TOCSIN_DKIM_SELECTOR")
    monkeypatch.delenv("TOCSIN_DKIM_KEY_FILE")
    monkeypatch.setenv("TOCSIN_SECRET_KEYS", KEYS[1])
    status, _, err = tocsin("editions", "replay", edition)
    assert status == 1
    assert "1 of 1: not as it was, without the DKIM key s-kim" in err
    assert "without the key of TOCSIN_SECRET_KEYS that signed its links" in err
    for wrong in (unsent, 999):
        status, _, err = tocsin("editions", "replay", wrong)
        assert status == 2
        assert "no such message" in err or "there is no edition 999" in err


def test_a_reader_whose_address_is_none_is_refused_at_once_and_their_message_is_nowhere(post, tocsin):
    with post.database.write() as conn:
        people.change_reader(conn, post.mina, email="mina@-readers.example")
    edition = post.plan(post.mina, post.bo)
    post.send(edition)
    assert set(post.received()) == {b"bo@readers.example"}
    with post.database.read() as conn:
        assert [row.state for row in builders.deliveries_of(conn, edition)] == [State.REFUSED, State.ACCEPTED]
    status, _, err = tocsin("editions", "replay", edition)
    assert status == 1
    assert "1 of 2: cannot be made again, without an address that can be written to: nothing was sent" in err


def test_a_request_in_doubt_is_repeated_as_it_went_though_the_house_has_another_look_since(post, tocsin, tmp_path):
    """A provider that honours keys honours them for the same bytes only: others are refused, and stay in doubt."""
    assert tocsin
    edition = post.plan(post.mina, post.bo)
    post.send(edition)
    with post.database.write() as conn:
        made_with = [row.look_id for row in builders.deliveries_of(conn, edition)]
        doubt = {"state": State.UNKNOWN, "provider": "stand-in", "request_key": "together", "accepted_at": None}
        conn.execute(sa.update(Delivery).values(**doubt))
    change_templates(post, tmp_path / "theme")
    change_the_rest(post)
    relay, later = StandIn(), house()
    relay.keys_honoured_s = 3600.0
    later.__dict__["transports"] = {"stand-in": relay}
    try:
        assert later.look_id not in made_with
        later.dispatch.find_out()
    finally:
        later.close()
    (request,) = relay.repeated
    went = [file.read_bytes() for file in post.received().values()]
    assert len(request.messages) == len(went) == 2
    for again in request.messages:
        assert any(sent.endswith(again.data) for sent in went)
    with post.database.read() as conn:
        assert [row.look_id for row in builders.deliveries_of(conn, edition)] == made_with


def test_a_request_in_doubt_whose_look_is_lost_goes_with_the_present_one_which_is_noted(post, tocsin, monkeypatch):
    assert tocsin
    edition = post.plan(post.bo)
    post.send(edition)
    with post.database.write() as conn:
        conn.execute(sa.update(Delivery).values(state=State.UNKNOWN, provider="stand-in", request_key="alone"))
    monkeypatch.setenv("TOCSIN_SECRET_KEYS", KEYS[1])
    relay, later = StandIn(), house()
    relay.keys_honoured_s = 3600.0
    later.__dict__["transports"] = {"stand-in": relay}
    try:
        later.dispatch.find_out()
        with post.database.read() as conn:
            assert [row.look_id for row in builders.deliveries_of(conn, edition)] == [later.look_id]
    finally:
        later.close()
    assert len(relay.repeated) == 1


def test_what_is_made_again_is_nobody_elses_to_read_whatever_lay_there_before(post, tocsin, tmp_path):
    edition = post.plan(post.mina)
    post.send(edition)
    out, elsewhere = tmp_path / "again", tmp_path / "elsewhere"
    (row,) = tocsin.ask("editions", "replay", edition, "--out", out)
    file = Path(row["file"])
    assert (out.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    elsewhere.write_text("kept")
    file.unlink()
    file.symlink_to(elsewhere)
    tocsin.ask("editions", "replay", edition, "--out", out)
    assert (elsewhere.read_text(), file.is_symlink()) == ("kept", False)
