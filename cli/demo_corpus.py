"""`gensr demo-corpus`: a synthetic corpus to try everything on, offline."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "demo-corpus"
EPILOG = """**Example**

gensr demo-corpus demo/corpus
"""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    speakers: Annotated[int, typer.Option(help="Synthetic speakers, half of them women.")] = 12,
    sentences: Annotated[int, typer.Option(help="Sentences; every speaker says each.")] = 6,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 0,
) -> None:
    """Synthesise a small speech-like emotion corpus, always the same for one seed."""
    from gensr.cli import console
    from gensr.features.demo.corpus import DemoConfig, write_demo_corpus

    config = DemoConfig(speakers=speakers, sentences=sentences, seed=seed)
    with console.Bars() as bars:
        done = 0

        def progress(now: int, total: int) -> None:
            nonlocal done
            if not done:
                bars.stage("synthesis", total)
            bars.advance(now - done)
            done = now

        clips = write_demo_corpus(folder, config, progress=progress)
    console.print_plain(f"{folder}: {clips} clips, {speakers} speakers, 7 emotions")
