"""Link headers as servers write them, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.intake.websub_links import header_links


@pytest.mark.parametrize(
    ("values", "hubs", "topic"),
    [
        (['<https://h/>; rel="hub"', '<https://t/>; rel="self"'], ("https://h/",), "https://t/"),
        (["<https://h/>;rel=hub,<https://t/>;rel=self"], ("https://h/",), "https://t/"),
        (['<a>; rel="HUB"; type="x/y, z", <b>; rel="next hub"'], ("a", "b"), ""),
        (['<a>; title="b>; rel=hub, <c"; rel="self"'], (), "a"),
        (["<a>; rel=hub; rel=self"], ("a",), ""),  # the first rel counts (RFC 8288, section 3.3)
        (["<a>; rel=self", "<b>; rel=self"], (), "a"),
        (['<a>; rel=hub; anchor="/else"'], (), ""),  # it speaks of something else (3.2)
        (["<a> rel=hub"], (), ""),
        (["rubbish, <a>; rel=hub"], ("a",), ""),
        (["<a?x=1,2;3>; rel=hub"], ("a?x=1,2;3",), ""),
        (["< a >  ;  rel = hub  "], ("a",), ""),
        (['<a>; rel="hub'], (), ""),
        (["", ",,,"], (), ""),
        ([], (), ""),
    ],
)
def test_hubs_and_the_topic_are_found(values, hubs, topic):
    assert header_links(values) == (hubs, topic)


@given(st.lists(st.text(alphabet='<>;,="\\ ahubrelsf*', max_size=200), max_size=4))
def test_nothing_that_a_server_writes_breaks_it_and_what_it_finds_was_written(values):
    hubs, topic = header_links(values)
    assert all(hub in ", ".join(values) for hub in (*hubs, topic))


def test_a_header_without_end_is_read_in_no_time():
    """A million signs of any kind: what is matched is bounded, and no pattern goes back over it again and again."""
    for nonsense in ('<a>; x="' + "\\" * 1_000_000, "<" * 1_000_000, "<a>;" * 250_000, '"' * 1_000_001, ";=" * 500_000):
        assert header_links([nonsense]) == ((), "")
