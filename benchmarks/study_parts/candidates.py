"""What the study chooses among, as docs/results/study.md plans it, and the rule of choice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

NARROW = {"steps": 300, "learning_rate": 2e-3}
"""Budget of nearly all candidates, beside a network of 64."""
USUAL = {"steps": 600, "learning_rate": 5e-4}
"""`--preset small` as version 0.2 ships it, beside a network of 128."""
INPUTS = ("sum", "concat", "tokens", "one")
INPUTLESS = ("closed-form", "diffusion-classifier")
"""Models that have no such choice."""
NOISE = ((0.5, 1.0), (8.0, 1.0), (0.5, 4.0), (8.0, 4.0))
"""(sigma, times); `tokens` are tried at the first and the last."""
CLOSE = 0.005
"""Scores that differ by no more are equal, and the plainer candidate is taken."""

CHOOSING = ("emodb-clip", "ravdess-clip", "ravdess-fbank")
"""The stores whose development parts choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One setting of one model."""

    model: str
    inputs: str = "sum"
    noise: tuple[float, float] | None = None
    """(sigma, times); None of a model without."""
    state: str | None = None
    """Of transformer-mse."""
    budget: str = "narrow"
    members: int = 1
    own: Mapping[str, Any] = field(default_factory=dict)
    """What no other candidate has."""
    rate: float | None = None
    """In place of the budget's."""
    length: int | None = None
    """Steps in place of the budget's."""

    @property
    def name(self) -> str:
        """What it is called in every table and file; no other is called so."""
        said = [self.model] if self.model in INPUTLESS else [self.model, self.inputs]
        said += [] if self.state is None else [self.state]
        said += [] if self.noise is None else [f"{self.noise[0]:g}/{self.noise[1]:g}"]
        said += [f"{key}={_told(value)}" for key, value in self.own.items()]
        said += [] if self.length is None else [f"steps={self.length}"]
        said += [] if self.rate is None else [f"rate={self.rate:g}"]
        said += [] if self.budget == "narrow" else [self.budget]
        said += [] if self.members == 1 else [f"x{self.members}"]
        return " ".join(said)

    @property
    def options(self) -> dict[str, Any]:
        """As in [model] of a config."""
        if self.model == "closed-form":
            return {}
        options: dict[str, Any] = dict(self.own)
        if self.model not in INPUTLESS:
            layers = "alike" if self.inputs == "sum" else "auto"
            own = options.get("inputs", {})
            options["inputs"] = {"way": self.inputs, "layers": layers, **own}
        if self.noise is not None:
            options |= {"times": self.noise[1]}
            options["variance"] = {"name": "bridge", "strength": self.noise[0]}
        if self.state is not None:
            options["state"] = self.state
        elif self.model == "transformer-ce":  # whose preset has the noise that was chosen since
            options["state"] = "clean"
        if self.model != "mlp":  # whose one layer stays as it is
            options["network"] = {"hidden": 64 if self.budget == "narrow" else 128}
        if self.members > 1:
            options["members"] = self.members
        return options

    @property
    def training(self) -> dict[str, Any] | None:
        """As in [training]; None of a model that is not trained by steps."""
        if self.model == "closed-form":
            return None
        budget = dict(NARROW if self.budget == "narrow" else USUAL)
        budget |= {} if self.length is None else {"steps": self.length}
        return budget if self.rate is None else budget | {"learning_rate": self.rate}

    @property
    def steps(self) -> tuple[int | None, ...]:
        """Steps of the sampler to be asked with; None where there is none, or where it is own."""
        return (1, 4) if self.model == "gen-ser" and "target" not in self.own else (None,)

    def order(self, N: int | None) -> tuple[Any, ...]:
        """Of equals, the least is taken."""
        if self.model == "closed-form":
            return (0,)
        plain = self.state == "none"
        noise = 0 if self.noise is None else NOISE.index(self.noise)
        ways = self.members, N or 1, not plain, INPUTS.index(self.inputs), noise
        return (1, *ways, self.budget != "narrow")


def grid() -> list[Candidate]:
    """All but those of several members, whose settings follow from the best of these."""
    found = [Candidate(model="closed-form")]
    for inputs in INPUTS:
        kinds = NOISE if inputs != "tokens" else (NOISE[0], NOISE[-1])
        found.append(Candidate(model="transformer-mse", state="none", inputs=inputs))
        for noise in kinds:
            found.append(Candidate(model="gen-ser", inputs=inputs, noise=noise))
            found.append(
                Candidate(model="transformer-mse", state="noisy", inputs=inputs, noise=noise)
            )
    usual = {"budget": "usual"}
    found.append(Candidate(model="gen-ser", noise=NOISE[0], **usual))
    found.append(Candidate(model="gen-ser", inputs="concat", noise=NOISE[-1], **usual))
    found.append(Candidate(model="transformer-mse", state="none", inputs="concat", **usual))
    return found


def rivals() -> list[Candidate]:
    """Those that are no candidates for the default, but have settings to be chosen."""
    found = [Candidate(model="transformer-ce", inputs=way) for way in ("sum", "concat", "one")]
    found += [Candidate(model="mlp", inputs=way) for way in ("sum", "concat")]
    for target in ("flow", "score"):
        for T in (0.9, 0.97, 0.99):
            for rate in (5e-4, 2e-3):
                own = {"target": target, "T": T}
                one = {"inputs": "concat", "noise": NOISE[0], "own": own, "rate": rate}
                found.append(Candidate(model="gen-ser", **one))  # type: ignore[arg-type]
    return found


def others() -> dict[str, list[Candidate]]:
    """By row, the settings among which a rival has its own, beside those of `rivals`."""
    narrow, noisy = NARROW["learning_rate"], {"start": "noisy", "draws": 4}
    found: dict[str, list[Candidate]] = {}
    for rate in (None, narrow / 2):
        for mean in ("linear", "ve", "vp"):
            for T in (0.999, 0.99):
                one = Candidate(
                    model="gen-ser",
                    inputs="concat",
                    noise=NOISE[-1],
                    own={"mean": mean, "T": T},
                    rate=rate,
                )
                found.setdefault(f"mean {mean}", []).append(one)
        for strength in (0.5, 4.0):
            constant = {"name": "constant", "strength": strength}
            exploding = {"name": "exploding", "sigma_max": strength}
            for row, own in (
                ("mean vp, constant", {"mean": "vp", "variance": constant}),
                ("variance constant", {"variance": constant}),
                ("variance exploding", {"variance": {**exploding, "gamma": 0.0}}),
                ("mean ve, exploding", {"mean": "ve", "variance": exploding}),
            ):
                own |= {"times": NOISE[-1][1], **noisy}
                one = Candidate(model="gen-ser", inputs="concat", own=own, rate=rate)
                found.setdefault(row, []).append(one)
    for each in rivals():
        if target := each.own.get("target"):
            found.setdefault(target, []).append(each)
    ce: dict[str, Any] = {"model": "transformer-ce", "inputs": "concat"}
    for rate in (None, narrow / 2, narrow / 4):
        for noise in ({}, {"state": "noisy", "noise": NOISE[-1]}):
            found.setdefault("transformer-ce", []).append(Candidate(**ce, **noise, rate=rate))
    for target in ("flow", "score"):
        for T in (0.97, 0.99):
            own = {"target": target, "T": T}
            one = Candidate(model="gen-ser", inputs="concat", noise=NOISE[-1], own=own)
            found.setdefault(target, []).append(one)
    for length in (None, 4 * int(NARROW["steps"])):
        for rate in (None, narrow / 4):
            one = Candidate(model="diffusion-classifier", length=length, rate=rate)
            found.setdefault(one.model, []).append(one)
    return found


def settings() -> list[Candidate]:
    """Gen-SER with one setting more, of which no default makes use; looked at, never chosen."""
    best: dict[str, Any] = {"model": "gen-ser", "noise": NOISE[-1]}
    found = [
        Candidate(**best, inputs="concat", own=own)
        for own in ({"smoothing": 0.1}, {"balance": True}, {"inputs": {"dropout": 0.2}})
    ]
    found += [
        Candidate(**best, inputs="sum", own={"inputs": own})
        for own in ({"rate": 20.0}, {"layers": "auto"}, {"layers": "auto", "rate": 20.0})
    ]
    return found


def _told(value: Any) -> str:
    """A setting in a word, whatever it is made of."""
    if not isinstance(value, Mapping):
        return str(value)
    named = "name" in value
    return ":".join(str(one) if named else f"{key}:{one}" for key, one in value.items())


Scored = tuple[Candidate, int | None, float]
"""A candidate, N, and its score."""


def chosen(scored: Iterable[Scored]) -> Scored:
    """What the rule picks: the plainest of those within half a point of the best.

    Raises:
        ValueError: there is none.
    """
    scored = list(scored)
    best = max(score for _, _, score in scored)
    close = [each for each in scored if each[2] >= best - CLOSE - 1e-12]
    return min(close, key=lambda each: (each[0].order(each[1]), -each[2]))
