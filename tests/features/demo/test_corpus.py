"""The demo corpus: whole, repeatable, as published, and neither easy nor hopeless."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torchaudio.compliance.kaldi import fbank

from gensr.estimator.errors import ConfigError
from gensr.features.corpora.errors import CorpusError
from gensr.features.demo.corpus import DemoConfig, draw_speaker, write_demo_corpus
from support.trees import tree

Clips = list[tuple[dict[str, str], np.ndarray]]
SMALL = DemoConfig(speakers=2, sentences=1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "corpus"
    assert write_demo_corpus(root) == 504
    return root


@pytest.fixture(scope="module")
def clips(corpus: Path) -> Clips:
    return [
        (row, soundfile.read(corpus / row["file"], dtype="float32")[0]) for row in _rows(corpus)
    ]


@pytest.fixture(scope="module")
def bands(clips: Clips) -> list[np.ndarray]:
    """Log-mel bands (frames, 80) of each clip; in one call per 42 clips, which is ten times
    faster than one per clip. Each clip starts at a frame, and no frame leaves its clip.
    """
    out: list[np.ndarray] = []
    for at in range(0, len(clips), 42):
        samples = [x for _, x in clips[at : at + 42]]
        padded = [np.pad(x, (0, -len(x) % 160 + 480)) for x in samples]
        mel = fbank(torch.from_numpy(np.concatenate(padded))[None], num_mel_bins=80, dither=0.0)
        starts = np.cumsum([0, *(len(x) // 160 for x in padded)])
        counts = [1 + (len(x) - 400) // 160 for x in samples]
        out += [mel.numpy()[a : a + n] for a, n in zip(starts, counts, strict=False)]
    return out


def _rows(root: Path) -> list[dict[str, str]]:
    with (root / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_counts(corpus: Path) -> None:
    rows = _rows(corpus)
    assert list(rows[0])[:6] == ["file", "corpus", "speaker", "gender", "emotion", "sentence"]
    assert len({row["file"] for row in rows}) == 504
    assert Counter(row["emotion"] for row in rows) == dict.fromkeys(
        ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"), 72
    )
    assert set(Counter(row["speaker"] for row in rows).values()) == {42}
    assert len({row["speaker"] for row in rows if row["gender"] == "female"}) == 6
    assert len({row["speaker"] for row in rows}) == 12
    assert len({row["sentence"] for row in rows}) == 6
    assert {row["corpus"] for row in rows} == {"demo"}
    assert sum(1 for _ in corpus.rglob("*.wav")) == 504


def test_every_clip_is_16_khz_16_bit_mono_neither_clipped_nor_silent(
    corpus: Path, clips: Clips
) -> None:
    for row, x in clips:
        info = soundfile.info(corpus / row["file"])
        assert (info.samplerate, info.subtype, info.channels) == (16_000, "PCM_16", 1)
        assert 1.2 <= info.duration <= 2.5
        assert np.abs(x).max() <= 0.951
        assert np.sqrt(np.mean(x**2)) > 10 ** (-50 / 20)
        assert abs(x.mean()) < 0.01


def test_same_bytes_whatever_the_order_and_the_size(corpus: Path, tmp_path: Path) -> None:
    """Clips of a small corpus, and of one begun in the middle, are those of the large one."""
    first, second = tmp_path / "first", tmp_path / "second"
    write_demo_corpus(first, SMALL)
    write_demo_corpus(second, SMALL)
    (second / "f01" / "f01-fear-01.wav").unlink()
    (second / "m01" / "m01-anger-01.wav").unlink()
    (second / "manifest.csv").unlink()
    write_demo_corpus(second, SMALL)
    assert tree(first) == tree(second)
    for path in first.rglob("*.wav"):
        assert path.read_bytes() == (corpus / path.relative_to(first)).read_bytes()


def test_a_second_call_writes_nothing(corpus: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in corpus.rglob("*")}
    seen: list[tuple[int, int]] = []
    assert write_demo_corpus(corpus, progress=lambda *at: seen.append(at)) == 504
    assert {path: path.stat().st_mtime_ns for path in corpus.rglob("*")} == times
    assert seen[0] == (1, 504)
    assert seen[-1] == (504, 504)


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "a", SMALL)
    write_demo_corpus(tmp_path / "b", DemoConfig(speakers=2, sentences=1, seed=1))
    a, b = tree(tmp_path / "a"), tree(tmp_path / "b")
    assert a.keys() == b.keys()
    assert all(a[name] != b[name] for name in a)


def test_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CorpusError, match="expected a new or empty folder"):
        write_demo_corpus(tmp_path, SMALL)
    with pytest.raises(CorpusError, match="expected a new or empty folder"):
        write_demo_corpus(tmp_path / "thesis.txt", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_refuses_a_demo_corpus_of_other_settings(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"'seed': 7.*'seed': 0"):
        write_demo_corpus(corpus, DemoConfig(seed=7))
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(CorpusError, match="not JSON"):
        write_demo_corpus(tmp_path)


@pytest.mark.parametrize("field", ["speakers", "sentences", "seed"])
def test_sizes_have_limits(field: str) -> None:
    for value in (-1, 10**10):
        with pytest.raises(ConfigError, match=field):
            DemoConfig(**{field: value})


def test_speakers_differ(corpus: Path) -> None:
    people = [draw_speaker(0, index) for index in range(12)]
    assert len({person.hz for person in people}) == 12
    women = [person.hz for person in people if person.gender == "female"]
    men = [person.hz for person in people if person.gender == "male"]
    assert np.mean(women) > 1.4 * np.mean(men)


def _pitch(x: np.ndarray) -> float:
    """Median F0 in Hz: the first high peak of the autocorrelation of 40 ms frames."""
    frames = np.lib.stride_tricks.sliding_window_view(x, 640)[::320] * np.hanning(640)
    power = (frames**2).sum(axis=1)
    frames = frames[power > 0.1 * np.percentile(power, 90)]
    lags = np.fft.irfft(np.abs(np.fft.rfft(frames, 2048)) ** 2)[:, :266]
    taper = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(640), 2048)) ** 2)[:266]
    lags = lags / taper * (taper[0] / lags[:, :1])
    voiced = lags[lags[:, 32:].max(axis=1) > 0.5, 32:]  # 60 to 500 Hz
    first = (voiced > 0.9 * voiced.max(axis=1, keepdims=True)).argmax(axis=1)
    return float(np.median(16_000 / (32 + first)))


def test_emotions_sound_as_published(clips: Clips) -> None:
    """Means over speakers and sentences, measured on the samples."""

    def mean(emotion: str, measure) -> float:
        return float(np.mean([measure(x) for row, x in clips if row["emotion"] == emotion]))

    level = {e: mean(e, lambda x: 10 * np.log10(np.mean(x**2))) for e in ("anger", "sadness")}
    assert level["anger"] > level["sadness"] + 6
    seconds = {e: mean(e, len) / 16_000 for e in ("fear", "neutral", "sadness")}
    assert seconds["sadness"] > 1.1 * seconds["neutral"] > 1.1 * seconds["fear"]
    pitch = {
        e: mean(e, lambda x: np.log2(_pitch(x)))
        for e in ("neutral", "fear", "happiness", "surprise", "sadness")
    }
    for emotion in ("fear", "happiness", "surprise"):
        assert pitch[emotion] > pitch["neutral"] + 0.15  # octaves
    assert pitch["sadness"] < pitch["neutral"]


def _accuracy(model: object, x: np.ndarray, clips: Clips, column: str = "emotion") -> float:
    """Over speakers that were not trained on, in four folds."""
    y = np.array([row[column] for row, _ in clips])
    speakers = [row["speaker"] for row, _ in clips]
    pipeline = make_pipeline(StandardScaler(), model)
    return float(np.mean(cross_val_predict(pipeline, x, y, groups=speakers, cv=GroupKFold(4)) == y))


def test_a_linear_probe_is_neither_lost_nor_perfect(clips: Clips, bands: list[np.ndarray]) -> None:
    x = np.stack([np.concatenate([b.mean(axis=0), b.std(axis=0)]) for b in bands])
    linear = LogisticRegression(max_iter=2000, tol=1e-3)
    emotion, gender = _accuracy(linear, x, clips), _accuracy(linear, x, clips, "gender")
    print(f"emotion {emotion:.3f}, gender {gender:.3f}")
    assert 0.45 <= emotion < 0.95
    assert gender >= 0.85


def test_nor_is_a_better_one(clips: Clips, bands: list[np.ndarray]) -> None:
    """Percentiles, deltas and duration besides, and each speaker's mean taken away."""

    def statistics(b: np.ndarray) -> np.ndarray:
        levels = np.percentile(b, [10, 25, 50, 75, 90], axis=0).ravel()
        steps = np.diff(b, axis=0)
        rest = (np.abs(steps).mean(axis=0), steps.std(axis=0), [len(b)])
        return np.concatenate([b.mean(axis=0), b.std(axis=0), levels, *rest])

    x = np.stack([statistics(b) for b in bands])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
    plain = _accuracy(model, x, clips)
    speakers = np.array([row["speaker"] for row, _ in clips])
    for speaker in set(speakers):
        x[speakers == speaker] -= x[speakers == speaker].mean(axis=0)
    centred = _accuracy(model, x, clips)
    print(f"plain {plain:.3f}, centred {centred:.3f}")
    assert 0.55 <= plain < 0.95
    assert centred < 0.95
