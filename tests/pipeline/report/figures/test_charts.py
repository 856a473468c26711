"""The figures: what is drawn is what the table holds, and what the table holds is the report."""

import csv

import matplotlib.image
import numpy as np
import pytest

from gensr.features.shown import from_cell
from gensr.pipeline.report.content.data import Bar, Estimate
from gensr.pipeline.report.export import export
from gensr.pipeline.report.figures.bars import MOST_BARS, bars_chart
from gensr.pipeline.report.figures.charts import charts_of
from gensr.pipeline.report.figures.pen import Pen
from gensr.pipeline.report.figures.svg import inline
from support.reported import HOSTILE, PLAIN, a_report, nothing

NAMES = [
    *("confusion", "systems", "by-class", "by-speaker", "group-gender", "layers", "steps"),
    *("reliability", "risk-coverage", "shortcuts", "map-before", "map-after", "trajectory"),
]


@pytest.fixture(scope="module")
def charts():
    return charts_of(a_report())


def drawn(chart):
    pen = Pen.of(chart.names)
    with pen.down():
        return chart.figure(pen)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_each_part_has_its_chart(charts):
    assert list(charts) == NAMES
    assert list(charts_of(a_report(**nothing()))) == ["confusion", "systems", "by-class"]


@pytest.mark.parametrize("names", [PLAIN, HOSTILE])
def test_every_figure_is_a_picture_and_a_table(names, tmp_path):
    given = charts_of(a_report(names))
    paths = export(given.values(), tmp_path / "deep/report")
    assert sorted(path.name for path in paths) == sorted(
        f"{name}{suffix}" for name in NAMES for suffix in (".png", ".csv")
    )
    for chart in given.values():
        pixels = matplotlib.image.imread(tmp_path / f"deep/report/{chart.name}.png")[..., :3]
        assert min(pixels.shape[:2]) > 150
        assert 0.005 < (pixels < 0.9).any(-1).mean() < 0.9
        rows = read(tmp_path / f"deep/report/{chart.name}.csv")
        assert len(rows) == len(chart.table.rows)
        for row, wanted in zip(rows, chart.table.rows, strict=True):
            for cell, value in zip(row.values(), wanted, strict=True):
                if value is None:
                    assert cell == ""
                elif isinstance(value, float):
                    assert float(cell) == pytest.approx(value, rel=1e-5, abs=1e-12)
                else:
                    assert from_cell(cell) == str(value)


def test_no_cell_is_a_formula(tmp_path):
    export([charts_of(a_report(HOSTILE))["by-class"]], tmp_path)
    cells = [cell for row in read(tmp_path / "by-class.csv") for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_bars_are_as_long_as_the_table_says(charts):
    chart = charts["by-class"]
    axes = drawn(chart).axes[0]
    values = 100 * np.array(chart.table.numbers("value"))
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], values)
    ends = np.array([line[:, 0] for line in axes.collections[0].get_segments()])
    wanted = 100 * np.array([chart.table.numbers("low"), chart.table.numbers("high")]).T
    np.testing.assert_allclose(ends, wanted)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(PLAIN)
    assert chart.table.numbers("value") == [bar.estimate.value for bar in a_report().by_class]


def test_curves_go_through_the_points_of_the_table(charts):
    table = charts["steps"].table
    accuracy, uar = drawn(charts["steps"]).axes[0].lines
    assert accuracy.get_xdata().tolist() == table.column("N")
    np.testing.assert_allclose(accuracy.get_ydata(), 100 * np.array(table.numbers("accuracy")))
    np.testing.assert_allclose(uar.get_ydata(), 100 * np.array(table.numbers("uar")))
    curve = drawn(charts["risk-coverage"]).axes[0].lines[0]
    points = np.array(a_report().calibration.curve)[:, :2]
    np.testing.assert_allclose(curve.get_xydata(), 100 * points)
    dots = drawn(charts["reliability"]).axes[0].lines[1]
    np.testing.assert_allclose(
        dots.get_xydata(), 100 * np.array(a_report().calibration.bins)[:, 2:4]
    )


def test_the_matrix_is_the_confusion(charts):
    shown = np.asarray(drawn(charts["confusion"]).axes[0].images[0].get_array())
    counts = a_report().confusion.counts
    np.testing.assert_allclose(shown, 100 * counts / counts.sum(1, keepdims=True))


def test_a_map_shows_every_clip_in_the_colour_of_its_class(charts):
    report = a_report()
    axes = drawn(charts["map-after"]).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
    for number, line in enumerate(lines):
        np.testing.assert_allclose(line.get_xydata(), report.map.after[report.map.labels == number])
    assert len({line.get_color() for line in lines}) == len(PLAIN)
    assert len({line.get_marker() for line in lines}) == len(PLAIN)


def test_the_still_way_begins_at_x1_and_ends_at_x0(charts):
    way = a_report().ways[0]
    figure = drawn(charts["trajectory"])
    first, last = figure.axes[0], figure.axes[-1]
    np.testing.assert_allclose(first.lines[1].get_ydata(), way.states[0])
    np.testing.assert_allclose(last.lines[1].get_ydata(), way.states[-1])
    np.testing.assert_allclose(last.lines[0].get_ydata(), way.code)


def test_more_bars_than_a_figure_holds_are_in_the_table():
    bars = [Bar(f"s{i}", Estimate(0.5), 9) for i in range(MOST_BARS + 40)]
    chart = bars_chart("x", "x", bars, line=None, what="accuracy")
    assert len(drawn(chart).axes[0].patches) == MOST_BARS
    assert len(chart.table.rows) == MOST_BARS + 40


def test_names_inside_a_drawing_are_not_restyled():
    """Colours, fonts and ids are looked for in tags alone: a label may look like one."""
    name = 'a #1c1d1f id="x" font-family: y;'
    chart = bars_chart("x", "x", [Bar(name[:20], Estimate(0.5), 9)], line=None, what="z")
    pen = Pen.of(chart.names)
    with pen.down():
        text = inline(chart.figure(pen), "x")
    assert 'a #1c1d1f id="x" fon' in text.replace("&quot;", '"')


@pytest.mark.parametrize("name", NAMES)
def test_each_chart_can_be_heard(charts, name):
    assert len(charts[name].alt) > 20
