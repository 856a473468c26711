import json
from dataclasses import replace
from pathlib import Path

import pytest

from gensr.estimator.config import from_plain, to_plain
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.saved import load_model, save_model
from gensr.estimator.models.spec import ModelSpec, build, preset
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import MeanSchedule


def _spec(model: str) -> ModelSpec:
    return ModelSpec(
        model=model,
        classes=("anger", "joy"),
        layers=("0", "last"),
        width=8,
        options=MODELS[model].Config(),
    )


def test_a_damaged_or_missing_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="missing"):
        load_model(tmp_path)
    spec = _spec("linear")
    save_model(tmp_path, build(spec), spec)
    plain = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**plain, "width": 16}))
    with pytest.raises(RunError, match="cannot be read") as error:
        load_model(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / "config.json").write_text(json.dumps(plain))
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(RunError, match="cannot be read"):
        load_model(tmp_path)


def test_presets_are_the_small_one_and_the_paper_s() -> None:
    options, budget = preset("gen-ser", "paper")
    assert options.network == NetworkConfig(hidden=None, depth=4, heads=16, dropout=0.0)
    assert budget is not None
    assert (budget.steps, budget.batch_size, budget.learning_rate) == (400_000, 128, 5e-4)
    assert preset("linear", "small")[1] == TrainingConfig()
    with pytest.raises(ConfigError, match="gen-ser, linear, mlp, transformer-ce, transformer-mse"):
        preset("perceptron", "small")
    with pytest.raises(ConfigError, match="small, paper"):
        preset("linear", "huge")


def test_k_and_sigma_are_settings_of_the_schedules_that_are_there() -> None:
    short = from_plain(GenSERConfig, {"k": 4, "sigma": 0.2}, "here")
    full = {"mean": {"name": "logistic", "k": 4.0}, "variance": {"strength": 0.2, "name": "bridge"}}
    assert short == from_plain(GenSERConfig, full, "here")
    assert from_plain(GenSERConfig, {"k": 5}, "here", base=short).variance == short.variance

    class Constant(MeanSchedule):
        name = "constant"
        a = d_a = None  # type: ignore[assignment]

    other = replace(short, mean=Constant())
    with pytest.raises(ConfigError, match="mean"):  # nothing becomes logistic again in silence
        from_plain(GenSERConfig, {"k": 5}, "here", base=other)


def test_a_config_survives_plain_values_and_overlays_a_base() -> None:
    config = GenSERConfig(mean=LogisticMean(k=3.0), network=NetworkConfig(hidden=None, depth=1))
    assert from_plain(GenSERConfig, to_plain(config), "here") == config
    laid = from_plain(GenSERConfig, {"network": {"depth": 3}}, "here", base=config)
    assert laid.mean == LogisticMean(k=3.0)
    assert laid.network == NetworkConfig(hidden=None, depth=3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kk": 1}, "no setting 'kk'; there are mean, variance"),
        ({"k": "steep"}, "mean k: expected float, found 'steep'"),
        ({"standardize": 1}, "expected bool"),
        ({"network": {"hidden": 2.5}}, "network hidden: expected int or NoneType"),
        ({"network": 4}, "expected a table"),
        ({"k": -1.0}, "k must be >= 0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        from_plain(GenSERConfig, values, "file.toml [model]")
    assert "file.toml [model]" in str(error.value)
