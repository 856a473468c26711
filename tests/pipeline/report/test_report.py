"""`gensr.report` and `gensr report`: a page where it belongs, and mistakes in one line."""

import pytest

import gensr
from gensr.estimator.errors import ConfigError


def test_a_page_and_its_files_lie_in_the_run(finished, linear, copied):
    run = copied(finished)
    written = gensr.report([run, linear], steps=(1, 4), device="cpu")
    assert written.page == run / "report.html"
    assert written.beside == run / "report"
    names = {path.stem for path in written.files}
    assert {"confusion", "systems", "layers", "steps", "trajectory", "map-after"} <= names
    assert {path.suffix for path in written.files} == {".png", ".csv"}
    assert all(path.parent == written.beside and path.is_file() for path in written.files)
    text = written.page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert f"{100 * written.report.headline.accuracy.value:.1f}" in text
    assert "report.html" in repr(written)
    before = written.page.read_bytes(), sorted(run.rglob("*"))
    gensr.report([run, linear], steps=(1, 4), device="cpu")
    assert (written.page.read_bytes(), sorted(run.rglob("*"))) == before


def test_a_page_goes_where_it_is_told(linear, tmp_path):
    page = tmp_path / "new/savee.html"
    written = gensr.report(linear, out=page, ask_models=False)
    assert written.page == page
    assert written.beside == tmp_path / "new/savee"
    assert "savee/confusion.csv" in page.read_text(encoding="utf-8")


def test_a_folder_is_no_page(linear, tmp_path):
    for place in (tmp_path, tmp_path / "page"):
        with pytest.raises(ConfigError, match=r"names no page; give a file, as .*report\.html"):
            gensr.report(linear, out=place, ask_models=False)
