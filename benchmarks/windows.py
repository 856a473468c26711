"""What does cutting a clip into windows do to its vectors, to accuracy, and to memory?

`vectors`, against the whole clip at once: long clips (utterances of one speaker and emotion put
end to end, or synthesised) in windows of several lengths. `accuracy`, against clips that are not
cut: the same training on vectors of a labelled corpus whose clips are cut short. `memory`,
against no window: peak memory of one long clip, each in a process of its own, which is ended
where it passes a limit (Linux).

    python benchmarks/windows.py vectors --encoder whisper-base --corpus corpora/emodb
    python benchmarks/windows.py vectors --random base --seconds 60 --windows 30,15,10,5
    python benchmarks/windows.py accuracy --encoder whisper-base --corpus corpora/emodb
    python benchmarks/windows.py memory --random base
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from extraction_parts.clips import RATE, write_wav
from extraction_parts.weights import SIZES
from extraction_parts.work import work_folder
from numpy.typing import NDArray
from precision import (
    accuracy_table,
    encoder_of,
    error_table,
    read_vectors,
    relative,
    spread,
    stores_of,
    synthesise,
)

from gensr.features.corpora import scan
from gensr.features.hearing.decode import read_audio
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract

UNCUT = "uncut"
_FULL = 0.6
"""A long clip is used from this share of the wanted length on."""
_LOOK_SECONDS = 0.02
"""How often a process is held against the limit on its memory."""


def join_utterances(corpus: Path, folder: Path, seconds: float, count: int) -> Path:
    """Put whole utterances of one speaker and emotion end to end; write the longest results.

    Args:
        corpus: labelled clips.
        folder: for 16-bit WAV files, in folders of emotions.
        seconds: no result is longer.
        count: how many are written at most.
    """
    found = scan(corpus)
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for clip in found.clips:
        groups[clip.speaker, clip.emotion].append(found.root / clip.path)
    joined = {key: _join(paths, round(seconds * RATE)) for key, paths in groups.items()}
    longest = sorted(joined, key=lambda key: (-len(joined[key]), key))[:count]
    for speaker, emotion in longest:
        samples = joined[speaker, emotion]
        if len(samples) >= _FULL * seconds * RATE:
            path = folder / emotion / f"{speaker}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, (samples.clip(-1, 1) * 32_767).astype(np.int16))
    return folder


def _join(paths: Sequence[Path], longest: int) -> NDArray[np.float32]:
    """Utterances in turn, those left out that would make it too long."""
    parts = [np.zeros(0, np.float32)]
    for path in paths:
        samples = read_audio(path).samples
        if sum(map(len, parts)) + len(samples) <= longest:
            parts.append(samples)
    return np.concatenate(parts)


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of the angle between vectors, (clips, layers)."""
    left, right = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    result: NDArray[np.float64] = (left * right).sum(-1) / lengths
    return result


def own_part(reference: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """`relative`, without the shift that all clips share; (clips, layers)."""
    shift = (other.astype(np.float64) - reference).mean(axis=0)
    return relative(reference, other - shift)


def windows_of(asked: argparse.Namespace) -> list[str]:
    """The settings to compare, the uncut clip first."""
    return [UNCUT, *(f"{float(length):g} s" for length in asked.windows.split(","))]


def config_of(asked: argparse.Namespace, encoder: str, name: str) -> ExtractConfig:
    """Settings of an extraction in windows of `name`."""
    longest = asked.seconds if name == UNCUT else float(name.removesuffix(" s"))
    return ExtractConfig(
        encoder=encoder, device=asked.device, context=asked.context, max_seconds=longest
    )


def vectors(asked: argparse.Namespace, work: Path) -> None:
    """Print the differences of the vectors, and the angles between them."""
    encoder = encoder_of(asked, work)
    if asked.corpus is None:
        lengths = np.linspace(2 / 3 * asked.seconds, asked.seconds, asked.clips)
        clips = synthesise(work / "clips", lengths)
    else:
        clips = join_utterances(asked.corpus, work / "clips", asked.seconds, asked.clips)
    stores, refused = stores_of(
        clips, work, lambda name: config_of(asked, encoder, name), windows_of(asked)
    )
    for name, reason in refused.items():
        raise SystemExit(f"{name} did not run: {reason}")
    with open_store(stores[UNCUT]) as store:
        lasting = store.table["seconds"]
    layers, whole = read_vectors(stores[UNCUT])
    found = {name: read_vectors(store)[1] for name, store in stores.items() if name != UNCUT}
    columns = {name: relative(whole, cut) for name, cut in found.items()}
    print(
        f"{Path(encoder).name}, {len(whole)} clips of {lasting.min():.1f} to {lasting.max():.1f} s;"
        " relative difference, median / largest\n"
    )
    print(error_table(layers, {**columns, "clips from their mean": spread(whole)}))
    print("\nThe same without the shift that all clips share\n")
    own = {name: own_part(whole, cut) for name, cut in found.items()}
    print(error_table(layers, {**own, "clips from their mean": spread(whole)}))
    print("\n| windows | cosine with uncut, median | smallest |\n|---|---|---|")
    for name, cut in found.items():
        angles = cosine(whole, cut)
        print(f"| {name} | {np.median(angles):.5f} | {angles.min():.5f} |")


def accuracy(asked: argparse.Namespace, work: Path) -> None:
    """Print what models learn from cut clips."""
    encoder = encoder_of(asked, work)
    stores, refused = stores_of(
        asked.corpus, work, lambda name: config_of(asked, encoder, name), windows_of(asked)
    )
    for name, reason in refused.items():
        raise SystemExit(f"{name} did not run: {reason}")
    layers, whole = read_vectors(stores[UNCUT])
    with open_store(stores[UNCUT]) as store:
        lasting = store.table["seconds"]
    columns = {}
    for name in windows_of(asked)[1:]:
        longest = float(name.removesuffix(" s"))
        print(f"{name}: {(lasting > longest).sum()} of {len(lasting)} clips are cut")
        columns[name] = relative(whole, read_vectors(stores[name])[1])
    print(f"\n{error_table(layers, {**columns, 'clips from their mean': spread(whole)})}\n")
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    print(accuracy_table(stores, work / "runs", seeds, asked.steps))


def memory(asked: argparse.Namespace, work: Path) -> None:
    """Print peak memory against the length of one clip, in windows and at once."""
    encoder = encoder_of(asked, work)
    print("| clip | windows of 30 s, MiB | at once, MiB |\n|---|---|---|")
    for text in asked.lengths.split(","):
        clip = synthesise(work / f"clip{text}", [float(text)])
        peaks = [
            _peak_of(asked, encoder, clip, work / f"{text}-{longest:g}.zarr", longest)
            for longest in (30.0, float(text))
        ]
        print(f"| {float(text):g} s | {' | '.join(peaks)} |", flush=True)


def _peak_of(
    asked: argparse.Namespace, encoder: str, clip: Path, store: Path, longest: float
) -> str:
    """Peak RSS of an extraction in a process of its own, in words."""
    order = json.dumps([str(clip), str(store), encoder, longest, asked.device])
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            [sys.executable, __file__, "measure", order],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as child,
    ):
        while child.poll() is None:
            if _held(child.pid) > asked.limit_gib * 2**30:
                child.kill()
                return f"above the limit of {asked.limit_gib:g} GiB"
            time.sleep(_LOOK_SECONDS)
        answer, _ = child.communicate()
        said.seek(0)
        if child.returncode:
            raise SystemExit(f"measure {order} failed:\n{said.read()}")
    return f"{float(answer):.0f}"


def _held(process: int) -> int:
    """RSS of a process in bytes; 0 where it has just ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def measure(asked: argparse.Namespace) -> None:
    """Extract in this process, and print the MiB of peak RSS."""
    clip, store, encoder, longest, device = json.loads(asked.order)
    config = ExtractConfig(encoder=encoder, device=device, max_seconds=longest)
    extract(Path(clip), Path(store), config)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    for run in (vectors, accuracy, memory):
        command = commands.add_parser(run.__name__)
        command.set_defaults(run=run)
        add = command.add_argument
        source = command.add_mutually_exclusive_group(required=True)
        source.add_argument("--encoder", type=Path, help="a folder in Hugging Face layout")
        source.add_argument("--random", choices=tuple(SIZES), help="HuBERT with random weights")
        add("--device", default="cpu")
        add("--work", type=Path, help="folder to keep clips, stores and runs in; default: none")
        if run is memory:
            add("--lengths", default="30,60,120,240,600", help="of the clip, in seconds")
            add("--limit-gib", type=float, default=12.0, help="memory that a process may take")
            continue
        cuts = "15,10,5" if run is vectors else "2,1"
        add("--windows", default=cuts, help="in seconds, separated by commas")
        add("--corpus", type=Path, required=run is accuracy, help="default: synthesised clips")
        add("--seconds", type=float, default=30.0, help="the longest clip; nothing is cut by it")
        add("--context", default="full", help="Whisper only: full or clip")
        if run is vectors:
            add("--clips", type=int, default=12)
        else:
            add("--seeds", default="0", help="of the training, separated by commas")
            add("--steps", type=int, help="of the training; default: the preset's")
    command = commands.add_parser("measure")
    command.set_defaults(run=measure, work=None)
    command.add_argument("order")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    if given.run is measure:
        measure(given)
    else:
        with work_folder(given.work) as work:
            given.run(given, work)
