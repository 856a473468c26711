from hypothesis import given
from hypothesis import strategies as st

from gensr.features.encoding.batching import MAX_PADDING
from gensr.features.encoding.windows import FRAME, Batching, cut


@given(samples=st.integers(400, 300_000), longest=st.integers(800, 100_000))
def test_windows_tile_the_clip_and_only_the_last_two_may_be_short(samples, longest):
    parts = cut(samples, longest)
    assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
    assert parts[-1][1] == samples
    lengths = [stop - start for start, stop in parts]
    assert len(parts) == -(-samples // longest)
    assert all(length == longest for length in lengths[:-2])
    assert max(lengths) <= longest
    if len(parts) > 1:
        shortest = min(16_000, longest // 2)
        assert lengths[-1] >= shortest
        assert lengths[-2] == longest or lengths[-1] < shortest + FRAME
        if longest % FRAME == 0:
            assert all(start % FRAME == 0 for start, _ in parts)


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


def test_clips_that_are_cut_come_last_and_few_at_a_time():
    """Two clips of 20,000 fill a batch of 30,000: no window of a third stands before theirs end."""
    batching = Batching(batch_samples=30_000, longest=8_000, equal_lengths=False)
    batches = batching.plan([20_000, 5_000, 20_001, 20_002, 20_003, 7_000])
    order = [window.clip for windows in batches for window in windows]
    assert set(order[:2]) == {1, 5}
    assert set(order[2:8]) == {0, 2}
    assert set(order[8:]) == {3, 4}
    for clip in (0, 2, 3, 4):
        parts = [w for windows in batches for w in windows if w.clip == clip]
        assert sorted(w.start for w in parts) == [start for start, _ in cut(20_000, 8_000)]
