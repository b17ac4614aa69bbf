"""Changes of address in any order: one changes only by a link that was mailed to where mail then goes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.model import LetterKind
from worker.signup.decide_moving import Move, Paper

from .posting import Post

_runs = itertools.count(1)
READERS, ADDRESSES = 2, 5  # the first of the addresses are the readers' own
WHO, WHERE = st.integers(0, READERS - 1), st.integers(0, ADDRESSES - 1)
ACTS = st.one_of(
    st.tuples(st.just("ask"), WHO),
    st.tuples(st.just("move"), WHO, WHERE),
    st.tuples(st.just("name"), WHO, WHERE),
    st.tuples(st.just("agree"), st.integers(0, 5)),
    st.tuples(st.just("take back"), st.integers(0, 5)),
    st.tuples(st.just("sign up"), WHERE),
)


class Town:
    """Some readers and the mailboxes of the town, of which one act at a time is asked."""

    def __init__(self, database, readers):
        self.readers, self.post = readers, Post(database, readers)
        run = next(_runs)
        self.mailboxes = [f"box{number}.{run}@town.example" for number in range(ADDRESSES)]
        self.people = [readers.joins(box, "oman") for box in self.mailboxes[:READERS]]

    def where(self):
        return {reader: self.post.address(reader) for reader in self.people}

    def letters(self, kind):
        return [row for row in self.post.letters(kind=kind) if row.subscriber_id in self.people]

    def open_letters(self):
        return {row.id for row in self.post.letters() if row.voided_at is None and row.used_at is None}

    def does(self, act, *which):
        """Do an act; return what it did and the letter whose link was used."""
        match act, *which:
            case "ask", who:
                self._asks(who)
            case "move", who, where:
                self._asks(who)
                if self.does("name", who, where)[0] is Move.ASK:
                    return self.does("agree", len(self.letters(LetterKind.NEW_ADDRESS)) - 1)
            case "name", who, where:
                links = [row for row in self.letters(LetterKind.MOVE) if row.subscriber_id == self.people[who]]
                if links:
                    return self.post.names(self.people[who], links[-1].id, self.mailboxes[where]), links[-1]
            case "agree", number:
                return self._settles(LetterKind.NEW_ADDRESS, number, self.post.agrees)
            case "take back", number:
                return self._settles(LetterKind.MOVED, number, self.post.takes_back)
            case "sign up", where:
                self.readers.signs_up(self.mailboxes[where], "oman")
        return Move.NOTHING, None

    def _asks(self, who):
        self.readers.passes(hours=5)
        self.post.asks(self.people[who])

    def _settles(self, kind, number, settle):
        letters = self.letters(kind)
        if number >= len(letters):
            return Move.NOTHING, None
        letter = letters[number]
        return settle(letter.subscriber_id, letter.id), letter


@pytest.fixture
def database_url(make_url):
    """SQLite is enough: what locks are for is tested by threads; here the order counts."""
    return make_url("sqlite")


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=4, max_size=16))
def test_whatever_is_done_an_address_changes_only_by_a_link_that_was_mailed_to_it(database, readers, acts):
    town = Town(database, readers)
    for act in acts:
        before, open_before = town.where(), town.open_letters()
        does, letter = town.does(*act)
        after = town.where()
        moved = {reader for reader in before if before[reader] != after[reader]}
        assert moved == ({letter.subscriber_id} if does in {Move.CHANGE, Move.RESTORE} else set())
        assert len(set(after.values())) == len(after)
        if moved:
            assert after[letter.subscriber_id] == letter.recipient
            assert act[0] == "move" or letter.id in open_before
            assert letter.id not in town.open_letters()
        if does is Move.RESTORE:
            mine = {row.id for row in town.post.letters(subscriber_id=letter.subscriber_id)}
            assert {row for row in town.open_letters() & mine if row > letter.id} == set()
            papers = [town.post.paper(LetterKind.MOVE, letter.subscriber_id)] if mine else []
            assert Paper.OPEN not in papers
