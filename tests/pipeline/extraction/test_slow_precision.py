"""A precision's cost is known before an extraction begins: refused, insisted on, or advised."""

import pytest

from gensr.estimator.errors import ConfigError
from gensr.features.encoders.precision import Cost
from gensr.pipeline.extraction import local
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support.stub import StubEncoder, write_corpus


@pytest.fixture
def machine(monkeypatch):
    """A CPU that halves bfloat16's time and computes float16 number by number."""
    asked = []
    cost = Cost("cpu", {"float32": 1.0, "bfloat16": 0.5, "float16": 13.0})
    monkeypatch.setattr(local, "cost_on", lambda device: cost)

    def load(name, **settings):
        asked.append(settings["dtype"])
        return StubEncoder()

    monkeypatch.setattr(local, "load_encoder", load)
    return asked


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus", 4)


class Listener:
    """Takes lines as they come."""

    def __init__(self):
        self.heard = []

    def note(self, line):
        self.heard.append(line)

    def stage(self, name, units, seconds=0.0):
        self.heard.append(name)

    def advance(self, units, seconds=0.0):
        pass


def test_a_slow_one_is_refused_before_anything_is_loaded(machine, corpus, tmp_path):
    config = ExtractConfig(encoder="x", dtype="float16")
    with pytest.raises(ConfigError, match="float16 takes about 13 times as long"):
        extract(corpus, tmp_path / "s.zarr", config)
    assert machine == []
    assert not (tmp_path / "s.zarr").exists()


def test_and_taken_where_one_insists(machine, corpus, tmp_path):
    config = ExtractConfig(encoder="x", dtype="float16", allow_slow=True)
    assert extract(corpus, tmp_path / "s.zarr", config).encoded
    assert machine == ["float16"]


def test_a_faster_one_is_said_once_before_the_first_file_is_heard(machine, corpus, tmp_path):
    listener = Listener()
    report = extract(corpus, tmp_path / "s.zarr", ExtractConfig(encoder="x"), progress=listener)
    assert listener.heard[0].startswith("this CPU computes bfloat16 about twice as fast")
    assert listener.heard[1:] == ["survey", "encode"]
    assert not [note for note in report.notes if "bfloat16" in note]


def test_a_listener_that_takes_no_lines_finds_it_in_the_report(machine, corpus, tmp_path):
    report = extract(corpus, tmp_path / "s.zarr", ExtractConfig(encoder="x"))
    assert report.notes[0].startswith("this CPU computes bfloat16 about twice as fast")


def test_encoders_known_by_name_and_precisions_that_are_none_are_not_timed(
    monkeypatch, corpus, tmp_path
):
    monkeypatch.setattr(local, "cost_on", lambda device: pytest.fail("it was timed"))
    assert extract(corpus, tmp_path / "s.zarr", ExtractConfig(encoder="fbank")).encoded
    with pytest.raises(ConfigError, match="dtype is one of"):
        extract(corpus, tmp_path / "t.zarr", ExtractConfig(encoder="x", dtype="int8"))
