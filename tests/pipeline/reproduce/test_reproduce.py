"""Every experiment, on two small corpora with the paper's names; tables against the numbers."""

import json

import numpy as np
import pytest

from gensr.estimator.metrics import accuracy
from gensr.pipeline.reproduce import paper, tables
from gensr.pipeline.reproduce.errors import ReproduceError
from gensr.pipeline.reproduce.measure import measured, versus_all
from gensr.pipeline.reproduce.reproduce import reproduce
from gensr.pipeline.reproduce.systems import Budget
from gensr.pipeline.runs.sets import runs_of
from support import tones

BUDGET = Budget(seeds=(0, 1), steps=2, device="cpu")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpora")
    tones.write_corpus(root / "ravdess", corpus="ravdess", speakers=("01", "02", "05", "06"))
    return root


@pytest.fixture(scope="module")
def out(corpora, tmp_path_factory):
    """A folder in which Table 1 was made."""
    out = tmp_path_factory.mktemp("out")
    reproduce("table1", corpora, encoders=["fbank"], out=out, budget=BUDGET)
    return out


def test_table_1_says_what_is_not_measured_and_measures_the_analogue(corpora, out):
    found = reproduce("table1", corpora, encoders=["fbank"], out=out, budget=BUDGET)
    whole, analogue = found.tables
    ours = {row[0]: row for row in whole.rows}
    assert set(ours) == {system.name for system in paper.TABLE1}
    assert ours["Gen-SER"] == ("Gen-SER", "56.5", "not measured: MELD audio missing")
    assert "gensr score" in ours["Qwen2-Audio"][2]
    assert any("four classes" in note for note in whole.notes)
    runs = runs_of(out / "runs/ravdess-emotion-fbank/linear")
    mean = np.mean([accuracy(np.array(measured([run]).numbers.confusion)) for run in runs])
    (row,) = [row for row in analogue.rows if row[0] == "linear"]
    assert row[2].startswith(f"{100 * mean:.1f}")
    assert "ravdess-6fold" in analogue.title
    assert any("2 seeds" in note for note in analogue.notes)
    assert any(line.startswith("MELD") for line in found.lacking)
    page, plain = (out / f"table1{end}" for end in (".md", ".json"))
    assert "| Gen-SER | 56.5 | not measured: MELD audio missing |" in page.read_text()
    assert json.loads(plain.read_text())["tables"][1]["rows"] == [[*r] for r in analogue.rows]


def test_the_difference_is_gen_ser_less_its_control(out):
    ours, control = (
        measured(runs_of(out / f"runs/ravdess-emotion-fbank/{model}"))
        for model in ("gen-ser", "linear")
    )
    ahead = versus_all(ours, {"linear": control})["linear"]
    gap = ours.numbers.values["accuracy"] - control.numbers.values["accuracy"]
    assert ahead.paired.value == pytest.approx(gap)
    assert ahead.told().startswith(f"{100 * gap:+.1f} [")
    back = versus_all(ours, {"linear": control}, forward=False)["linear"]
    assert back.paired.value == pytest.approx(-gap)


def test_table_3_and_fig_1_share_the_runs_of_table_1(corpora, out):
    before = (out / "runs/ravdess-emotion-fbank/gen-ser/seed-0/predictions.csv").stat().st_mtime_ns
    whole, analogue = reproduce(
        "table3", corpora, encoders=["fbank"], out=out, budget=BUDGET
    ).tables
    assert whole.rows[0][:2] == ("1", "56.13")
    assert all("not measured: MELD audio missing" in row[2] for row in whole.rows)
    assert [row[0] for row in analogue.rows] == ["1", "2", "4", "10", "20"]
    assert analogue.rows[0][2] == ""  # nothing over itself
    assert all("[" in row[2] for row in analogue.rows[1:])
    figure = reproduce("fig1", corpora, encoders=["fbank"], out=out, budget=BUDGET)
    (picture,) = figure.pictures
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "angry, " in figure.tables[0].rows[0][2]
    assert (
        before
        <= (out / "runs/ravdess-emotion-fbank/gen-ser/seed-0/predictions.csv").stat().st_mtime_ns
    )


def test_table_2_is_about_gender(corpora, out):
    whole, analogue = reproduce(
        "table2", corpora, encoders=["fbank"], out=out, budget=BUDGET
    ).tables
    assert "AIR-Bench" in whole.rows[0][2]
    assert "gender" in analogue.title
    assert "2 classes" in analogue.title


def test_an_encoder_that_is_not_here_is_a_row_that_says_so(corpora, out, tmp_path):
    found = reproduce("table1", corpora, encoders=[str(tmp_path / "gone")], out=out, budget=BUDGET)
    assert all("not measured: encoder" in row[2] for row in found.tables[1].rows)
    assert all("no such folder" in row[2] for row in found.tables[1].rows)


def test_with_nothing_there_the_answer_is_what_to_obtain(tmp_path):
    with pytest.raises(ReproduceError, match=r"zenodo.org/records/1188976.*CC BY-NC-SA 4.0"):
        reproduce("table1", tmp_path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ReproduceError, match=r"AIR-Bench.*huggingface.co/microsoft/wavlm-large"):
        reproduce("table2", tmp_path, out=tmp_path / "out")
    with pytest.raises(ReproduceError, match="no experiment 'table4'"):
        reproduce("table4", tmp_path)


def test_the_papers_table_has_our_figure_where_its_question_was_asked(out):
    one = measured(runs_of(out / "runs/ravdess-emotion-fbank/gen-ser"))
    table = tables.of_paper("Table 1", paper.TABLE1, {(paper.HUBERT, "gen-ser"): one}, "no WavLM")
    rows = {row[0]: row[2] for row in table.rows}
    assert rows["Gen-SER"] == f"{one.wa()}, n = {one.n}"
    assert rows["WavLM + CLS"] == "not measured: no WavLM"


def test_names_that_a_table_would_split_are_escaped():
    table = tables.Table(title="t", columns=("a|b",), rows=(("c|d",),), notes=("n",))
    assert r"| a\|b |" in table.markdown()
    assert r"| c\|d |" in table.markdown()
