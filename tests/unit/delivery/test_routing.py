"""By which provider a reader's mail goes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.routing import Exit, choose
from worker.model import Lane

NAMES = st.lists(st.text("abcdefgh-", min_size=1, max_size=8), min_size=2, max_size=5, unique=True)
READERS = range(1, 400)


def exits(**weights: int) -> list[Exit]:
    return [Exit.of(name, weight=weight, lanes=frozenset(Lane)) for name, weight in weights.items()]


@pytest.mark.parametrize("weights", [{"relay": 1, "other": 1}, {"relay": 3, "other": 1}, {"a": 1, "b": 2, "c": 7}])
def test_weights_are_shares(weights):
    count = 20_000
    taken = Counter(choose(exits(**weights), reader) for reader in range(count))
    for name, weight in weights.items():
        assert taken[name] / count == pytest.approx(weight / sum(weights.values()), abs=0.015)


@given(names=NAMES, weights=st.lists(st.integers(1, 9), min_size=5, max_size=5), gone=st.integers(0, 4))
def test_when_a_provider_goes_only_its_own_readers_move(names, weights, gone):
    before = exits(**dict(zip(names, weights, strict=False)))
    lost = before[gone % len(before)]
    after = [one for one in before if one is not lost]
    for reader in READERS:
        chosen = choose(before, reader)
        assert choose(after, reader) == chosen or chosen == lost.name


@given(names=NAMES, weights=st.lists(st.integers(0, 9), min_size=5, max_size=5), avoided=st.integers(0, 4))
def test_who_failed_us_last_is_avoided_as_long_as_there_is_another(names, weights, avoided):
    all_of_them = exits(**dict(zip(names, weights, strict=False)))
    avoid = all_of_them[avoided % len(all_of_them)]
    assert all(choose(all_of_them, reader, avoid=avoid.name) != avoid.name for reader in READERS)
    assert choose([avoid], 1, avoid=avoid.name) == avoid.name


@given(order=st.permutations(["relay", "spare", "other", "second-spare"]))
def test_a_provider_of_weight_0_stands_by(order):
    weights = {"relay": 2, "other": 1, "spare": 0, "second-spare": 0}
    some = exits(**{name: weights[name] for name in order})
    assert {choose(some, reader) for reader in READERS} == {"relay", "other"}
    assert choose(exits(relay=1, spare=0), 1, avoid="relay") == "spare"
    assert {choose(exits(spare=0, second=0), reader) for reader in READERS} == {"spare", "second"}


def test_the_order_in_which_providers_are_configured_means_nothing():
    some = exits(a=1, b=2, c=3)
    assert [choose(some, reader) for reader in READERS] == [choose(some[::-1], reader) for reader in READERS]
