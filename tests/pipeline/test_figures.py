"""Pictures: files of a sane size with something on them, and what they show is what was found."""

import matplotlib.image
import numpy as np
import pytest

from gensr.estimator.metrics import numbers
from gensr.pipeline import figures
from gensr.pipeline.bench import MeanTrajectory
from gensr.pipeline.evaluate import evaluate
from gensr.pipeline.run import Run


def made(C, n=200, clusters=5, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(C, size=n)
    answer = np.where(rng.random(n) < 0.6, truth, rng.integers(C, size=n))
    names = [f"{i}-a rather long name" for i in range(C)]
    return numbers(truth.tolist(), answer.tolist(), [f"s{i % clusters}" for i in range(n)], names)


def way(L=80, N=20):
    code = np.sin(np.arange(L)).astype(np.float32)
    start = np.cos(3 * np.arange(L)).astype(np.float32)
    share = np.linspace(0, 1, N + 1, dtype=np.float32)[:, None]
    return MeanTrajectory(
        name="sad",
        times=np.linspace(1, 0, N + 1, dtype=np.float32),
        states=(1 - share) * start + share * code,
        code=code,
    )


def is_a_picture(path):
    assert path.read_bytes().startswith(b"\x89PNG")
    pixels = matplotlib.image.imread(path)[..., :3]
    height, width = pixels.shape[:2]
    assert 300 < height < 2000
    assert 300 < width < 2000
    ink = (pixels < 0.9).any(-1)
    assert 0.01 < ink.mean() < 0.9
    for half in (
        ink[: height // 2],
        ink[height // 2 :],
        ink[:, : width // 2],
        ink[:, width // 2 :],
    ):
        assert half.any()


def test_gen_ser_has_three(finished, tmp_path):
    found = evaluate(Run.open(finished), steps=(1, 4), device="cpu")
    paths = figures.draw(found, tmp_path / "deep/figures")
    assert [path.name for path in paths] == ["confusion.png", "steps.png", "trajectory.png"]
    for path in paths:
        is_a_picture(path)


def test_a_baseline_has_one(linear, tmp_path):
    paths = figures.draw(evaluate(Run.open(linear), device="cpu"), tmp_path)
    assert [path.name for path in paths] == ["confusion.png"]
    is_a_picture(paths[0])


@pytest.mark.parametrize("C", [2, 7, 30])
def test_any_number_of_classes(C, tmp_path):
    found = made(C)
    figure = figures.confusion(found, "title")
    figure.savefig(tmp_path / "c.png", dpi=150)
    is_a_picture(tmp_path / "c.png")
    axes = figure.axes[0]
    counts = np.array(found.confusion)
    shown = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shown, counts / counts.sum(1, keepdims=True))
    assert [label.get_text() for label in axes.get_yticklabels()] == list(found.classes)
    written = {(text.get_position(), text.get_text()) for text in axes.texts}
    expected = {((j, i), str(counts[i, j])) for i, j in np.argwhere(counts)} if C <= 20 else set()
    assert written == expected


def test_a_class_that_is_not_tested_is_an_empty_row():
    found = numbers([0, 0], [0, 1], ["a", "b"], ["x", "y", "z"])
    shown = np.asarray(figures.confusion(found, "t").axes[0].images[0].get_array())
    assert shown.tolist() == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("clusters", [5, 2])
@pytest.mark.parametrize("N", [(1, 2, 4, 10, 20), (3,)])
def test_accuracy_against_n(N, clusters, tmp_path):
    by_steps = {n: made(3, clusters=clusters, seed=n) for n in reversed(N)}
    figure = figures.steps(by_steps, "title")
    figure.savefig(tmp_path / "s.png", dpi=150)
    is_a_picture(tmp_path / "s.png")
    accuracy, uar, _ = figure.axes[0].lines
    assert accuracy.get_xdata().tolist() == uar.get_xdata().tolist() == list(N)
    values = [100 * by_steps[n].values["accuracy"] for n in N]
    np.testing.assert_allclose(accuracy.get_ydata(), values)
    bands = figure.axes[0].collections  # intervals need four speakers
    assert len(bands) == (2 if clusters == 5 else 0)


def test_the_mean_way(tmp_path):
    figure = figures.trajectory(way(), "title")
    figure.savefig(tmp_path / "t.png", dpi=150)
    is_a_picture(tmp_path / "t.png")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].startswith("$x_1$, t = 1.00")
    assert titles[-1] == "$x_t$, t = 0.00, cosine 1.00"
    cosines = [float(title.split()[-1]) for title in titles]
    assert cosines == sorted(cosines)


def test_a_way_that_starts_nowhere():
    still = MeanTrajectory(
        name="sad",
        times=np.array([1.0, 0.0], np.float32),
        states=np.zeros((2, 8), np.float32),
        code=np.ones(8, np.float32),
    )
    titles = [axes.get_title() for axes in figures.trajectory(still, "t").axes]
    assert all(title.endswith("cosine 0.00") for title in titles)
