import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensr.estimator.errors import ConfigError
from gensr.features.encoding.batching import MAX_PADDING, plan_batches

LENGTHS = st.lists(st.integers(400, 3_000), max_size=80)


@given(lengths=LENGTHS, batch_samples=st.integers(1, 20_000), equal=st.booleans())
def test_every_clip_once_within_the_bounds(lengths, batch_samples, equal):
    batches = plan_batches(lengths, batch_samples=batch_samples, equal_lengths=equal)
    flat = [index for batch in batches for index in batch]
    assert flat == sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    for batch in batches:
        sizes = [lengths[index] for index in batch]
        padded = max(sizes) * len(sizes)
        assert len(batch) == 1 or padded <= batch_samples
        assert padded - sum(sizes) <= MAX_PADDING * padded
        assert not equal or len(set(sizes)) == 1


@given(lengths=st.lists(st.integers(400, 3_000), unique=True), seed=st.randoms())
def test_batches_follow_the_lengths_not_their_order(lengths, seed):
    shuffled = list(lengths)
    seed.shuffle(shuffled)
    one, two = (
        [
            [clips[index] for index in batch]
            for batch in plan_batches(clips, batch_samples=9_000, equal_lengths=False)
        ]
        for clips in (lengths, shuffled)
    )
    assert one == two


def test_batches_are_filled_and_cut_at_the_bound():
    assert plan_batches([500] * 5, batch_samples=1_000, equal_lengths=True) == [[0, 1], [2, 3], [4]]
    assert plan_batches([], batch_samples=1_000, equal_lengths=False) == []
    assert plan_batches([5_000, 400], batch_samples=1_000, equal_lengths=False) == [[1], [0]]


def test_clips_of_similar_length_share_a_batch():
    lengths = [1_000 + 10 * step for step in range(20)]  # up to 19 % apart
    batches = plan_batches(lengths, batch_samples=10**9, equal_lengths=False)
    assert batches == [[*range(12)], [*range(12, 20)]]
    alone = plan_batches(lengths, batch_samples=10**9, equal_lengths=True)
    assert alone == [[index] for index in range(20)]


def test_the_bound_is_checked():
    with pytest.raises(ConfigError, match="batch_samples"):
        plan_batches([400], batch_samples=0, equal_lengths=False)
