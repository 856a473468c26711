"""Every chart of a report, by name, in the order of the page."""

from gensr.pipeline.report.content.data import Missing, Report
from gensr.pipeline.report.figures.bars import (
    bars_chart,
    group_chart,
    layers_chart,
    shortcuts_chart,
    systems_chart,
)
from gensr.pipeline.report.figures.chart import Chart
from gensr.pipeline.report.figures.curves import coverage_chart, reliability_chart, steps_chart
from gensr.pipeline.report.figures.pictures import confusion_chart, map_charts, way_chart


def charts_of(report: Report) -> dict[str, Chart]:
    """The charts that there are; what is missing has none."""
    head = report.headline
    overall = ("all clips", head.accuracy.value)
    found = [confusion_chart(report.confusion)]
    if len(report.systems.rows) > 1:
        found.append(systems_chart(report.systems.rows, head.majority, head.n))
    uar = ("UAR", head.uar.value)
    found.append(
        bars_chart("by-class", "Recall by class", report.by_class, line=uar, what="recall")
    )
    if not isinstance(report.by_speaker, Missing):
        title = "Accuracy by speaker"
        bars = report.by_speaker
        found.append(bars_chart("by-speaker", title, bars, line=overall, what="accuracy"))
    if not isinstance(report.groups, Missing):
        found += [group_chart(group, head.accuracy.value) for group in report.groups]
    if not isinstance(report.layers, Missing):
        found.append(layers_chart(report.layers, head.majority))
    if not isinstance(report.steps, Missing):
        found.append(steps_chart(report.steps))
    if not isinstance(report.calibration, Missing):
        found += [reliability_chart(report.calibration), coverage_chart(report.calibration)]
    if not isinstance(report.checks, Missing) and report.checks.shortcuts:
        found.append(shortcuts_chart(report.checks, head.majority))
    if not isinstance(report.map, Missing):
        found += map_charts(report.map)
    if not isinstance(report.ways, Missing):
        found.append(way_chart(report.ways[0]))
    return {chart.name: chart for chart in found}
