"""`gensr`: assembles the commands; imports nothing heavy, so that `--help` is instant.

Each command imports the stage it runs inside its function.
"""

import sys
from typing import Annotated

import typer

from gensr.cli import demo_corpus, evaluate, extract, info, predict, train
from gensr.estimator.errors import GensrError

app = typer.Typer(
    name="gensr",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Speech emotion recognition as distribution transport (Gen-SER), on cached vectors.

    Speech goes in once: `extract` writes the layer averages of a frozen encoder to a store.
    `train`, `eval` and `predict` then work on the store alone.
    """,
    epilog="""**Examples**

    gensr demo-corpus demo/corpus

    gensr extract demo/corpus --encoder fbank --out demo.zarr

    gensr train demo.zarr && gensr eval
    """,
)
for module in (extract, train, evaluate, predict, info, demo_corpus):
    app.command(name=module.NAME, epilog=module.EPILOG)(module.command)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gensr {version('gensr')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Entry point: 0 done, 2 usage, 1 anything else; a user's mistake is one line on stderr."""
    try:
        app()
    except GensrError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted; what is finished is kept, the same command goes on from there", 130)
    except BrokenPipeError:
        sys.exit(1)


def _fail(message: str, code: int = 1) -> None:
    line = " ".join(message.split())
    typer.echo(f"gensr: {line}", err=True)
    sys.exit(code)
