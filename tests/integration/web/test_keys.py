"""`tocsin keys`: made once, shown once, listed without it, ended for good."""

from __future__ import annotations

import pytest

from worker.store import house


def holder_of(tocsin, key):
    with tocsin.database.read() as conn:
        return house.holder_of(conn, key)


def test_a_key_is_shown_once_and_works_until_it_is_revoked(tocsin):
    (made,) = tocsin.ask("keys", "new", "cms", "--scope", "articles", "--scope", "editions", "--rate", "120")
    holder = holder_of(tocsin, made["key"])
    assert (holder.name, sorted(holder.scopes), holder.rate_per_minute) == ("cms", ["articles", "editions"], 120)
    status, listed, _ = tocsin("keys", "list", "--json")
    assert status == 0
    assert made["key"] not in listed
    (row,) = tocsin.ask("keys", "list")
    assert (row["prefix"], row["state"], row["last_used_at"]) == (made["key"][:12], "in force", None)
    assert tocsin("keys", "revoke", "cms")[0] == 0
    assert holder_of(tocsin, made["key"]) is None
    assert tocsin.ask("keys", "list")[0]["state"] == "revoked"
    assert tocsin("keys", "revoke", "cms")[0] == 2


def test_the_key_alone_is_printed_so_that_a_script_can_keep_it(tocsin):
    status, out, err = tocsin("keys", "new", "app", "--scope", "admin", "--rate", "0", "--expires", "2999-01-01")
    assert (status, out.count("\n")) == (0, 1)
    assert holder_of(tocsin, out.strip()).rate_per_minute is None
    assert "only time" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("cms", "--scope", "everything"), "there is no scope 'everything'"),
        (("cms", "--scope", "admin", "--expires", "soon"), "'soon' is no day"),
        (("cms", "--scope", "admin", "--expires", "2020-01-01"), "has begun already"),
        (("taken", "--scope", "admin"), "there is a key 'taken' already"),
        ((" ", "--scope", "admin"), "the name is empty"),
    ],
)
def test_what_makes_no_key_is_told_in_one_line(tocsin, words, says):
    tocsin("keys", "new", "taken", "--scope", "articles")
    status, _, err = tocsin("keys", "new", *words)
    assert status == 2
    assert says in err
    assert len(tocsin.ask("keys", "list")) == 1
