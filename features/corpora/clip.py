"""What is known of a clip before anyone listens to it: one row of the clip table."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance, as its corpus names it. Unknown fields are the empty string.

    Labels, speakers and splits live here, beside the vectors, so that relabelling a
    corpus never extracts it again.
    """

    path: str
    """POSIX path of the audio file, relative to the corpus root that was scanned; of a part of a
    file with what part it is: `talk.wav#t=1.5,4` (`features/audio/segments.py`)."""
    corpus: str
    """Short name of the corpus: `emodb`, `ravdess`, ...; for others the folder's name."""
    speaker: str = ""
    """Speaker within the corpus; two corpora may use the same name for two people."""
    gender: str = ""
    """`female`, `male`, or empty."""
    sentence: str = ""
    """Which text was spoken, where the corpus says so."""
    dialogue: str = ""
    """Which conversation the utterance is part of (unique within its corpus and split)."""
    emotion: str = ""
    """The label in the corpus's own words."""
    canonical: str = ""
    """The label in the words shared by all corpora (see `labels.py`); empty where none fits."""
    split: str = ""
    """Official split: `train`, `dev`, `test`, or empty."""
    length: tuple[float, float] | None = None
    """Seconds that the corpus says the clip lasts, and how far off that may be; None: not said.
    It is held against the audio when that is heard, and not kept."""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further columns (a manifest's own, RAVDESS's intensity, ...), each a column of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that cannot be used, and why: shown and stored, never skipped in silence."""

    path: str
    """Relative to the corpus root, as in `Clip.path`."""
    reason: str
    """What is wrong, in a few words, without the path."""
