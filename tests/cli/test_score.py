"""`gensr score`: answers of another system, from its table to a row beside runs."""

import csv
import json
import shutil

import pytest


@pytest.fixture
def answers(home, here):
    """A run, and a table of sentences that are right but for a refusal."""
    shutil.copytree(home / "runs/linear", here / "linear")
    with (here / "linear/predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (here / "talker.csv").open("w", encoding="utf-8") as file:
        file.write("file;answer\n")
        for row in rows[1:]:
            file.write(f"/data/{row['path']};The speaker sounds {row['label']}.\n")
        file.write(f"/data/{rows[0]['path']};I'm sorry, I cannot tell.\n")
    return len(rows)


def test_a_table_becomes_a_row_beside_a_run(gensr, answers, here):
    said = gensr("score", "talker.csv", "--protocol", "linear", "--out", "scores/talker")
    assert said.status == 0, said.err
    assert f"answers: {answers - 1} mapped, 0 ambiguous, 1 refused, 0 missed, 0 absent" in said.out
    assert "refused: “I'm sorry, I cannot tell.”" in said.out
    kept = json.loads((here / "scores/talker/numbers.json").read_text())
    assert kept["accuracy"] == pytest.approx((answers - 1) / answers)
    assert kept["answered_only"]["accuracy"] == 1
    said = gensr("compare", "linear", "scores/talker", "--json")
    assert said.status == 0, said.err
    systems = json.loads(said.out)["systems"]
    assert [one["name"] for one in systems] == ["linear", "talker"]
    assert systems[1]["accuracy"] == kept["accuracy"]
    assert systems[1]["seeds"] == []


@pytest.mark.parametrize("protocol", ["linear/protocol.json", "scores"])
def test_what_may_stand_for_the_protocol(gensr, answers, protocol):
    gensr("score", "talker.csv", "--protocol", "linear", "--out", "scores")
    said = gensr("score", "talker.csv", "--protocol", protocol, "--name", "again", "--json")
    assert said.status == 0, said.err
    plain = json.loads(said.out)
    assert (plain["system"], plain["answers"]["refused"]) == ("again", 1)


def test_a_mistake_is_one_line(gensr, answers, here):
    assert gensr("score", "nowhere.csv", "--protocol", "linear").complaint
    said = gensr("score", "talker.csv", "--protocol", "linear", "--label", "gender")
    assert "--label gender has no say without --store" in said.err
    assert gensr("score", "talker.csv", "--protocol", "nowhere").complaint
    assert gensr("score", "talker.csv", "--protocol", "linear", "--out", "linear").complaint
    assert gensr("score", "talker.csv", "--protocol", "linear", "--out", "out").status == 0
    assert (
        "--overwrite"
        in gensr("score", "talker.csv", "--protocol", "linear", "--out", "out").complaint
    )
    again = gensr("score", "talker.csv", "--protocol", "linear", "--out", "out", "--overwrite")
    assert again.status == 0
