"""An encoder by another name is the encoder that a run was trained on: resumed, evaluated."""

import numpy as np
import pytest

from gensr.cli.main import app
from gensr.estimator.errors import GensrError
from gensr.features.encoders import Encoder
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.scoring.evaluate import evaluate
from support import tones

NOTED = {
    "family": "hashed",
    "name": "small",
    "revision": None,
    "weights_sha256": "a" * 64,
    "config_sha256": "b" * 64,
    "preprocessing": {"normalisation": "none (preprocessor_config.json)"},
}
RENAMED = NOTED | {
    "name": "moved/small",
    "revision": "c" * 40,
    "preprocessing": {"normalisation": "none (processor_config.json)"},
}
OTHERS = (RENAMED | {"weights_sha256": "d" * 64}, NOTED | {"dtype": "bfloat16"})


class Hashed(Encoder):
    """A few numbers of a wave, under a note of one's choice."""

    name = "hashed"
    layers = ("a", "b", "x1")
    width = 16
    equal_lengths = False

    def __init__(self, noted):
        self.noted = noted

    def _encode(self, waveforms):
        values = ([wave.std(), np.abs(wave).max(), wave[0], 1] * 4 for wave in waveforms)
        return np.stack([np.float32([row] * 3) for row in values])

    def provenance(self):
        return self.noted


@pytest.fixture
def extracted(corpus, tmp_path):
    """extracted(name, note, second=False) -> store of the corpus, or of a second one."""

    def make(name, noted, *, second=False):
        root = corpus
        if second:
            root = tmp_path / "second"
            if not root.exists():
                tones.write_corpus(root, corpus="tess", speakers=("OAF", "YAF"), seed=5)
        extract(root, tmp_path / name, ExtractConfig(), encoder=Hashed(noted))
        return tmp_path / name

    return make


def test_a_run_goes_on_with_its_encoder_by_another_name(extracted, fit, tmp_path):
    before, now = extracted("a.zarr", NOTED), extracted("b.h5", RENAMED)
    run = fit(tmp_path / "run", before, steps=4).run
    answers, config = (run.folder / "predictions.csv").read_bytes(), run.config
    (run.folder / "predictions.csv").unlink()
    again = fit(tmp_path / "run", now, steps=4, resume=True).run
    assert (run.folder / "predictions.csv").read_bytes() == answers
    assert again.config == config  # the first name stays
    one = evaluate(run, steps=(2,), device="cpu")
    other = evaluate(run, stores=[now], steps=(2,), device="cpu")
    assert one.by_steps[2] == other.by_steps[2]


def test_so_does_a_run_of_several_stores_whatever_each_of_them_calls_it(extracted, fit, tmp_path):
    left, right = extracted("l.zarr", NOTED), extracted("r.zarr", RENAMED, second=True)
    options = {"steps": 2, "labels": "native"}
    first = fit(tmp_path / "run", left, right, **options).run
    expected = evaluate(first, steps=(2,), device="cpu").by_steps
    for number, names in enumerate(
        ((NOTED, NOTED), (RENAMED, NOTED), (RENAMED, NOTED | {"name": "third"}))
    ):
        again = (
            extracted(f"l{number}.zarr", names[0]),
            extracted(f"r{number}.zarr", names[1], second=True),
        )
        run = fit(tmp_path / "run", *again, **options, resume=True).run
        assert evaluate(run, stores=again[::-1], steps=(2,), device="cpu").by_steps == expected


@pytest.mark.parametrize("noted", OTHERS)
def test_another_encoder_is_named_not_printed_whole(noted, extracted, fit, tmp_path):
    fit(tmp_path / "run", extracted("a.zarr", NOTED), steps=2)
    other = extracted("b.zarr", noted)
    for ask in (
        lambda: fit(tmp_path / "run", other, steps=2, resume=True),
        lambda: evaluate(
            fit(tmp_path / "run2", extracted("a.zarr", NOTED), steps=2).run, stores=[other]
        ),
    ):
        with pytest.raises(GensrError, match="another encoder") as caught:
            ask()
        assert len(str(caught.value)) < 500


def test_runs_of_one_encoder_by_two_names_stand_in_one_table_without_them(
    extracted, fit, tmp_path, capsys
):
    for name, noted in (("one", NOTED), ("two", RENAMED), ("other", OTHERS[0])):
        fit(tmp_path / name, extracted(f"{name}.zarr", noted), steps=2)
    ask = ["eval", "--sampler-steps", "2", "--device", "cpu", str(tmp_path / "one")]
    app([*ask, str(tmp_path / "two")], standalone_mode=False)
    assert "moved/small" not in capsys.readouterr().out
    app([*ask, str(tmp_path / "other")], standalone_mode=False)
    assert "other, moved/small" in capsys.readouterr().out
