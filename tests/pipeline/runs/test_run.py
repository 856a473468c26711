"""A run folder on the disk: whole files, honest errors, the newest of several."""

import csv
import json
import os
import subprocess
from dataclasses import asdict
from itertools import product

import pytest

from gensr.estimator.errors import RunError
from gensr.pipeline.runs import provenance
from gensr.pipeline.runs.files import identity, plain_bytes
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run, new_folder, newest


def test_predictions_come_back_as_they_were_whatever_is_in_a_path(tmp_path):
    paths = ['a,"b".wav', "line\nbreak.wav", "ünï/çødé.wav", "plain.wav"]
    given = [Prediction(path, "1", "sad", "angry, rather", (0.25, 0.75)) for path in paths]
    run = Run(tmp_path)
    run.write_predictions(["angry, rather", "sad"], given)
    assert run.predictions() == sorted(given, key=lambda row: row.path)
    head = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert head == 'path,fold,label,predicted,"p_angry, rather",p_sad,speaker,corpus'


def test_no_name_is_a_formula_or_an_escape_in_predictions(tmp_path):
    names = ["=cmd|'/c calc'!A1", "@a", "-1+1", "'quoted", "\x1b]0;own\x07", "a\\b", "-1"]
    given = [Prediction(n, "1", n, n, (1.0,), n, n) for n in names]
    run = Run(tmp_path)
    run.write_predictions(["=1+1\x1b"], given)
    assert run.predictions() == sorted(given, key=lambda row: row.path)
    text = (tmp_path / "predictions.csv").read_text()
    assert not set(text) & set("\x1b\x07")
    head, *rows = csv.reader(text.splitlines())
    assert head[4] == r"'p_=1+1\x1b"
    cells = {cell for row in rows for cell in row if not cell.replace(".", "").isdigit()}
    assert cells == {
        "'=cmd|'/c calc'!A1",
        "'@a",
        "'-1+1",
        "''quoted",
        r"'\x1b]0;own\x07",
        "a\\b",
        "-1",
    }


def test_a_place_whose_name_is_no_utf8_can_be_written_down(tmp_path):
    numbers = {"run": "runs/\udcff", "classes": ["立", "\x9b2J"]}
    Run(tmp_path).write_numbers(numbers)
    written = (tmp_path / "numbers.json").read_text(encoding="utf-8")
    assert json.loads(written) == numbers
    assert "立" in written
    assert "\x9b" not in written


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    run = Run(tmp_path)
    run.write_predictions(["a"], [Prediction("x.wav", "1", "a", "a", (1.0,))])
    before = (tmp_path / "predictions.csv").read_bytes()

    rows = [Prediction(path, "1", "a", "a", (p,)) for path, p in (("x", 0.5), ("y", "broken"))]
    with pytest.raises(ValueError, match="format code"):
        run.write_predictions(["a"], rows)
    with pytest.raises(TypeError):
        run.write_numbers({"x": object()})
    assert (tmp_path / "predictions.csv").read_bytes() == before
    assert not (tmp_path / "numbers.json").exists()


def test_the_newest_run_is_the_one_started_last(tmp_path):
    for age, name in enumerate(("b", "c", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        os.utime(tmp_path / name / "config.json", ns=(age * 10**9, age * 10**9))
    assert newest(tmp_path).name == "a"


def test_no_run_to_be_the_newest(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"no run under .*gensr train STORE"):
        newest(tmp_path)
    with pytest.raises(RunError, match="no run under"):
        newest(tmp_path / "nowhere")


def test_a_new_folder_is_never_one_that_is_there(tmp_path):
    names = set()
    for _ in range(3):
        folder = new_folder(tmp_path, "linear")
        folder.mkdir()
        names.add(folder.name)
    assert len(names) == 3
    assert all("-linear" in name for name in names)


@pytest.mark.parametrize("there", [(), ("config.json",), ("protocol.json",)])
def test_a_folder_without_a_run(there, tmp_path):
    for name in there:
        (tmp_path / name).write_text("{}")
    with pytest.raises(RunError, match="is no run; `gensr train STORE --run"):
        Run.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *product(["config", "protocol", "manifest"], [b"", b"{", b"\xff\xfe\x00", b"[]"]),
        ("protocol", b"{}"),
        (
            "protocol",
            b'{"protocol": {"classes": ["a"], "folds": {}}, "clips": [["x", "b", "", ""]]}',
        ),
    ],
)
def test_a_damaged_file_is_named(name, content, finished, copied):
    run = Run.open(copied(finished))
    (run.folder / f"{name}.json").write_bytes(content)
    with pytest.raises(RunError, match=rf"{name}\.json cannot be read .*; train again"):
        getattr(run, name)


@pytest.mark.parametrize(
    "content",
    [b"path,fold\na.wav,1\n", b"h\na,1,sad,sad,half\n", b"\xff\xfe\n\xff", b"h\n" + b"x" * 200_000],
)
def test_damaged_predictions_are_named(content, tmp_path):
    (tmp_path / "predictions.csv").write_bytes(content)
    with pytest.raises(RunError, match=r"predictions\.csv is damaged .*; train again"):
        Run(tmp_path).predictions()


def test_the_protocol_that_is_kept_is_the_one_that_was_asked(finished):
    run = Run.open(finished)
    assert run.protocol.hash == run.manifest.protocol_hash
    assert (
        run.protocol.describe() == json.loads((finished / "protocol.json").read_text())["protocol"]
    )


def test_what_was_read_is_written_back_to_the_byte(finished):
    run = Run.open(finished)
    assert plain_bytes(run.config.to_plain()) == (finished / "config.json").read_bytes()
    assert plain_bytes(asdict(run.manifest)) == (finished / "manifest.json").read_bytes()


def test_a_setting_of_a_later_version_counts_in_the_identity(finished, copied):
    run = copied(finished)
    plain = json.loads((run / "config.json").read_text()) | {"more": 1, "later": [2]}
    (run / "config.json").write_text(json.dumps(plain))
    with pytest.raises(RunError, match="its settings are not those of its models"):
        _ = Run(run).config
    plain["run"] = identity(plain)
    (run / "config.json").write_text(json.dumps(plain))
    assert Run(run).config.more == {"more": 1, "later": [2]}
    assert Run(run).config.to_plain() == plain


class TestRevision:
    def test_a_changed_checkout_says_so(self, monkeypatch, tmp_path):
        def git(*args):
            identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
            command = ["git", *identity, *args]
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

        (tmp_path / "pyproject.toml").write_text("")
        (tmp_path / "pipeline").mkdir()
        git("init")
        git("add", ".")
        git("commit", "-m", "x")
        monkeypatch.setattr(provenance, "__file__", str(tmp_path / "pipeline/runs/run.py"))
        clean = provenance._git_revision()
        assert len(clean) == 40
        (tmp_path / "pyproject.toml").write_text("changed")
        assert provenance._git_revision() == f"{clean}+dirty"

    def test_an_installed_package_has_none_even_within_a_checkout(self, monkeypatch, tmp_path):
        monkeypatch.setattr(provenance, "__file__", str(tmp_path / "gensr/pipeline/runs/run.py"))
        assert provenance._git_revision() is None

    def test_no_git_is_no_error(self, monkeypatch, tmp_path):
        (tmp_path / "pyproject.toml").write_text("")
        monkeypatch.setattr(provenance, "__file__", str(tmp_path / "pipeline/runs/run.py"))
        assert provenance._git_revision() is None
        monkeypatch.setenv("PATH", "")
        assert provenance._git_revision() is None
