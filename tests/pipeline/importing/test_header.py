"""The header of an audformat database is found, is data, and is refused in a line."""

import numpy as np
import pytest

from gensr.features.corpora.errors import CorpusError
from support.databases import EMOTIONS, FILES, database, imported, read, with_vectors

# What the library is warned of by pandas, where the tests use it themselves.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def test_a_pickle_is_not_opened(tmp_path):
    """The library opens it before the CSV beside it, and what a pickle says is run."""
    database().save(str(tmp_path), storage_format="csv")
    trap = b"cos\nmkdir\n(S'" + str(tmp_path / "sprung").encode() + b"'\ntR."
    (tmp_path / "db.emotion.pkl").write_bytes(trap)
    assert len(read(tmp_path)[0]) == 4
    (tmp_path / "db.emotion.csv").unlink()
    with pytest.raises(CorpusError, match=r"no db\.emotion\.csv or \.parquet \(a pickle is not"):
        read(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_header_runs_nothing(tmp_path):
    trap = f"name: !!python/object/apply:os.mkdir ['{tmp_path / 'sprung'}']\ntables: {{}}\n"
    (tmp_path / "db.yaml").write_text(trap)
    with pytest.raises(CorpusError, match=r"db\.yaml: is no plain YAML"):
        read(tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "more",
    [
        "- 1\n",
        "[\n",
        "tables: " + "[" * 200_000,
        "\x00",
        "schemes: 3\n",
        "tables: {a: 3}\n",
        "tables: {a: {columns: {emotion: x}}}\n",
        "tables: {a: {type: filewise, columns: {emotion: {}}}}\n",
        "tables: {emotion: {type: segmented, columns: {emotion: {}}}}\n",
        "tables: {emotion: {type: filewise, columns: {emotion: {scheme_id: s}}}}\n"
        "schemes: {s: {dtype: str, labels: nobody}}\n",
        "tables: {emotion: {type: filewise, columns: {emotion: {scheme_id: s}}}}\n"
        "schemes: {s: {dtype: str, labels: m}}\nmisc_tables: {m: {levels: 3}}\n",
        "tables: {emotion: {type: filewise, columns: {label: {scheme_id: e}, emotion: {}}}}\n"
        "schemes: {e: {}}\n",
    ],
)
def test_what_is_no_header_is_refused_in_a_line(tmp_path, more):
    database().save(str(tmp_path), storage_format="csv")
    (tmp_path / "db.yaml").write_text(f"name: a\n{more}")
    with pytest.raises(CorpusError) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value) or "db.yaml" in str(error.value)


def test_a_manifest_comes_first_and_another_s_header_is_none(tmp_path):
    vectors = tmp_path / "x"
    for file in FILES[:2]:
        (vectors / file).parent.mkdir(parents=True, exist_ok=True)
        np.save(vectors / f"{file}.npy", np.ones(3, dtype=np.float32))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = [f"{file},sad,anna" for file in FILES[:2]]
    (corpus / "labels.csv").write_text("\n".join(["file,emotion,speaker", *rows]) + "\n")
    (corpus / "db.yaml").write_text("host: localhost\n")
    _, table = imported(vectors, tmp_path / "a.zarr", corpus=corpus / "labels.csv")
    assert table["emotion"] == ["sad", "sad"]
    database().save(str(corpus))
    (corpus / "labels.csv").rename(vectors / "manifest.csv")
    _, table = imported(vectors, tmp_path / "b.zarr")
    assert table["emotion"] == ["sad", "sad"]


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    database().save(str(tmp_path / "db"), storage_format="csv")
    header = tmp_path / "db" / "db.yaml"
    header.write_text(header.read_text().replace("  files:", "  ../../files:"))
    (tmp_path / "files.csv").write_text("file,speaker\nwav/a.wav,3\n")
    with pytest.raises(CorpusError, match=r"no db\.\.\./\.\./files\.csv"):
        read(tmp_path / "db")


@pytest.mark.parametrize("how", ["byte order mark", "pointer", "dead link"])
def test_a_header_that_is_no_usual_file_is_read_or_refused(tmp_path, how):
    """Never passed over: a table would be taken in without any label."""
    folder = with_vectors(database(), tmp_path / "db")
    header = folder / "db.yaml"
    text = header.read_bytes()
    header.unlink()
    if how == "byte order mark":
        header.write_bytes(b"\xef\xbb\xbf" + text)
        _, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
        assert table["emotion"] == EMOTIONS
        return
    if how == "pointer":
        header.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    else:
        header.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"db\.yaml: is "):
        imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
