"""What a notebook shows of a store, a run, a protocol, an evaluation and answers."""

import re
from html.parser import HTMLParser

import pytest

import gensr
from gensr.pipeline.scoring.evaluate import evaluate

HOSTILE = "<script>alert(1)</script>\x1b[2J&"


class Balanced(HTMLParser):
    """Counts what is open, and keeps the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags = [], "", set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def read(shown):
    page = Balanced()
    page.feed(shown._repr_html_())
    page.close()
    assert page.open == []
    assert page.tags <= {"table", "caption", "tbody", "tr", "td", "th", "p"}
    return page.text


def test_a_store(store):
    with gensr.open_store(store) as opened:
        told = repr(opened)
        assert re.fullmatch(
            r"Store\('.*tones.zarr': 36 clips, \d+ layers x 80, fbank, float32\)", told
        )
        assert "36 clips" in read(opened)


def test_a_run_and_its_protocol(finished, copied):
    run = gensr.Run.open(finished)
    assert repr(run) == f"Run('{finished}': gen-ser, emodb-loso)"
    assert "gen-ser, preset small" in read(run)
    protocol = run.protocol
    assert repr(protocol).startswith("Protocol(emodb-loso: emotion, 3 classes, 36 clips, 4 folds, ")
    assert len(repr(protocol)) < 120
    assert protocol.hash in read(protocol)
    assert "clips tested" in read(protocol)
    broken = copied(finished)
    (broken / "config.json").write_text("{")
    assert repr(gensr.Run(broken)) == f"Run('{broken}': unfinished or damaged)"


def test_an_evaluation(finished):
    found = evaluate(finished, steps=())
    wa = f"{100 * found.numbers.values['accuracy']:.1f}"
    low, high = (f"{100 * end:.1f}" for end in found.numbers.intervals["accuracy"])
    assert repr(found).startswith(
        f"Evaluation('{finished}': gen-ser, WA {wa} [{low}, {high}], UAR "
    )
    text = read(found)
    assert "macro-F1" in text
    assert all(name in text for name in found.protocol.classes)


def test_answers_and_hostile_names(corpus, deployed, tmp_path):
    (tmp_path / "b.wav").write_bytes((corpus / "DC/sad-0.wav").read_bytes())
    (tmp_path / "bad.wav").write_text(HOSTILE)
    heard = gensr.predict([tmp_path], deployed, device="cpu")
    assert "1 clips, 1 failed" in read(heard)
    hostile = gensr.Answers([HOSTILE], [type(heard.rows[0])(HOSTILE, HOSTILE, {HOSTILE: 1.0})])
    assert "<script>" in read(hostile)  # as text: the tags that are there are counted above
    assert "\x1b" not in repr(hostile) + hostile._repr_html_()


@pytest.mark.parametrize("name", ["extract", "train", "evaluate", "predict", "load_model"])
def test_help_names_what_is_taken_and_raised(name):
    told = getattr(gensr, name).__doc__
    assert "Args:" in told
    assert "Raises:" in told
