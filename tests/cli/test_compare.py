"""`gensr compare`: one table, or one line for each that answers another question."""

import json
import shutil

import pytest


@pytest.fixture
def runs(home, here):
    """Two runs of one question, linear also under another name."""
    for name in ("linear", "gen-ser", "deployed"):
        shutil.copytree(home / "runs" / name, here / name)
    return here


def test_one_table(gensr, runs):
    said = gensr("compare", "gen-ser", "linear")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    (head,) = [line for line in lines if line.split()[:2] == ["system", "seeds"]]
    assert "WA - gen-ser" in head
    assert "p (Holm)" in head
    assert any(line.startswith("n = ") and "majority class" in line for line in lines)
    assert sum("intervals leave out" in line for line in lines) == 1
    assert any(line.startswith("note: p: ") for line in lines)


def test_in_json(gensr, runs):
    said = gensr("compare", "gen-ser", "linear", "--against", "linear", "--json")
    plain = json.loads(said.out)
    assert plain["comparable"]
    assert plain["against"] == "linear"
    first, second = plain["systems"]
    assert second["differences"]["speaker"] == {}
    assert {"difference", "interval", "p", "p_holm", "detectable"} <= set(
        first["differences"]["speaker"]["uar"]
    )


def test_one_system_alone_is_a_table_too(gensr, runs):
    said = gensr("compare", "linear")
    assert said.status == 0
    assert "Holm" not in said.out


def test_other_questions_are_refused(gensr, runs, home):
    asked = ["--model", "linear", "--steps", 4, "--device", "cpu", "--split-seed", 5]
    for name, more in (
        ("other", ["--protocol", "speaker-holdout"]),
        ("sex", ["--label", "gender"]),
    ):
        said = gensr("train", home / "tones.zarr", *asked, *more, "--run", name)
        assert said.status == 0, said.err
    said = gensr("compare", "linear", "other", "sex")
    assert said.status == 1
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("not comparable: linear and ") for line in lines)
    assert "protocol (" in lines[0]
    assert "label (emotion; gender)" in lines[1]
    said = gensr("compare", "linear", "other", "--json")
    assert said.status == 1
    assert json.loads(said.out)["comparable"] is False


@pytest.mark.parametrize(
    "asked",
    [
        ("linear", "deployed"),
        ("linear", "nowhere"),
    ],
)
def test_what_was_not_tested_is_one_line(gensr, runs, asked):
    assert gensr("compare", *asked).complaint


@pytest.mark.parametrize(
    "asked", [("linear", "linear"), ("linear", "--metric", "wa"), ("linear", "--against", "third")]
)
def test_what_cannot_be_meant_is_one_line(gensr, runs, asked):
    assert gensr("compare", *asked).usage


def test_several_seeds_are_one_system(gensr, runs, home):
    asked = ["--model", "linear", "--steps", 4, "--device", "cpu", "--seeds", "0,1", "--run", "set"]
    assert gensr("train", home / "tones.zarr", *asked).status == 0
    said = gensr("compare", "linear", "set", "--json")
    one, several = json.loads(said.out)["systems"]
    assert one["seeds"] == [0]
    assert several["seeds"] == [0, 1]
    mean = sum(seed["accuracy"] for seed in several["by_seed"]) / 2
    assert several["accuracy"] == pytest.approx(mean)
    said = gensr("eval", "set", "--json")
    assert [run["accuracy"] for run in json.loads(said.out)["runs"]] == [
        seed["accuracy"] for seed in several["by_seed"]
    ]
