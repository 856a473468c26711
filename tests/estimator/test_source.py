"""Examples in memory: rows of one array, seen from several parts."""

import pytest
import torch

from gensr.estimator import resident
from gensr.estimator.order import Order
from gensr.estimator.source import Source
from gensr.estimator.standardize import Standardizer
from support.toy import clips


def scale_of(source: Source) -> Standardizer:
    scale = Standardizer(3, 16)
    scale.fit(*source.moments())
    return scale


def seen(source: Source, steps: int = 5) -> torch.Tensor:
    """What the first steps see, (steps, B, K+1, L)."""
    order = Order(n=len(source), batch=8, window=64, block=16, seed=0)
    found: list[torch.Tensor] = []
    for window in source.windows(order, 0):
        found += [window.take(rows) for rows in window.rows]
        if len(found) >= steps:
            return torch.stack(found[:steps])
    raise AssertionError


def test_a_part_is_rows_of_the_whole() -> None:
    whole = clips(600)
    rows = torch.randperm(600, generator=torch.Generator().manual_seed(1))[:520]
    part = whole.take(rows)
    assert len(part) == 520
    assert torch.equal(part.y, whole.y[rows])
    assert torch.equal(part.whole(), whole.x[rows])
    assert [len(block) for block in part.blocks()] == [256, 256, 8]
    some = torch.tensor([3, 500, 3])
    assert torch.equal(part.batch(some), whole.x[rows[some]])
    again = part.take(torch.arange(10, 20))
    assert torch.equal(again.whole(), whole.x[rows[10:20]])
    assert part.x is whole.x  # nothing was copied
    assert again.x is whole.x


def test_a_window_shows_the_batches_of_the_order() -> None:
    part = clips(100).take(torch.arange(20, 90))
    order = Order(n=70, batch=8, window=64, block=16, seed=3)
    windows = part.windows(order, 3)
    window = next(windows)
    assert torch.equal(window.take(window.rows[0]), part.batch(order.rows(3)))
    assert torch.equal(window.y[0], part.y[order.rows(3)])


@pytest.mark.parametrize("copy", [0, 2**28])
def test_scaled_batch_by_batch_in_a_copy_or_in_place_is_the_same(
    copy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "COPY", copy)
    whole, rows = clips(300), torch.arange(0, 300, 2)
    before = whole.x.clone()
    part = whole.take(rows)
    scale = scale_of(part)
    expected = scale(before[rows])
    scaled = part.scaled(scale)
    assert torch.equal(scaled.whole(), expected)
    shown = seen(scaled)
    assert torch.equal(whole.x, before)
    assert (scaled.x is whole.x) == (copy == 0)
    alone = whole.take(rows, alone=True).scaled(scale)
    assert torch.equal(alone.whole(), expected)
    assert alone.x is whole.x
    assert torch.equal(whole.x[1::2], before[1::2])  # others' rows are as they were
    assert torch.equal(seen(alone), shown)


def test_no_clip_has_no_block() -> None:
    assert list(clips(5).take(torch.arange(0)).blocks()) == []
