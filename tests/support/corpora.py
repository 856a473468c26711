"""Names as the corpora have them, names that are those of none, and tables of their layout."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

NAMES: dict[str, tuple[str, ...]] = {
    "emodb": ("wav/03a01Fa.wav", "wav/16b10Wb.wav", "wav/08a02La.wav", "wav/11b03Td.wav"),
    "ravdess": (
        "Actor_12/03-01-06-01-02-01-12.wav",
        "Actor_12/03-01-08-02-02-02-12.wav",
        "Actor_01/03-01-01-01-01-01-01.wav",
    ),
    "tess": (
        "OAF_Fear/OAF_back_fear.wav",
        "YAF_neutral/YAF_back_neutral.wav",
        "OAF_Sad/OAF_dog_sad.wav",
    ),
    "savee": ("DC/a01.wav", "KL/su15.wav", "KL/n30.wav", "JE/sa07.wav"),
    "cremad": (
        "AudioWAV/1001_DFA_ANG_XX.wav",
        "AudioWAV/1040_ITH_SAD_HI.wav",
        "AudioWAV/1091_WSI_NEU_XX.wav",
    ),
    "meld": ("test_splits/dia0_utt0.mp4", "test_splits/dia0_utt1.mp4"),
    "iemocap": (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M026.wav",
        "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_M003.wav",
    ),
    "msp_podcast": (
        "Audios/MSP-PODCAST_0001_0008.wav",
        "Audios/MSP-PODCAST_0001_0019.wav",
        "Audios/MSP-PODCAST_1904_0130_0002.wav",
    ),
}
"""A few clips of each corpus, by its adapter's name."""

STRANGERS = (
    "clip.wav",
    ".wav",
    "a01.wav",
    "angry/1.wav",
    "angry/a01.wav",
    "03a01.wav",
    "1001.wav",
    "03-01-06.wav",
    "dia0.wav",
    "Ses06F_impro01_F000.wav",
    "Ses01F_impro01_X000.wav",
    "MSP-PODCAST_01_0001.wav",
    "back_angry.wav",
    "٠٣a01Fa.wav",
    "KL/n1٢.wav",
    "test/dia٢_utt0.wav",
)
"""Near what corpora have, and the name of none."""


def write_evaluation(root: Path, session: int, dialogue: str, turns: Mapping[str, str]) -> None:
    """Lay IEMOCAP's table of a dialogue: a line a turn, each annotator's answer below it."""
    folder = root / f"Session{session}/dialog/EmoEvaluation"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    for number, (turn, emotion) in enumerate(turns.items()):
        lines += [
            f"[{number}.2901 - {number + 1}.2357]\t{dialogue}_{turn}\t{emotion}"
            "\t[2.5000, 2.5000, 2.5000]",
            "C-E2:\tNeutral;\t()",
            "A-E3:\tval 3; act 2; dom  2;\t()",
            "",
        ]
    (folder / f"{dialogue}.txt").write_text("\n".join(lines))


def write_consensus(
    root: Path,
    emotions: Mapping[str, str],
    parts: Mapping[str, str] | None = None,
    speakers: Mapping[str, str] | None = None,
) -> None:
    """Lay MSP-Podcast's table: the class of every path, and its partition, else Train."""
    (root / "Labels").mkdir(parents=True, exist_ok=True)
    lines = ["FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"]
    for path, code in emotions.items():
        name, part = PurePosixPath(path).name, (parts or {}).get(path, "Train")
        who = (speakers or {}).get(path, "Unknown")
        lines.append(f"{name},{code},4.2,4.8,4.6,{who},Female,{part}")
    (root / "Labels/labels_consensus.csv").write_text("\n".join(lines))
