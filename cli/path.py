"""`gensr path`: where a path is at which time, and how much of the label it gives away."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "path"
EPILOG = """**Examples**

gensr path

gensr path runs/emodb-gen-ser

gensr path --mean linear --variance constant --width 512 --classes 8

gensr path --config settings.toml --json
"""


def command(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run of gen-ser; default: its settings.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Settings to begin from: small or paper. [default: small]"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML with a table [model].")] = None,
    mean: Annotated[str | None, typer.Option(help="Mean schedule (Eq. 6): {means}.")] = None,
    variance: Annotated[
        str | None, typer.Option(help="Variance schedule (Eq. 7): {variances}.")
    ] = None,
    codes: Annotated[
        str | None, typer.Option(help="Codes of the classes (Eq. 2): {codes}.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Target, which brings its own T: {targets}.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="L of the vectors; default: the run's, or 1024.")
    ] = None,
    classes: Annotated[int | None, typer.Option(help="How many; default: the run's, or 7.")] = None,
    points: Annotated[int, typer.Option(help="Times to tell of, from T to t_eps.")] = 11,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell how much of the label the noisy state alone gives away, by time.

    Where x_t tells the class, a training step teaches nothing about speech. Guessed is the share
    of classes that are right by x_t alone, of speech that carries no label and spreads as a
    standardised training part does; beside x1, by one who knows the speech vector as well, as a
    network does whose inputs have it.
    """
    from gensr.cli import console
    from gensr.estimator.errors import ConfigError
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.use.describe_path import describe_path

    named = {"mean": mean, "variance": variance, "codes": codes, "target": target}
    options = {key: name for key, name in named.items() if name is not None}
    if run is not None and (options or config is not None or preset is not None):
        raise ConfigError("a RUN has its own settings; drop it, or the settings beside it")
    asked = TrainConfig(model="gen-ser", preset=preset or "small", settings=config, options=options)
    found = describe_path(asked, run=run, width=width, classes=classes, points=points)
    if as_json:
        console.print_json(found.as_json())
        return
    config_, given = found.config, found.given
    rows = [
        [f"{t:.3f}", f"{a:.4f}", f"{sigma:.4f}", f"{100 * alone:.1f}", f"{100 * beside:.1f}"]
        for t, a, sigma, alone, beside in zip(
            *(
                each.tolist()
                for each in (given.times, given.a, given.sigma, given.guessed, given.beside_x1)
            ),
            strict=True,
        )
    ]
    title = (
        f"{config_.mean.name} mean, {config_.variance.name} variance, {config_.codes.name} codes: "
        f"width {found.width}, {found.classes} classes"
    )
    console.table(title, ["t", "a(t)", "sigma_t", "guessed %", "beside x1 %"], rows)
    console.print_plain(
        f"by chance {100 * given.chance:.1f} %; over the times of training "
        f"{100 * given.in_training:.1f} %, and {100 * given.in_training_beside_x1:.1f} % where x1 "
        f"is known too (inputs concat, tokens, one); an answer begins at T = {config_.T:g}, where "
        f"x_t gives {100 * given.guessed[0].item():.1f} %"
    )
