"""What is tested once the development parts have chosen: the default, its rivals, its ablations."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from study_parts.candidates import Candidate

STORES = tuple(
    f"{corpus}-{kind}" for corpus in ("emodb", "ravdess") for kind in ("clip", "fbank", "full")
)
CLIPS = ("emodb-clip", "ravdess-clip")
"""Where ablations are made, and calibration looked at."""
SEEDS = "0-4"
NOISY = {"start": "noisy", "draws": 4}
"""Of a variance that is not nothing at T: an answer begins where a training did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One that is trained with five seeds, and asked of the test folds."""

    name: str
    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] | None = None
    seeds: str = SEEDS
    stores: tuple[str, ...] = STORES
    calibrate: bool = False


def systems(own: Candidate, N: int, best: Mapping[str, Candidate]) -> list[System]:
    """All rows of the table.

    Args:
        own: gen-ser's setting that the rule picked.
        N: with which.
        best: of each rival that has settings to be chosen: transformer-ce, mlp, flow and score.
    """
    short = tuple(name for name in STORES if not name.endswith("full"))
    gen_ser = _of("gen-ser", own, sampler_steps=N)
    return [
        gen_ser,
        System(name="gen-ser 0.2", model="gen-ser"),
        *_twins(own),
        System(name="closed-form", model="closed-form", seeds="0"),
        System(name="svm", model="svm", seeds="0"),
        System(name="logreg", model="logreg", seeds="0"),
        System(name="linear", model="linear"),
        _of("mlp", best["mlp"]),
        _of("transformer-ce", best["transformer-ce"]),
        *(replace(_of(name, best[name]), stores=short) for name in ("flow", "score")),
        *(replace(each, stores=short) for each in _paths(gen_ser)),
        _with(gen_ser, "codes onehot", short, codes="onehot"),
        _with(gen_ser, "codes random-orthogonal", short, codes="random-orthogonal"),
        _with(gen_ser, "codes autoencoder", short, codes="autoencoder"),
        System(
            name="diffusion-classifier",
            model="diffusion-classifier",
            options={"network": own.options["network"]} if "network" in own.options else {},
            training=own.training,
            stores=short,
        ),
    ]


def ablations(own: Candidate, N: int) -> list[System]:
    """Gen-SER with one setting changed, but for those that `systems` has."""
    base = _of("gen-ser", own, sampler_steps=N)
    sigma = own.noise[0] if own.noise else 0.5
    found = [_with(base, f"k = {k}", CLIPS, mean={"name": "logistic", "k": k}) for k in (0, 4, 20)]
    found += [
        _with(base, f"sigma = {s:g}", CLIPS, variance={"name": "bridge", "strength": s})
        for s in (0.1, 0.5, 2.0, 8.0)
        if s != sigma
    ]
    found += [_with(base, f"T = {T:g}", CLIPS, T=T) for T in (0.9, 0.99)]
    found += [_with(base, f"t_eps = {t:g}", CLIPS, t_eps=t) for t in (0.01, 0.1)]
    found += [
        _with(base, f"times = {p:g}", CLIPS, times=p)
        for p in (1.0, 4.0)
        if own.noise and p != own.noise[1]
    ]
    alike = {"way": own.inputs, "layers": "alike"}
    if own.inputs in ("concat", "tokens"):
        found.append(_with(base, "layers alike", CLIPS, inputs=alike))
    for way in ("sum", "concat", "one"):
        if way != own.inputs:
            layers = "alike" if way == "sum" else "auto"
            found.append(_with(base, f"inputs {way}", CLIPS, inputs={"way": way, "layers": layers}))
    return found


def _twins(own: Candidate) -> list[System]:
    twin = replace(own, model="transformer-mse", state="noisy")
    return [_of("twin noisy", twin), _of("twin none", replace(twin, state="none", noise=None))]


def _paths(gen_ser: System) -> list[System]:
    found = [_with(gen_ser, f"mean {mean}", STORES, mean=mean) for mean in ("linear", "ve", "vp")]
    constant, exploding = {"name": "constant"}, {"name": "exploding", "gamma": 0.0}
    both = {"name": "exploding"}
    found.append(_with(gen_ser, "variance constant", STORES, variance=constant, **NOISY))
    found.append(_with(gen_ser, "variance exploding", STORES, variance=exploding, **NOISY))
    found.append(_with(gen_ser, "mean ve, exploding", STORES, mean="ve", variance=both, **NOISY))
    return found


def _of(name: str, candidate: Candidate, **more: Any) -> System:
    options = {**candidate.options, **more}
    return System(name=name, model=candidate.model, options=options, training=candidate.training)


def _with(base: System, name: str, stores: tuple[str, ...], **changed: Any) -> System:
    return replace(base, name=name, stores=stores, options={**base.options, **changed})
