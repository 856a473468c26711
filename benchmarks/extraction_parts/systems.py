"""How each system is run on the clips, and what one run of it tells."""

import csv
import json
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from extraction_parts.child import Finished, RunError, run_child
from extraction_parts.clips import RATE, Clips, list_clips, speech_like, write_wav
from extraction_parts.environment import nkululeko_python

HERE = Path(__file__).parent.parent
GENSR = [sys.executable, "-c", "from gensr.cli.main import run; run()"]
"""What the console script `gensr` does, with this Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One row of one round."""

    row: str
    audio: float
    """Seconds of audio that were encoded."""
    work: float
    """Seconds it took, start-up not counted."""
    layers: int
    """Vectors kept of each clip."""
    startup: float | None = None
    rss: int | None = None
    gpu: int | None = None
    price: float | None = None
    """Time of all layers over time of one, the median over batches."""
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Bench:
    """The clips, the weights, the settings, and a method for each system."""

    clips: Clips
    encoder: Path
    """Folder of the encoder, in Hugging Face layout."""
    work: Path
    """Folder for stores, logs and answers."""
    envs: Path
    device: str
    dtype: str
    size: str
    bare_seconds: tuple[float, ...]
    batch_seconds: float | None
    shard_clips: int | None
    gensr_flags: str
    loop_seconds: float | None
    layer_seconds: float
    layer_batch_seconds: float
    runs: int = field(default=0, init=False)

    def measure(self, system: str) -> list[Measured]:
        """Run one system once.

        Raises:
            RunError: it cannot be run, or did not encode every clip.
        """
        self.runs += 1
        if system == "gensr":
            return [self._gensr()]
        if system == "nkululeko":
            return [self._nkululeko()]
        done = self._in_process(system)
        said = done.said
        if system == "layers":
            rows = {"all": "encode only, all layers", "one": "encode only, one layer"}
            return [
                Measured(
                    row=rows[way],
                    audio=said["audio"],
                    work=said["work"][way],
                    layers=said["layers"][way],
                    price=said["price"] if way == "all" else None,
                    note=said["note"],
                )
                for way in rows
            ]
        return [Measured(row=system, **said, rss=done.rss, gpu=done.gpu)]

    def make_encoder(self) -> None:
        """Write the random weights, once."""
        self._in_process("weights")

    def _in_process(self, system: str) -> Finished:
        asked: dict[str, Any] = {
            "encoder": str(self.encoder),
            "size": self.size,
            "root": self.clips.root,
            "count": self.clips.count,
            "samples": self.clips.samples,
            "device": self.device,
            "dtype": self.dtype,
            "bare_seconds": self.bare_seconds,
            "layer_batch_seconds": self.layer_batch_seconds,
            "layer_samples": round(self.layer_seconds * RATE),
            "loop_samples": round((self.loop_seconds or 0.0) * RATE),
            "out": str(self.work / "hf-loop.npy"),
        }
        code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import runpy; "
        code += "runpy.run_module('extraction_parts.in_process', run_name='__main__')"
        return self._run(system, [sys.executable, "-c", code, system, json.dumps(asked)])

    def _gensr(self) -> Measured:
        """The command from start to end, less what the same command takes for half a second."""
        short = self._extract("gensr-start", self._one_clip())
        done = self._extract("gensr", Path(self.clips.root))
        header = done.said
        if header["clips"] != self.clips.count:
            raise RunError(f"its store holds {header['clips']} of {self.clips.count} clips")
        if header["audios"] != self.clips.count:  # encoded once: the others hear them twice
            raise RunError(f"only {header['audios']} of {self.clips.count} clips are distinct")
        # On a clip or two the difference is noise: then start-up is left in, to gensr's cost.
        lost = done.seconds < 1.25 * short.seconds
        return Measured(
            row="gensr",
            audio=self.clips.seconds,
            work=done.seconds - (0.0 if lost else short.seconds),
            startup=short.seconds,
            note="too little audio: its start-up is counted as work" if lost else "",
            layers=len(header["layers"]),
            rss=done.rss,
            gpu=done.gpu,
        )

    def _extract(self, name: str, corpus: Path) -> Finished:
        store = self.work / f"{name}.zarr"
        shutil.rmtree(store, ignore_errors=True)
        command = [*GENSR, "extract", str(corpus), "--out", str(store)]
        command += ["--encoder", str(self.encoder), "--device", self.device]
        command += ["--dtype", self.dtype, "--allow-slow", *shlex.split(self.gensr_flags)]
        if self.batch_seconds is not None:
            command += ["--batch-seconds", str(self.batch_seconds)]
        if self.shard_clips is not None:
            command += ["--shard-clips", str(self.shard_clips)]
        done = self._run(name, command)
        done.said.update(json.loads((store / "zarr.json").read_text())["attributes"]["gensr"])
        shutil.rmtree(store)
        return done

    def _nkululeko(self) -> Measured:
        paths = list_clips(Path(self.clips.root))
        python = _python(self.envs, paths[0])
        results = self.work / "nkululeko"
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir()
        if self.loop_seconds is not None:
            mean = self.clips.seconds / self.clips.count
            paths = paths[: max(1, round(self.loop_seconds / mean))]
        listing = results / "clips.csv"
        with listing.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["file", "emotion"])
            rows.writerows([str(path), path.parent.name] for path in paths)
        asked = {
            "encoder": str(self.encoder),
            "device": self.device,
            "results": str(results),
            "csv": str(listing),
            "kind": "hubert-base-ls960" if self.size == "base" else "hubert-large-ll60k",
        }
        script = Path(__file__).with_name("nkululeko_run.py")
        done = self._run("nkululeko", [str(python), str(script), json.dumps(asked)])
        if not done.said:
            raise RunError("it ended without an answer")
        return Measured(row="nkululeko", **done.said, rss=done.rss, gpu=done.gpu)

    def _one_clip(self) -> Path:
        folder = self.work / "one-clip" / "neutral"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            write_wav(folder / "one.wav", speech_like(0.5, seed=1))
        return folder.parent

    def _run(self, name: str, command: list[str]) -> Finished:
        log = self.work / f"{self.runs:03d}-{name}.log"
        offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        return run_child(command, log=log, env=offline, gpu=self.device.startswith("cuda"))


@cache
def _python(envs: Path, clip: Path) -> Path:
    return nkululeko_python(envs, clip)
