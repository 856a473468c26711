"""Pictures: files of a sane size with something on them, and what they show is what was found."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from matplotlib import font_manager

from gensr.estimator.errors import ConfigError
from gensr.estimator.metrics import numbers
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring import figures, fonts
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.scoring.replay import MeanTrajectory


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
        clips=12,
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
    recall = 100 * counts / counts.sum(1, keepdims=True)
    np.testing.assert_allclose(shown, recall)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(found.classes)
    written = {(text.get_position(), text.get_text()) for text in axes.texts}
    expected = {
        ((j, i), f"{recall[i, j]:.0f} %\n{counts[i, j]}") for i, j in np.argwhere(counts) if C <= 20
    }
    assert written == expected


def test_a_class_that_is_not_tested_is_an_empty_row():
    found = numbers([0, 0], [0, 1], ["a", "b"], ["x", "y", "z"])
    shown = np.asarray(figures.confusion(found, "t").axes[0].images[0].get_array())
    assert shown.tolist() == [[50, 50, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("clusters", [5, 2])
@pytest.mark.parametrize("N", [(1, 2, 4, 10, 20), (3,)])
def test_accuracy_against_n(N, clusters, tmp_path):
    by_steps = {n: made(3, clusters=clusters, seed=n) for n in reversed(N)}
    figure = figures.steps(by_steps, "title")
    figure.savefig(tmp_path / "s.png", dpi=150)
    is_a_picture(tmp_path / "s.png")
    accuracy, uar = figure.axes[0].lines
    assert accuracy.get_xdata().tolist() == uar.get_xdata().tolist() == list(N)
    values = np.array([100 * by_steps[n].values["accuracy"] for n in N])
    np.testing.assert_allclose(accuracy.get_ydata(), values)
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), values - values[0])
    bands = figure.axes[0].collections  # intervals need four speakers
    assert len(bands) == (2 if clusters == 5 else 0)


def test_the_axis_against_n_holds_what_is_compared():
    by_steps = {n: made(7, n=4000, seed=n) for n in (1, 4)}
    figure = figures.steps(by_steps, "title")
    low, high = figure.axes[0].get_ylim()
    spans = [span for found in by_steps.values() for span in found.intervals.values() if span]
    assert low > 100 * by_steps[1].values["majority_baseline"]
    assert high - low < 1.2 * 100 * (max(s[1] for s in spans) - min(s[0] for s in spans))
    assert "majority class 1" in figure.get_suptitle()


@pytest.mark.parametrize("drawn", ["steps", "trajectory"])
def test_legends_lie_beside_the_curves(drawn, tmp_path):
    made_of = {"steps": {1: made(3), 4: made(3, seed=4)}, "trajectory": way()}[drawn]
    figure = getattr(figures, drawn)(made_of, "title")
    figure.savefig(tmp_path / "f.png")
    (legend,) = figure.legends
    for axes in figure.axes:
        assert axes.get_legend() is None
        assert not legend.get_window_extent().overlaps(axes.get_window_extent())


HOSTILE = [
    "$\\frac{x$",
    "=cmd|'/c calc'!A1",
    "\x1b]0;own\x07\nline2",
    "a^_{b",
    "x" * 500,
    "\u202eevil",
]


def test_names_are_drawn_as_the_text_that_they_are(tmp_path):
    found = numbers([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 4], list("abcdef"), HOSTILE)
    figure = figures.confusion(found, "$ \\alpha $")
    figure.savefig(tmp_path / "c.png", dpi=150)  # warnings are errors: no glyph is missing
    is_a_picture(tmp_path / "c.png")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown[0] == r"\$\frac{x\$"  # matplotlib draws \$ as a dollar
    assert shown[2] == r"\x1b]0;own\x07\nline2"
    assert len(shown[4]) == 40
    assert shown[5] == r"\u202eevil"


def evaluation_with(finished, classes):
    """An evaluation whose classes have other names."""
    found = evaluate(Run.open(finished), steps=(1,), device="cpu")
    names = replace(found.numbers, classes=classes)
    return replace(found, numbers=names, trajectory=replace(found.trajectory, name=classes[0]))


def test_a_name_in_any_script_is_drawn_or_said(finished, tmp_path):
    classes = ("中立", "грусть", "غاضب")
    found = evaluation_with(finished, classes)
    lacking = figures.lacking(found)
    assert lacking <= set("中立")  # matplotlib itself brings the others
    for path in figures.draw(found, tmp_path):  # warnings are errors
        is_a_picture(path)


def test_letters_that_no_font_has_are_drawn_as_code_points(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_others", list)
    found = evaluation_with(finished, ("中立", "b", "c"))
    assert figures.lacking(found) == set("中立")
    for path in figures.draw(found, tmp_path):
        is_a_picture(path)
    figure = figures.confusion(found.numbers, "t", figures.lacking(found))
    assert figure.axes[0].get_yticklabels()[0].get_text() == "U+4E2DU+7ACB"


def test_a_font_of_the_machine_is_used_where_ours_lacks_a_letter(monkeypatch):
    formulas = font_manager.findfont("STIXGeneral")
    ours = fonts._letters(font_manager.findfont(fonts.OURS))
    letter = min(fonts._letters(formulas) - ours)
    monkeypatch.setattr(fonts, "_others", lambda: [("STIXGeneral", formulas)])
    assert fonts.families([f"a{letter}"]) == ([fonts.OURS, "STIXGeneral"], frozenset())
    assert fonts.families(["a"]) == ([fonts.OURS], frozenset())


def test_a_picture_does_not_follow_the_settings_of_this_machine(linear, tmp_path):
    found = evaluate(Run.open(linear), device="cpu")
    (plain,) = figures.draw(found, tmp_path / "a")
    with matplotlib.rc_context({"text.color": "red", "font.size": 22, "axes.facecolor": "black"}):
        (same,) = figures.draw(found, tmp_path / "b")
    assert plain.read_bytes() == same.read_bytes()


def test_the_encoder_is_in_the_title(linear, tmp_path):
    found = evaluate(Run.open(linear), device="cpu")
    assert figures._title(found) == f"linear, {found.protocol.name}, fbank"


def test_the_class_is_the_users(finished):
    found = evaluate(Run.open(finished), steps=(), trajectory_of="sad", device="cpu")
    assert found.trajectory.name == "sad"
    truth = [given.label for given in Run.open(finished).predictions()]
    assert found.trajectory.clips == truth.count("sad")
    with pytest.raises(ConfigError, match="has no class 'bored'; it has angry"):
        evaluate(Run.open(finished), steps=(), trajectory_of="bored", device="cpu")


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
        clips=1,
        times=np.array([1.0, 0.0], np.float32),
        states=np.zeros((2, 8), np.float32),
        code=np.ones(8, np.float32),
    )
    titles = [axes.get_title() for axes in figures.trajectory(still, "t").axes]
    assert titles
    assert all(title.endswith("cosine 0.00") for title in titles)
