import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensr.features.batching import MAX_PADDING
from gensr.features.windows import Batching, cut


@given(samples=st.integers(400, 100_000), longest=st.integers(400, 50_000))
def test_windows_tile_the_clip_and_are_equal_to_a_sample(samples, longest):
    parts = cut(samples, longest)
    assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
    assert parts[-1][1] == samples
    lengths = [stop - start for start, stop in parts]
    assert max(lengths) <= longest
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) == -(-samples // longest)


@given(
    lengths=st.lists(st.integers(400, 20_000), max_size=30),
    equal=st.booleans(),
    batch=st.integers(1, 40_000),
)
def test_every_sample_is_in_one_batch_and_batches_keep_their_bounds(lengths, equal, batch):
    batches = Batching(batch_samples=batch, longest=8_000, equal_lengths=equal).plan(lengths)
    heard = sorted((w.clip, w.start, w.stop) for windows in batches for w in windows)
    assert heard == [(clip, *part) for clip, n in enumerate(lengths) for part in cut(n, 8_000)]
    for windows in batches:
        padded = max(map(len, windows)) * len(windows)
        assert len(windows) == 1 or padded <= batch
        assert padded - sum(map(len, windows)) <= MAX_PADDING * padded
        assert not equal or len(set(map(len, windows))) == 1


@pytest.mark.parametrize("lengths", [[20_000, 16_001, 400, 16_001]])
def test_a_clips_windows_come_first_to_last(lengths):
    batching = Batching(batch_samples=1, longest=8_000, equal_lengths=False)
    seen: dict[int, int] = {}
    for (window,) in batching.plan(lengths):
        assert seen.get(window.clip, 0) == window.start
        seen[window.clip] = window.stop
