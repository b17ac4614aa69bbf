from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.rendering.fitting import fewer, share

COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(COUNTS, st.integers(0, 500))
def test_a_share_gives_out_all_it_may_and_no_section_more_than_it_has(available, keep):
    shares = share(available, keep)
    assert sum(shares) == min(keep, sum(available))
    assert all(got <= has for got, has in zip(shares, available, strict=True))


@given(COUNTS, st.integers(0, 500))
def test_no_section_starves_beside_a_fat_one(available, keep):
    shares = share(available, keep)
    hungry = [got for got, has in zip(shares, available, strict=True) if got < has]
    assert all(got <= min(hungry) + 1 for got in shares) if hungry else True


@given(st.integers(1, 1_000), st.integers(1, 10_000_000))
def test_every_try_keeps_fewer_so_that_cutting_ends(kept, size_bytes):
    assert 0 <= fewer(kept, size_bytes) < kept
