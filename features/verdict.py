"""What listening to a file came to: small enough to keep for millions of files.

A file of its own, because the process that decodes files gives verdicts as well as the one that
collects them, and shall load nothing else.
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version


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
    """Return the versions of what turns a file into samples; verdicts of others may differ."""
    import soundfile  # whoever only reads verdicts needs no audio

    return {
        "numpy": version("numpy"),
        "libsndfile": str(soundfile.__libsndfile_version__),
        "soundfile": version("soundfile"),
        "scipy": version("scipy"),
    }
