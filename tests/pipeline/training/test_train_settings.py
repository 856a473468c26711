"""What a training is asked for: layers, several stores, a TOML file; and what is refused."""

import csv
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from gensr.estimator.errors import ConfigError
from gensr.estimator.models.registry import MODELS
from gensr.features.store.errors import StoreError
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.config import TrainConfig, resolve
from gensr.pipeline.training.train import train
from gensr.pipeline.training.vectors import open_vectors
from support import tones
from support.loaded import load_vectors


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def plain(run: Path, name: str) -> dict:
    return json.loads((run / name).read_text())


class TestLayers:
    @pytest.mark.parametrize("layers", [(), ("p50",), ("p90", "std")])
    @pytest.mark.parametrize("model", ["gen-ser", "transformer-ce", "linear"])
    def test_any_choice_of_layers(self, layers, model, fit, store, tmp_path):
        settings = tmp_path / "s.toml"
        text = tones.TINY if model != "linear" else ""
        settings.write_text(text)
        run = fit(
            tmp_path / "run", model=model, layers=layers, fold="1", steps=2, settings=settings
        )
        assert plain(run.run.folder, "config.json")["layers"] == [*layers, "mean"]
        mean = load_file(run.run.folder / "folds" / "1" / "model.safetensors")["scale.mean"]
        assert mean.shape == (len(layers) + 1, 80)
        assert len(rows(run.run.folder)) == 9

    @pytest.mark.parametrize("layers", [("mean",), ("p51",)])
    def test_no_such_layer(self, layers, fit, tmp_path):
        with pytest.raises(ConfigError, match=r"no conditioning layer .* there are std, flux"):
            fit(tmp_path / "run", layers=layers)
        assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def other(fbank, tmp_path_factory):
    """Another corpus: other words for the emotions, one of them unknown, a name shared."""
    root = tones.write_corpus(
        tmp_path_factory.mktemp("other") / "mine",
        corpus="mine",
        speakers=("DC", "s2", "s3"),
        emotions=("anger", "happiness", "smug"),
        sentences=1,
        seed=9,
    )
    return fbank(root, root.parent / "mine.h5")


class TestSeveralStores:
    def test_labels_are_the_shared_words(self, fit, store, other, tmp_path):
        report = fit(tmp_path / "run", store, other, fold="none", steps=2)
        about = report.protocol
        assert about.corpora == ("emodb", "mine")
        assert about.label == "canonical"
        assert about.classes == ("anger", "happiness", "sadness")
        assert about.label_map["anger"] == about.label_map["angry"] == "anger"
        assert about.left_out == {"no canonical label": 3}
        assert len(about.paths) == 36 + 6
        hashes = [kept["hash"] for kept in plain(report.run.folder, "manifest.json")["stores"]]
        assert hashes == list(load_vectors([store, other]).hashes)

    def test_clips_are_named_by_their_paths_and_speakers_by_their_corpus(
        self, fit, store, other, tmp_path
    ):
        report = fit(tmp_path / "run", store, other, steps=2)
        assert report.protocol.name == "speaker-holdout"
        assert {"emodb/DC", "mine/DC"} <= set(report.protocol.clusters)
        assert set(report.protocol.paths) <= set(load_vectors([store, other]).table["path"])
        assert not any("zarr" in row["path"] for row in rows(report.run.folder))

    def test_native_words_where_asked_for(self, fit, store, other, tmp_path):
        report = fit(tmp_path / "run", store, other, labels="native", steps=1)
        assert report.protocol.classes == (
            "anger",
            "angry",
            "happiness",
            "happy",
            "sad",
            "smug",
        )

    def test_one_clip_in_two_stores_is_refused(self, fit, store, tmp_path):
        (tmp_path / store.name).symlink_to(store)
        with pytest.raises(StoreError, match="both hold the clip emodb:"):
            fit(tmp_path / "run", store, tmp_path / store.name)

    @pytest.fixture
    def of_0_1_0(self, fit, store, other, tmp_path, monkeypatch):
        """A run of two stores whose clips bear their store's file name, finished."""
        names = (store.name, other.name)
        with monkeypatch.context() as patch:
            patch.setattr(
                "gensr.pipeline.training.train.open_vectors",
                lambda stores, layers, **_: open_vectors(stores, layers, prefixes=names),
            )
            return fit(tmp_path / "run", store, other, steps=2).run

    def test_a_run_that_names_clips_by_their_store_is_scored_and_resumed(
        self, of_0_1_0, fit, store, other
    ):
        paths = of_0_1_0.protocol.paths
        assert {path.split(":")[0] for path in paths} == {"tones.zarr", "mine.h5"}
        found = evaluate(of_0_1_0, steps=(1,), device="cpu")
        assert found.by_steps[1] == found.numbers
        before = (of_0_1_0.folder / "predictions.csv").read_bytes()
        (of_0_1_0.folder / "predictions.csv").unlink()
        fit(of_0_1_0.folder, store, other, steps=2, resume=True)
        assert (of_0_1_0.folder / "predictions.csv").read_bytes() == before

    def test_a_run_is_scored_whatever_the_order_of_its_stores(self, fit, store, other, tmp_path):
        run = fit(tmp_path / "run", store, other, steps=2).run
        found = evaluate(run, steps=(1,), stores=[other, store], device="cpu")
        assert found.by_steps[1] == found.numbers


class TestSettings:
    def test_a_file_over_the_preset_and_flags_over_the_file(self, fit, tmp_path):
        path = tmp_path / "s.toml"
        path.write_text(
            "[model]\nsampler_steps = 2\nsigma = 0.25\n[model.network]\nhidden = 8\n"
            "[training]\nsteps = 900\nbatch_size = 5\n"
        )
        run = fit(tmp_path / "run", settings=path, steps=2, fold="1").run.folder
        kept = plain(run, "config.json")
        assert (kept["training"]["steps"], kept["training"]["batch_size"]) == (2, 5)
        assert kept["training"]["learning_rate"] == 5e-4
        options = kept["options"]
        assert options["sampler_steps"] == 2
        assert options["variance"] == {"name": "bridge", "strength": 0.25}  # sigma, for short
        assert options["mean"] == {"name": "logistic", "k": 10.0}
        assert (options["network"]["hidden"], options["network"]["depth"]) == (8, 2)
        assert plain(run / "folds/1", "config.json")["options"] == options
        weights = load_file(run / "folds/1/model.safetensors")
        assert any(8 in tensor.shape for tensor in weights.values())

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[model", "cannot be read as TOML"),
            ("[mdoel]\nk = 1\n", r"no table \[mdoel\]; there are \[model\], \[training\]"),
            ("steps = 3\n", r"no table \[steps\]"),
            ("[model]\nkk = 1\n", r"\[model\]: no setting 'kk'; there are mean, variance"),
            ("[model.network]\nwide = 1\n", "no setting 'wide'; there are hidden, depth"),
            ("[model]\nnetwork = 3\n", "expected a table of settings, found 3"),
            ("[training]\nsteps = '3'\n", "training. steps: expected int, found '3'"),
            ("[training]\nsteps = true\n", "expected int, found True"),
            ("[training]\nsteps = 0\n", r"\[training\]: steps must be"),
            ("[training]\nsteps = 1000000000000\n", "steps must be >= 1 and <= 100000000"),
            ("[training]\nbatch_size = 0\n", "batch_size must be >= 1"),
            ("[training]\nlearning_rate = nan\n", "learning_rate must be > 0 and <= 1, found nan"),
            ("[training]\nlearning_rate = inf\n", "learning_rate must be > 0 and <= 1, found inf"),
            ("[training]\nlearning_rate = 0.0\n", "learning_rate must be > 0"),
            ("[training]\nlearning_rate = 1e-320\n", "learning_rate must be >= 1e-12"),
            ("[training]\nweight_decay = 1e38\n", "weight_decay must be >= 0 and <= 1000"),
            ("[training]\nweight_decay = nan\n", "weight_decay must be"),
            ("[training]\nclip_norm = inf\n", "clip_norm must be"),
            ("[model]\nsigma = 1e200\n", r"variance: strength \(sigma\) must be"),
            ("[model.variance]\nstrength = -1\n", r"variance: strength \(sigma\) must be"),
            ("[model]\ntemperature = 1e-300\n", "temperature must be"),
            ("[model.network]\nhidden = 1000000000\n", "hidden must be"),
            ("[model.network]\ndepth = 1000000000\n", "depth must be"),
            ("[model.network]\nhidden = 9\nheads = 2\n", r"network: hidden .* multiple of"),
            ("model = 1\n", r"\[model\].*table"),
            (None, "cannot be read"),
            (b"\xff\xfe", "cannot be read"),
        ],
    )
    def test_a_wrong_file_is_one_line_that_names_it(self, text, said, fit, tmp_path):
        path = tmp_path / "wrong.toml"
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError, match=rf"wrong\.toml.*{said}") as error:
            fit(tmp_path / "run", settings=path)
        assert not (tmp_path / "run").exists()
        assert "Traceback" not in str(error.value)

    @pytest.mark.parametrize(
        ("wrong", "kind", "said"),
        [
            ({"model": "magic"}, ConfigError, "no model 'magic'; choose one of gen-ser, linear"),
            ({"preset": "huge"}, ConfigError, "no preset 'huge'; choose one of small, paper"),
            ({"fold": "9"}, ConfigError, "no fold '9'; there are 1, 2, 3, 4, all"),
            ({"fold": "../1"}, ConfigError, "no fold '../1'; there are"),
            ({"fold": "all\n\x1b[1m"}, ConfigError, r"no fold 'all\\n\\x1b\[1m'; there are"),
            ({"steps": 10**12}, ConfigError, "steps must be >= 1 and <= 100000000"),
            ({"label": "age"}, ProtocolError, "no column 'age'"),
            ({"protocol": "fold"}, ProtocolError, "no protocol 'fold'"),
            ({"device": "tpu"}, ConfigError, "tpu"),
        ],
    )
    def test_what_cannot_be_asked_for(self, wrong, kind, said, fit, tmp_path):
        with pytest.raises(kind, match=said):
            fit(tmp_path / "run", **wrong)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize(
        ("preset", "model"), [("small", "transformer-mse"), ("paper", "gen-ser")]
    )
    def test_each_preset_has_a_model_where_none_is_named(self, preset, model):
        assert type(resolve(TrainConfig(preset=preset))[0]) is MODELS[model].Config
        assert type(resolve(TrainConfig(model="mlp", preset=preset))[0]) is MODELS["mlp"].Config

    def test_a_setting_of_gen_ser_asks_for_it_by_name(self):
        with pytest.raises(ConfigError, match=r"target is a setting of gen-ser, .*--model gen-ser"):
            resolve(TrainConfig(options={"target": "flow"}))
        with pytest.raises(ConfigError, match=r"k is a setting of gen-ser"):
            resolve(TrainConfig(options={"k": 4}))
        with pytest.raises(ConfigError, match="no setting 'target'"):
            resolve(TrainConfig(model="mlp", options={"target": "flow"}))
        assert resolve(TrainConfig(preset="paper", options={"target": "flow"}))

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"options": {"state": "none", "variance": "constant"}}, "variance has no say"),
            (
                {"options": {"state": "none", "sigma": 2.0}},
                "sigma has no say beside state",
            ),
            ({"options": {"state": "fixed", "times": 4.0}}, "times has no say"),
            (
                {"model": "transformer-ce", "options": {"state": "clean", "sigma": 2.0}},
                "sigma has no say beside",
            ),
            ({"choose": "budgets:4,8", "steps": 8}, "steps = 8 has no say beside choose"),
            ({"model": "diffusion-classifier", "layers": ("0",)}, "reads x1 alone; drop --layers"),
            ({"model": "svm", "preset": "paper"}, "svm has no sizes and no budget of the paper's"),
            ({"model": "closed-form", "preset": "paper"}, "closed-form has no sizes"),
        ],
    )
    def test_what_would_change_nothing_is_refused(self, wrong, said):
        with pytest.raises(ConfigError, match=said):
            resolve(TrainConfig(**wrong))
        assert resolve(TrainConfig(options={"state": "fixed", "variance": "constant"}))

    def test_the_development_part_chooses_among_whole_schedules(self, fit, tmp_path):
        run = fit(tmp_path / "run", choose="dev", steps=8, fold="1").run
        assert run.config.choose == "budgets:2,4,8"
        phases = {line["phase"] for line in map(json.loads, lines_of(run.folder))}
        assert {"choose-2", "choose-4", "choose-8", "learn"} == phases
        with pytest.raises(ConfigError, match="of 1 step there is nothing to choose"):
            fit(tmp_path / "one", choose="dev", steps=1)
        assert not (tmp_path / "one").exists()

    def test_to_go_on_and_to_begin_anew_are_not_asked_for_at_once(self, fit, tmp_path):
        with pytest.raises(ConfigError, match="--resume goes on with a run, --overwrite begins"):
            fit(tmp_path / "run", resume=True, overwrite=True)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("wrong", [{"choose": "test"}, {"labels": "mine"}, {"steps": 0}])
    def test_out_of_range(self, wrong):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            TrainConfig(**wrong)

    def test_sizes_that_do_not_fit_the_vectors_are_refused_before_anything_is_written(
        self, fit, tmp_path
    ):
        path = tmp_path / "heads.toml"
        path.write_text("[model.network]\nheads = 7\n")  # as wide as the encoder, 80
        with pytest.raises(ConfigError, match="7"):
            fit(tmp_path / "run", preset="paper", settings=path)
        assert not (tmp_path / "run").exists()

    def test_more_classes_than_codes_are_refused_before_anything_is_written(
        self, fit, store, other, tmp_path
    ):
        with pytest.raises(ConfigError, match="45 classes do not fit vectors of width 80"):
            fit(tmp_path / "run", store, other, label="path")
        assert not (tmp_path / "run").exists()


def lines_of(run):
    return (run / "metrics.jsonl").read_text().splitlines()


def test_no_store(fit, tmp_path):
    with pytest.raises(StoreError, match=r"nowhere\.zarr does not exist"):
        fit(tmp_path / "run", tmp_path / "nowhere.zarr")
    with pytest.raises(ConfigError, match="no store given"):
        train([], TrainConfig())
