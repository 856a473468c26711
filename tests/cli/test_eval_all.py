"""`gensr eval RUN1 RUN2`: what the second lacks is known before the first is written to."""

import shutil

import pytest


def files(run):
    return {path: path.stat().st_mtime_ns for path in run.rglob("*")}


@pytest.mark.parametrize("second", ["gone", "deployed", "no predictions", "other vectors"])
def test_all_are_checked_before_any_is_written(second, gensr, home, here):
    for name in ("linear", "gen-ser", "deployed"):
        shutil.copytree(home / "runs" / name, here / name)
    name = "gen-ser"
    if second in ("gone", "deployed"):
        name = second
    elif second == "no predictions":
        (here / name / "predictions.csv").unlink()
    ask = ["eval", "linear", name, "--sampler-steps", 1, "--device", "cpu"]
    if second == "other vectors":
        ask += ["--store", "nowhere.zarr"]
    before = files(here)
    assert gensr(*ask).complaint
    assert files(here) == before
