"""What an experiment needs, where it is to be had, and under which licence.

Addresses and licences as their keepers state them, read in November 2026; where none is stated
here, the page of the corpus has its terms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gensr.pipeline.reproduce.paper import HUBERT, ONE_GENDER, WAVLM


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtainable:
    """A corpus or an encoder."""

    name: str
    """As people write it."""
    what: str
    """How much of what it is."""
    where: str
    """Address."""
    licence: str
    """Under which it may be used."""

    def line(self) -> str:
        """All of it in one line."""
        return f"{self.name} ({self.what}): {self.where}; licence: {self.licence}"


CORPORA: Mapping[str, Obtainable] = {
    "emodb": Obtainable(
        name="EmoDB",
        what="535 clips, 10 speakers, 7 emotions",
        where="http://emodb.bilderbar.info/download/",
        licence="freely available; its page has the terms",
    ),
    "ravdess": Obtainable(
        name="RAVDESS, speech, audio only",
        what="1440 clips, 24 actors, 8 emotions",
        where="https://zenodo.org/records/1188976 (Audio_Speech_Actors_01-24.zip)",
        licence="CC BY-NC-SA 4.0",
    ),
    "tess": Obtainable(
        name="TESS",
        what="2800 clips, 2 speakers, 7 emotions",
        where="https://doi.org/10.5683/SP2/E8H2MF",
        licence="CC BY-NC-ND 4.0",
    ),
    "savee": Obtainable(
        name="SAVEE",
        what="480 clips, 4 men, 7 emotions",
        where="http://kahlan.eps.surrey.ac.uk/savee/ (registration)",
        licence="research, on registration; its page has the terms",
    ),
    "cremad": Obtainable(
        name="CREMA-D",
        what="7442 clips, 91 actors, 6 emotions",
        where="https://github.com/CheyneyComputerScience/CREMA-D (AudioWAV, by Git LFS)",
        licence="Open Database License 1.0",
    ),
    "meld": Obtainable(
        name="MELD",
        what="13,708 utterances of a television series, 7 emotions",
        where="https://github.com/declare-lab/MELD (MELD.Raw.tar.gz; .mp4, so the extra `media`)",
        licence="GPL-3.0 of the repository; the recordings are the broadcaster's",
    ),
}

ENCODERS: Mapping[str, Obtainable] = {
    HUBERT: Obtainable(
        name="chinese-hubert-large",
        what="the paper's encoder, 24 layers of width 1024",
        where=f"https://huggingface.co/{HUBERT} (--encoder {HUBERT} fetches it)",
        licence="its page has the terms",
    ),
    WAVLM: Obtainable(
        name="WavLM large",
        what="24 layers of width 1024",
        where=f"https://huggingface.co/{WAVLM} (--encoder {WAVLM} fetches it)",
        licence="its page has the terms",
    ),
}


def to_get(experiment: str, missing: Iterable[str], encoders: Iterable[str]) -> tuple[str, ...]:
    """What an experiment lacks, a line each, what the paper tested on first.

    Args:
        experiment: `table1`, `table2`, `table3` or `fig1`.
        missing: corpora that are not here.
        encoders: that are.
    """
    gender = experiment == "table2"
    wanted = [name for name in missing if not (gender and name in (*ONE_GENDER, "meld"))]
    wanted.sort(key=lambda name: name != "meld")  # what Tables 1 and 3 and Fig. 1 are tested on
    corpora = [CORPORA[name] for name in wanted]
    there = {*encoders}
    models = [one for name, one in ENCODERS.items() if name not in there]
    return tuple(one.line() for one in (*([AIR_BENCH] if gender else []), *corpora, *models))


AIR_BENCH = Obtainable(
    name="AIR-Bench, speech gender recognition",
    what="Table 2's test set, choices of gender by clip",
    where="https://github.com/OFA-Sys/AIR-Bench",
    licence="that of each source; its page has the terms",
)
