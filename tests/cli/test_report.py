"""`gensr report`: one line of what was written, and one of what is wrong."""

import shutil


def test_it_says_what_it_wrote(gensr, home, here):
    shutil.copytree(home / "runs/linear", here / "runs/linear")
    said = gensr("report", "--no-models", "--audio", home / "corpus")
    assert said.status == 0
    files = len(list((here / "runs/linear/report").iterdir()))
    assert files > 10
    assert said.out.splitlines() == [
        f"runs/linear/report.html, {files} files in runs/linear/report"
    ]
    assert (here / "runs/linear/report/confusion.png").is_file()
    assert "data:audio/wav;base64," in (here / "runs/linear/report.html").read_text()


def test_mistakes_are_one_line(gensr, home, here):
    linear = home / "runs/linear"
    assert "is no run" in gensr("report", here).complaint
    assert "never tested" in gensr("report", home / "runs/deployed").complaint
    assert "names no page" in gensr("report", linear, "--out", here, "--no-models").usage
    assert "is no folder" in gensr("report", linear, "--audio", "gone", "--no-models").usage
    wrong = gensr("report", linear, "--store", "nowhere.zarr", "--out", "a.html")
    assert "nowhere.zarr" in wrong.complaint
    assert not (here / "a.html").exists()
