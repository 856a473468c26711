"""How near does `gensr extract` come to what the hardware can do, and to what others do?

Against: the same model with nothing around it (`bare`), a plain loop over files with Hugging
Face's own classes (`hf-loop`), and the HuBERT extractor of the released nkululeko. One run, the
same clips and the same random weights of the real sizes for all. Each system runs in a process
of its own; the systems take turns, round after round, so that a busy spell of the machine hits
all of them. Start-up (imports, weights) stands apart. `survey` is the part of gensr's work in
which a GPU waits; `layers` asks what all layers cost beside one.

    python benchmarks/extraction.py --size base --minutes 15
    python benchmarks/extraction.py --size large --hours 48 --device cuda --loop-minutes 15
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from extraction_parts.child import RunError
from extraction_parts.clips import FORMATS, RATE, prepare_clips
from extraction_parts.environment import default_envs
from extraction_parts.report import machine, price_of_layers, share_of_survey, table
from extraction_parts.systems import Bench, Measured
from extraction_parts.weights import SIZES
from extraction_parts.work import work_folder

SYSTEMS = ("bare", "gensr", "hf-loop", "nkululeko", "survey", "layers")
BARE_SECONDS = {"cpu": "4,20,100", "cuda": "100,400,800"}
LAYER_BATCH_SECONDS = {"cpu": 5.0, "cuda": 400.0}
LAYER_MINUTES = {"cpu": 5.0, "cuda": 240.0}


def main(asked: argparse.Namespace, work: Path) -> int:
    """Measure, print, and return the exit status: 1 where one of our own rows is missing."""
    seconds = asked.minutes * 60 if asked.hours is None else asked.hours * 3600
    clips = prepare_clips(
        work,
        seconds=seconds,
        corpus=asked.corpus,
        seed=asked.seed,
        rate=asked.rate,
        form=asked.format,
    )
    device = asked.device
    kind = "cuda" if device.startswith("cuda") else "cpu"
    bench = Bench(
        clips=clips,
        encoder=work / f"hubert-{asked.size}-random",
        work=work,
        envs=asked.envs,
        device=device,
        dtype=asked.dtype or ("bfloat16" if kind == "cuda" else "float32"),
        size=asked.size,
        bare_seconds=tuple(float(s) for s in (asked.bare_seconds or BARE_SECONDS[kind]).split(",")),
        batch_seconds=asked.batch_seconds,
        shard_clips=asked.shard_clips,
        gensr_flags=asked.gensr_flags,
        loop_seconds=None if asked.loop_minutes is None else asked.loop_minutes * 60,
        layer_seconds=min(clips.seconds, (asked.layer_minutes or LAYER_MINUTES[kind]) * 60),
        layer_batch_seconds=asked.batch_seconds or LAYER_BATCH_SECONDS[kind],
    )
    bench.make_encoder()
    systems = asked.systems.split(",")
    measured: list[Measured] = []
    failed: dict[str, str] = {}
    for _ in range(asked.repeats):
        for system in systems:
            if system in failed:
                continue
            try:
                measured += bench.measure(system)
            except RunError as error:
                failed[system] = str(error)
            _save(asked.out, bench, measured, failed)
    print(
        f"HuBERT {asked.size} (random weights), {bench.dtype} on {device}; {clips.count} clips, "
        f"{clips.seconds / 60:.1f} min, {clips.origin}; {asked.repeats} rounds, medians\n"
    )
    print(table(measured, failed))
    for told in (share_of_survey(measured), price_of_layers(measured)):
        if told is not None:
            print(f"\n{told}")
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")
    return int(bool(set(failed) - {"nkululeko"}))


def _save(out: Path | None, bench: Bench, measured: list[Measured], failed: dict[str, str]) -> None:
    """Write what there is after every run: a long benchmark that is cut short keeps its rounds."""
    if out is None:
        return
    content = {
        **machine(),
        "size": bench.size,
        "device": bench.device,
        "dtype": bench.dtype,
        "clips": asdict(bench.clips),
        "measured": [asdict(one) for one in measured],
        "failed": failed,
    }
    out.write_text(json.dumps(content, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=tuple(SIZES), default="base", help="tiny is for smoke runs")
    add("--minutes", type=float, default=15.0, help="audio")
    add("--hours", type=float, help="audio, instead of --minutes")
    add("--device", default="cpu", help="cpu, cuda or cuda:N")
    add("--dtype", help="default: float32 on the CPU, bfloat16 on a GPU; nkululeko has float32")
    add("--repeats", type=int, default=3, help="rounds")
    add("--systems", default=",".join(SYSTEMS), help="in this order, separated by commas")
    add("--corpus", type=Path, help="real audio; default: synthesised")
    add("--rate", type=int, default=RATE, help="of synthesised files, Hz")
    add("--format", choices=FORMATS, default="wav", help="of synthesised files")
    add("--loop-minutes", type=float, help="audio for hf-loop and nkululeko; default: all")
    add("--layer-minutes", type=float, help=f"audio for layers; default: {LAYER_MINUTES}")
    add(
        "--batch-seconds",
        type=float,
        help=f"default: for gensr the command's own, for layers {LAYER_BATCH_SECONDS}",
    )
    add("--shard-clips", type=int, help="for gensr; default: the command's own")
    add("--gensr-flags", default="", help="further flags of `gensr extract`, as one string")
    add("--bare-seconds", help=f"batches that bare tries, s of audio; default: {BARE_SECONDS}")
    add("--envs", type=Path, default=default_envs(), help="folder for nkululeko's environment")
    add("--work", type=Path, help="folder to keep clips, weights and logs in; default: none kept")
    add("--out", type=Path, help="JSON file for every raw figure")
    add("--seed", type=int, default=0)
    asked = parser.parse_args()
    unknown = set(asked.systems.split(",")) - set(SYSTEMS)
    if unknown:
        parser.error(f"no such system: {', '.join(sorted(unknown))}; there are {SYSTEMS}")
    return asked


if __name__ == "__main__":
    arguments = _arguments()
    with work_folder(arguments.work) as folder:
        status = main(arguments, folder)
    raise SystemExit(status)
