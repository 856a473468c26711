"""What is tested once the development parts have chosen: the default, its rivals, its ablations."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from study_parts.candidates import Candidate

DEFAULT, CLOSED, NARROW = "default", "closed-form", "gen-ser narrow"
STORES = tuple(
    f"{corpus}-{kind}" for corpus in ("emodb", "ravdess") for kind in ("clip", "fbank", "full")
)
SHORT = tuple(name for name in STORES if not name.endswith("full"))
"""Those where flow, score, other paths and codes are tested."""
CLIPS = ("emodb-clip", "ravdess-clip")
"""Where ablations are made, and calibration looked at."""
SEEDS = "0-4"
WAS = {"sampler_steps": 4}
"""N of Gen-SER in version 0.2."""
STEPS = (1, 2, 4, 10, 20, 50)
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
    """Whether development parts are asked too, on `CLIPS`, for a temperature."""
    Ns: tuple[int, ...] = ()
    """Steps of the sampler that the same models are asked with too, on `CLIPS`."""
    enrol: bool = False
    """Whether speakers are enrolled by ten clips."""
    beside: str = DEFAULT
    """The row that it is compared with: the default, or the one it differs from by its name."""


def systems(
    default: Candidate, own: Candidate, N: int, best: Mapping[str, Candidate]
) -> list[System]:
    """All rows of the table; `default` is among them where it is no other's setting.

    Args:
        default: what the rule picked of all.
        own: gen-ser's setting that the rule picked.
        N: with which.
        best: of each rival that has settings to be chosen: transformer-ce, mlp, flow and score.
    """
    gen_ser = replace(_of("gen-ser", own, sampler_steps=N), Ns=STEPS)
    base = narrow(own, N)
    found = [
        gen_ser,
        _of("gen-ser 0.2", Candidate(model="gen-ser", noise=(0.5, 1.0), budget="usual"), **WAS),
        *_twins(own),
        System(name="closed-form", model="closed-form", calibrate=True),
        System(name="svm", model="svm"),
        System(name="logreg", model="logreg"),
        System(name="linear", model="linear"),
        _of("mlp", best["mlp"]),
        _of("transformer-ce", best["transformer-ce"]),
        *_by_cross_entropy(default),
        *(replace(_of(name, best[name]), stores=SHORT) for name in ("flow", "score")),
        base,
        *_paths(base),
        _with(base, "codes onehot", SHORT, codes="onehot"),
        _with(base, "codes random-orthogonal", SHORT, codes="random-orthogonal"),
        _with(base, "codes autoencoder", SHORT, codes="autoencoder"),
        System(
            name="diffusion-classifier",
            model="diffusion-classifier",
            options={"network": base.options["network"]},
            training=base.training,
            stores=CLIPS,
            beside=NARROW,
        ),
    ]
    same = [each for each in found if each.name in ("gen-ser", "twin noisy", "twin none", CLOSED)]
    asked = _of(DEFAULT, default)
    if not any(_alike(asked, each) for each in same):
        found.insert(0, replace(asked, calibrate=True))
    return found


def narrow(own: Candidate, N: int) -> System:
    """Gen-SER at the budget of the grid: what other paths and ablations are compared with."""
    found = _of(NARROW, replace(own, budget="narrow"), sampler_steps=N)
    return replace(found, stores=SHORT, beside=NARROW)


def name_of(default: Candidate, rows: list[System]) -> str:
    """Which row is the default's."""
    asked = _of(DEFAULT, default)
    return next(each.name for each in rows if each.name == DEFAULT or _alike(asked, each))


def owned(best: Mapping[str, tuple[Candidate, int | None]]) -> list[System]:
    """Rivals of the path, each with the settings that its development parts chose.

    Args:
        best: by row, the candidate, and its N where it was asked with several.
    """
    found = []
    for row, (candidate, steps) in best.items():
        asked = steps is not None and candidate.model == "gen-ser"  # a target brings its own N
        more = {"sampler_steps": steps} if asked else {}
        one = _of(f"{row}, own", candidate, **more)
        found.append(replace(one, stores=SHORT, beside=NARROW))
    return found


def enrolled(own: Candidate, N: int) -> list[System]:
    """A table of their own."""
    gen_ser = _of("enrolled gen-ser", own, sampler_steps=N)
    found = [
        gen_ser,
        System(name="enrolled closed-form", model="closed-form"),
        System(name="enrolled linear", model="linear"),
    ]
    return [replace(each, enrol=True, stores=CLIPS) for each in found]


def _alike(asked: System, row: System) -> bool:
    mine = {**row.options, **asked.options}
    return (asked.model, asked.training, mine) == (row.model, row.training, dict(row.options))


def ablations(own: Candidate, N: int) -> list[System]:
    """`narrow` with one setting changed, but for those that `systems` has.

    Noise as good as none, which was planned too, is asked of the weighted sum alone: gensr refuses
    it of a network that knows x1, for that one then reads the class in x_T.
    """
    base = narrow(own, N)
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
    weighted = {"way": "sum", "layers": "alike"}  # knows no x1, so may be asked without noise
    nothing = {"name": "bridge", "strength": 1e-6}
    found.append(_with(base, "inputs sum, no noise", CLIPS, inputs=weighted, variance=nothing))
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


def _paths(base: System) -> list[System]:
    found = [_with(base, f"mean {mean}", CLIPS, mean=mean) for mean in ("linear", "ve")]
    constant, exploding = {"name": "constant"}, {"name": "exploding", "gamma": 0.0}
    # At T this mean holds .7 % of x0: a bridge of .5 leaves too little noise there to cover it.
    found.append(_with(base, "mean vp, constant", CLIPS, mean="vp", variance=constant, **NOISY))
    both = {"name": "exploding"}
    found.append(_with(base, "variance constant", CLIPS, variance=constant, **NOISY))
    found.append(_with(base, "variance exploding", CLIPS, variance=exploding, **NOISY))
    found.append(_with(base, "mean ve, exploding", CLIPS, mean="ve", variance=both, **NOISY))
    return found


def _by_cross_entropy(default: Candidate) -> list[System]:
    """The default in everything but its loss, where it is the noisy regression."""
    if (default.model, default.state) != ("transformer-mse", "noisy"):
        return []
    return [_of("transformer-ce noisy", replace(default, model="transformer-ce"))]


def _of(name: str, candidate: Candidate, **more: Any) -> System:
    options = {**candidate.options, **more}
    return System(name=name, model=candidate.model, options=options, training=candidate.training)


def _with(base: System, name: str, stores: tuple[str, ...], **changed: Any) -> System:
    return replace(base, name=name, stores=stores, options={**base.options, **changed})
