"""Gen-SER as a model, and its rivals in the same network."""

import torch

from gensr.estimator.models.gen_ser import GenSER
from support.contracts.model import ModelContract, same
from support.toy import clips

SMALL = {"network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}}


class TestGenSER(ModelContract):
    model = "gen-ser"
    options = SMALL


class TestFlowMatching(ModelContract):
    model = "gen-ser"
    options = SMALL | {"target": "flow"}
    falls = 0.9  # of a velocity most is noise


class TestScoreMatching(ModelContract):
    model = "gen-ser"
    options = SMALL | {"target": "score"}
    falls = 0.9  # so it is of the noise itself


class TestLearntCodes(ModelContract):
    model = "gen-ser"
    options = SMALL | {"codes": {"name": "autoencoder", "hidden": 8, "steps": 150}}


class TestNoisyStart(ModelContract):
    """And the reading that asks once more, after the last update."""

    model = "gen-ser"
    options = SMALL | {
        "start": "noisy",
        "draws": 3,
        "readout": "after",
        "sampler": "heun",
        "variance": "constant",
    }

    def test_its_noise_is_its_seed_s_and_kept_with_its_weights(self) -> None:
        one, other = self.fresh(seed=1), self.fresh(seed=2)
        assert not torch.equal(one.noise, other.noise)
        assert torch.equal(one.noise, self.fresh(seed=1).noise)
        other.restore(one.weights())
        same(one, other)
        assert torch.equal(one.noise, other.noise)

    def test_an_answer_is_the_mean_over_its_draws(self) -> None:
        model, x = self.fresh(), clips(5).x
        whole, noise = model.predict(x), model.noise.clone()
        each = []
        for z in noise:
            model.noise = z[None]
            each.append(model.predict(x))
        assert torch.allclose(torch.stack(each).mean(0), whole, atol=1e-6)

    def test_a_way_is_the_mean_way_and_ends_in_what_is_classified(self) -> None:
        model, x = self.fresh(), clips(5).x
        assert isinstance(model, GenSER)
        with torch.inference_mode():
            way = model.transport(x, N=6)
            assert way.states.shape == (7, 5, x.shape[-1])
            assert model.noise is not None
            begun = model.standardized(x)[:, -1] + 0.5 * model.noise.mean(0)
            assert torch.allclose(way.states[0], begun, atol=1e-5)
            assert model.end(x).shape == (5, x.shape[-1])


def test_weights_of_the_paper_s_method_are_those_of_earlier_versions() -> None:
    """Nothing that a rival keeps is kept of it."""
    assert not {
        name for name in TestGenSER.fresh().weights() if not name.startswith(("network.", "scale."))
    }
