"""An environment of its own for the released nkululeko, made by uv outside the repository.

Its dozens of requirements are none of ours. torch, torchaudio and transformers are those of the
Python that runs the benchmark, so that both sides compute with the same libraries. torchcodec,
which torchaudio reads files through, needs FFmpeg's libraries on the system
(`apt-get install ffmpeg`).
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from extraction_parts.child import RunError

_SHARED = ("torch", "torchaudio", "transformers")
_READS = (
    "import sys, torchaudio; w, r = torchaudio.load(sys.argv[1]); "
    "sys.exit(0 if w.shape[-1] and r == 16000 else 1)"
)


def default_envs() -> Path:
    """The user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "gensr-bench"


def nkululeko_python(envs: Path, clip: Path) -> Path:
    """The Python of a working environment, made now or before.

    Args:
        envs: folder of environments; this one is `envs/nkululeko`.
        clip: a WAV file it must be able to read.

    Raises:
        RunError: there is no uv, the index cannot be reached, or reading does not work.
    """
    folder = envs / "nkululeko"
    python = folder / "bin" / "python"
    packages = ["nkululeko==1.14.1", "torchcodec==0.17.0"]
    # What stands behind a plus sign (+cpu, +cu130) names a build, which the index does not know.
    packages += [f"{name}=={version(name).partition('+')[0]}" for name in _SHARED]
    ready = folder / ".ready"
    if not (ready.is_file() and ready.read_text().split() == packages):
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if uv is None:
            raise RunError("there is no uv to make its environment; pip install uv")
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        _run([*install, *packages])
        ready.write_text("\n".join(packages))
    reads = subprocess.run([python, "-c", _READS, str(clip)], capture_output=True, text=True)
    if reads.returncode:
        raise RunError(
            "its torchaudio cannot read a WAV file (torchcodec wants FFmpeg's libraries: "
            "apt-get install ffmpeg)"
        )
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        # uv's first lines say what failed; advice follows.
        words = " ".join(done.stderr.split())[:200]
        raise RunError(f"its environment cannot be made: {words}")
