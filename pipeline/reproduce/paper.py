"""What the paper reports: its tables, and by what each row could be measured here.

"When the generative model meets speech emotion recognition" (Gen-SER), ICASSP 2026, section 3. All
accuracies in per cent, as printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HUBERT = "TencentGameMate/chinese-hubert-large"
"""The paper's encoder."""
WAVLM = "microsoft/wavlm-large"
"""The paper says WavLM; which, it does not say. The large one, as its HuBERT is."""
CORPORA = ("emodb", "ravdess", "tess", "savee", "cremad", "meld")
"""Public corpora of the paper's training set; an in-house one was more than half of it."""
ONE_GENDER = ("savee", "tess")
"""Corpora in which one gender alone speaks."""
OURS = "Gen-SER"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A row of one of the paper's tables."""

    name: str
    """As the paper prints it; its own is `OURS`."""
    accuracy: float
    """Per cent, as the paper prints it."""
    encoder: str | None = None
    """What we extract with to measure it; None: its answers are another program's."""
    model: str | None = None
    """What we train to measure it."""
    about: str = ""
    """What its number is of, where that is another question than the table's."""


TABLE1 = (
    System(name="WavLM + CLS", accuracy=50.6, encoder=WAVLM, model="linear"),
    System(name="HuBERT + CLS", accuracy=53.4, encoder=HUBERT, model="linear"),
    System(name="emotion2vec", accuracy=51.9),
    System(name="Qwen-Audio", accuracy=55.7),
    System(name="Qwen2-Audio", accuracy=55.3),
    System(name="OSUM", accuracy=53.4),
    System(
        name="SenseVoice-L",
        accuracy=63.1,
        about="four classes (majority 56.8 %), so not comparable with the other rows",
    ),
    System(name=OURS, accuracy=56.5, encoder=HUBERT, model="gen-ser"),
)
"""Emotion, MELD's official test: 2,610 utterances, seven classes, 48.1 % neutral."""

TABLE2 = (
    System(name="Fbank + CLS", accuracy=86.6, encoder="fbank", model="linear"),
    System(name="WavLM + CLS", accuracy=87.5, encoder=WAVLM, model="linear"),
    System(name="Qwen2-Audio", accuracy=79.3),
    System(name="Qwen-Audio Turbo", accuracy=82.5),
    System(name="Soundwave", accuracy=90.3),
    System(name=OURS, accuracy=90.5, encoder=HUBERT, model="gen-ser"),
)
"""Gender, AIR-Bench; trained on 1,023 hours in-house, which nobody else has."""

TABLE3: Mapping[int, float] = {1: 56.13, 2: 56.17, 4: 56.25, 10: 56.28, 20: 56.44}
"""Accuracy of Gen-SER on MELD's test against N, the number of sampling steps."""
