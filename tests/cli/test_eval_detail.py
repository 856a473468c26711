"""`gensr eval`: whom a run serves worse, what its probabilities are worth, what it refuses."""

import json
import shutil

import pytest


@pytest.fixture
def run(home, here):
    return shutil.copytree(home / "runs/linear", here / "linear")


def test_groups_gaps_and_calibration_are_printed(run, gensr):
    said = gensr("eval", run, "--by", "sentence", "--reject-below", 0.4, "--device", "cpu")
    assert said.status == 0, said.complaint
    for line in (
        "linear: by sentence",
        "gap of the best and the worst group",
        "linear: calibration",
        "no temperature: no dev scores; `gensr train --calibrate` keeps them",
        "refused where the probability is below 0.4: ",
    ):
        assert line in said.out
    assert "by gender" not in said.out  # its gap is enough


def test_json_has_all_of_it(run, gensr):
    said = gensr("eval", run, "--reject-below", 0.4, "--json", "--device", "cpu")
    found = json.loads(said.out)
    assert {"class", "speaker", "gender"} <= {*found["groups"]}
    gender = found["groups"]["gender"]
    assert sum(group["n"] for group in gender["groups"]) == found["n"]
    assert {*gender["gaps"]} >= {"accuracy", "uar", "macro_f1", "weighted_f1"}
    worth = found["calibration"]
    assert {"ece", "brier", "log_loss", "aurc"} <= {*worth["raw"]["values"]}
    assert worth["scaled"] is None
    assert 0 <= worth["rejection"]["coverage"] <= 1
    assert found == json.loads((run / "numbers.json").read_text())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "shoe-size"], "no column 'shoe-size' is known of these clips; there are class,"),
        (["--by", "corpus"], "--by corpus: all tested clips are of one corpus"),
        (["--reject-below", "70"], "--reject-below takes a confidence from 0 to 1; found 70.0"),
    ],
)
def test_what_cannot_be_told_is_refused(options, said, run, gensr):
    before = set(run.rglob("*"))
    answer = gensr("eval", run, *options, "--device", "cpu")
    assert said in answer.usage
    assert set(run.rglob("*")) == before
