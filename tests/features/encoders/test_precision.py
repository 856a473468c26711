"""What a precision costs is timed, said where another is faster, refused where it is slow."""

import math

import pytest
import torch

from gensr.estimator.errors import ConfigError
from gensr.features.encoders.precision import PRECISIONS, Cost, cost_on, product_of


def timer(**milliseconds):
    """Seconds of each precision; every third look is quiet, the others are disturbed."""
    looks = []

    def measure(name):
        looks.append(name)
        return 1e-3 * milliseconds[name] * (1 if len(looks) > 6 else 50)

    return measure


def test_the_quietest_look_counts_and_float32_is_the_measure():
    cost = cost_on("cpu", timer(float32=4, bfloat16=2, float16=52))
    assert cost.device == "cpu"
    assert cost.ratios == pytest.approx({"float32": 1.0, "bfloat16": 0.5, "float16": 13.0})


def test_what_is_many_times_slower_is_refused_in_one_line_with_the_way_out():
    cost = cost_on("cpu", timer(float32=4, bfloat16=2, float16=52))
    cost.check("float32")
    cost.check("bfloat16")
    with pytest.raises(ConfigError, match=r"^dtype float16 takes about 13 times") as told:
        cost.check("float16")
    assert "this CPU" in str(told.value)
    assert "allow_slow (--allow-slow)" in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(ConfigError, match="this GPU cannot compute it; use float32"):
        Cost("cuda", {"float32": 1.0, "bfloat16": math.inf, "float16": 0.5}).check("bfloat16")


@pytest.mark.parametrize(
    ("asked", "bfloat16", "said"),
    [
        ("float32", 0.5, "this CPU computes bfloat16 about twice as fast as float32: see --dtype"),
        ("float32", 0.125, "this CPU computes bfloat16 about 8 times as fast as float32"),
        ("float32", 0.68, ""),
        ("float32", 1.5, ""),
        ("bfloat16", 0.5, ""),
        ("bfloat16", 2.9, "this CPU computes float32 about 2.9 times as fast as bfloat16"),
    ],
)
def test_one_line_where_another_is_much_faster(asked, bfloat16, said):
    cost = Cost("cpu", {"float32": 1.0, "bfloat16": bfloat16, "float16": math.inf})
    lines = list(cost.advice(asked))
    assert len(lines) == bool(said)
    assert not lines or lines[0].startswith(said)


def test_a_product_is_timed_by_the_clock_on_one_thread_and_threads_are_put_back():
    ticks = iter(range(100))
    measure = product_of("cpu", lambda: next(ticks))
    assert [measure(name) for name in PRECISIONS] == [1, 1, 1]
    before = torch.get_num_threads()
    found = cost_on("cpu").ratios
    assert torch.get_num_threads() == before
    assert found["float32"] == 1.0
    assert min(found.values()) > 0


def test_a_device_without_a_kernel_for_it_takes_for_ever(monkeypatch):
    def linear(frames, weights):
        raise RuntimeError("\"addmm_impl_cpu_\" not implemented for 'Half'")

    monkeypatch.setattr(torch.nn.functional, "linear", linear)
    assert product_of("cpu")("float16") == math.inf


def test_a_device_that_is_not_there_is_said_before_anything_is_timed():
    with pytest.raises(ConfigError, match="no device is called 'gpu'"):
        cost_on("gpu", timer())
