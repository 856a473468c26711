"""Every figure of a report as a PNG, and its data as a CSV."""

import io
from collections.abc import Iterable
from pathlib import Path

from gensr.estimator.files import make_folder, write_whole
from gensr.pipeline.report.figures.chart import Chart
from gensr.pipeline.report.figures.pen import Pen

DPI = 200


def export(charts: Iterable[Chart], folder: Path) -> list[Path]:
    """Write NAME.png and NAME.csv of every chart.

    Args:
        charts: of one report.
        folder: where; made if missing. Other files in it stay.

    Returns:
        What was written.

    Raises:
        RunError: the folder cannot be written.
    """
    make_folder(folder)
    written = []
    for chart in charts:
        pen = Pen.of(chart.names)
        out = io.BytesIO()
        with pen.down():
            figure = chart.figure(pen)
            figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        for suffix, data in ((".png", out.getvalue()), (".csv", chart.table.to_csv())):
            path = folder / f"{chart.name}{suffix}"
            write_whole(path, data)
            written.append(path)
    return written
