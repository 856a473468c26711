"""Names as the corpora have them, and names that are those of none."""

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
    "back_angry.wav",
    "٠٣a01Fa.wav",
    "KL/n1٢.wav",
    "test/dia٢_utt0.wav",
)
"""Near what corpora have, and the name of none."""
