from itertools import islice

import pytest
import torch

from gensr.estimator.order import Order


def order(n: int, **how: int) -> Order:
    return Order(**({"n": n, "batch": 4, "window": 40, "block": 5, "seed": 0} | how))


def epoch(of: Order, number: int) -> torch.Tensor:
    """The batches of one epoch."""
    windows = of.windows(number * of.steps)
    return torch.cat(list(islice(windows, len(of.sizes))))


@pytest.mark.parametrize("n", [1, 3, 4, 12, 39, 40, 41, 57, 80, 203])
def test_an_epoch_shows_every_clip_at_most_once_and_leaves_out_ends_alone(n: int) -> None:
    of = order(n)
    for number in range(3):
        shown = epoch(of, number).flatten().tolist()
        assert len(shown) == len(set(shown)) == of.steps * of.size
        assert set(shown) <= set(range(n))
        assert n - len(shown) < of.size * len(of.sizes)


@pytest.mark.parametrize("n", [40, 203])
def test_each_epoch_has_its_own_order_and_each_seed(n: int) -> None:
    of = order(n)
    assert not torch.equal(epoch(of, 0), epoch(of, 1))
    assert not torch.equal(epoch(of, 0), epoch(order(n, seed=1), 0))
    assert torch.equal(epoch(of, 1), epoch(order(n), 1))


def test_a_step_is_the_same_from_wherever_one_goes_on() -> None:
    of = order(203)
    whole = torch.cat(list(islice(of.windows(0), 3 * len(of.sizes))))
    for step in (0, 1, of.steps - 1, of.steps, of.steps + 7):
        assert torch.equal(of.rows(step), whole[step])
        assert torch.equal(next(of.windows(step))[0], whole[step])


def test_a_window_holds_no_more_than_it_may_and_whole_blocks() -> None:
    of = order(203)
    assert max(of.sizes) <= of.window + of.block
    windows = list(islice(of.windows(0), len(of.sizes)))
    for window in windows[:-1]:
        blocks = {clip // of.block for clip in window.flatten().tolist()}
        assert len(blocks) <= -(-of.window // of.block)


def test_a_part_that_fits_one_window_is_permuted_whole() -> None:
    apart = [abs(a - b) for a, b in zip(*epoch(order(40, batch=20), 0).tolist(), strict=True)]
    assert max(apart) > 20


def test_a_part_smaller_than_a_batch_is_shown_whole() -> None:
    assert sorted(order(3, batch=64).rows(5).tolist()) == [0, 1, 2]


def test_blocks_of_one_epoch_meet_others_in_the_next() -> None:
    """Else clips would only ever be mixed with the same others."""
    of = order(400)
    first = [{c // 5 for c in w.flatten().tolist()} for w in islice(of.windows(0), 2)]
    second = [{c // 5 for c in w.flatten().tolist()} for w in islice(of.windows(of.steps), 2)]
    assert first[0] not in second
