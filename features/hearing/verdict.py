"""What listening to a file came to: small enough to keep for millions of files.

A file of its own, because the process that decodes files gives verdicts as well as the one that
collects them, and shall load nothing else.
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files, version

HEARING = "2"
"""Counts the rules by which a file is used or refused: a verdict of other rules is asked anew."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What decoding a file gave; the same bytes always give the same, unless it is `passing`."""

    samples: int
    """At 16 kHz; 0 where the file cannot be used."""
    audio_sha256: str
    """Hash of the decoded samples: the clip's content address; empty where there are none."""
    reason: str = ""
    """Why the file cannot be used; empty where it can."""
    passing: bool = False
    """Whether another attempt may succeed: time, memory or the disk was lacking, not the file."""


def refused(reason: str, *, passing: bool = False) -> Verdict:
    """Return the verdict on a file that cannot be used, or could not be this time."""
    return Verdict(samples=0, audio_sha256="", reason=reason, passing=passing)


@cache
def decoder_versions() -> dict[str, str]:
    """Return the versions of what turns a file into samples; verdicts of others may differ.

    FFmpeg's are among them where `av` is installed. They hold for all files: only when a file was
    heard is it known whose it is, and what was refused for want of `av` is asked anew.
    """
    import soundfile  # whoever only reads verdicts needs no audio

    return {
        "hearing": HEARING,
        "numpy": version("numpy"),
        "libsndfile": str(soundfile.__libsndfile_version__),
        "soundfile": version("soundfile"),
        "scipy": version("scipy"),
        **_ffmpeg(),
    }


def _ffmpeg() -> dict[str, str]:
    """Return the versions of PyAV and of the FFmpeg that it carries, by the name of its library.

    FFmpeg itself is not asked: it is loaded nowhere but where files are decoded.
    """
    try:
        av = version("av")
    except PackageNotFoundError:
        return {}
    carried = sorted(file.name for file in files("av") or () if "avcodec" in file.name)
    return {"av": av, "ffmpeg": carried[0] if carried else "the system's"}
