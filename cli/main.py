"""`gensr`: assembles the commands; imports nothing heavy, so that `--help` is instant.

Each command imports the stage it runs inside its function.
"""

import io
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from gensr.cli import (
    compare,
    demo_corpus,
    evaluate,
    extract,
    import_features,
    info,
    lint,
    path,
    predict,
    report,
    reproduce,
    score,
    start,
    store,
    train,
)
from gensr.cli.choices import Choosing
from gensr.estimator.errors import ConfigError, GensrError
from gensr.features.shown import visible

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
for module in (
    lint,
    extract,
    import_features,
    train,
    evaluate,
    compare,
    report,
    score,
    predict,
    info,
    path,
    reproduce,
    demo_corpus,
):
    app.command(name=module.NAME, epilog=module.EPILOG, cls=Choosing)(module.command)
app.add_typer(store.app, name=store.NAME)


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
    """Only --version lives here."""


UsageError: Any = typer.BadParameter.__mro__[1]
"""Of click, which newer versions of typer bring along under a private name."""
_ABORTED = 130
"""What typer answers to Ctrl-C."""


def run() -> None:
    """Run a call: 0 done, 2 usage, 1 anything else; a mistake is one line on stderr.

    The entry point of the process is `gensr.cli.start.run`.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A name that the terminal cannot show is no error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_nothing(sys.argv[1:])
        status = app(prog_name="gensr", standalone_mode=False)
    except UsageError as error:
        told = error.format_message()  # none where `gensr` alone has shown its help
        command = error.ctx.command_path if error.ctx else "gensr"
        _end(2, f"{told.rstrip('.')}; see `{command} --help`" if told else "")
    except GensrError as error:
        _end(2 if isinstance(error, ConfigError) else 1, str(error))
    except BrokenPipeError:
        _end(1)
    except OSError as error:  # a full disk, a folder that may not be written
        _end(1, f"{error.filename or _place()}: {error.strerror or error}")
    except KeyboardInterrupt:  # once more, while the first was being dealt with
        status = _ABORTED
    if status == _ABORTED:
        _end(start.INTERRUPTED, start.SAID)
    _end(status)


def _end(status: int, message: str = "") -> NoReturn:
    start.ending()
    if message:
        typer.echo(f"gensr: {visible(' '.join(message.split()))}", err=True)
    sys.exit(status)


def _refuse_nothing(given: Sequence[str]) -> None:
    """Refuse an empty path: pathlib takes it for this folder, a script meant another by it.

    Raises:
        GensrError: an argument is empty; options say themselves what they lack.
    """
    for before, argument in pairwise(["", *given]):
        if not argument and not before.startswith("-"):
            raise GensrError(
                "an argument is empty, perhaps a variable without a value: name what is meant, "
                "or . for this folder"
            )


def _place() -> str:
    """Return where something is amiss that has no name."""
    try:
        Path.cwd()
    except OSError:  # libraries cannot even be loaded in it
        return "the current folder was removed, change into another one"
    return "the system"


if __name__ == "__main__":  # `python -m gensr.cli.main`, for Pythons without their scripts on PATH
    start.run(run)
