"""Names of columns: those that pass the check are kept by every layer; others cost no hearing."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.estimator.errors import GensrError
from gensr.features.corpora.clip import Clip
from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.names import MARKS, check_apart, check_names
from gensr.features.store.verify import verify
from gensr.pipeline.extraction.rows import check_clips
from support import synthetic as made
from support.trees import tree

GOOD = (
    "Sr No.",
    "Old_Dialogue_ID",
    "sample rate (Hz)",
    "duration [s]",
    "% voiced",
    "# words",
    "note.partial",
    "\u6ce8\u91ca",
    "\u6ce8\u91ca\uff08\u4e2d\u6587\uff09",
    "\u00e9motion",
    unicodedata.normalize("NFD", "\u00e9tat"),
    "\u0627\u0644\u0639\u0645\u0631",
    "\U0001f600",
    "-",
    MARKS.lstrip("."),
    "a%2Fb",
    "x" * 200,
)
BAD = (
    "",
    " ",
    "note\\path",
    "start/end",
    "a:b",
    "a*",
    "why?",
    "a|b",
    "<x>",
    'say "x"',
    ".",
    "..",
    ".zattrs",
    "__x",
    " x",
    "x ",
    "zarr.json",
    "Zarr.JSON",
    "c",
    "a\0b",
    "a\nb",
    "a\u202eb",
    "a\u00a0b",
    "\ud800",
    "x" * 201,
    "\u6ce8" * 67,
    "row",
    "Path",
    "SECONDS",
)


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_no_layer_need_keep_is_refused(name):
    with pytest.raises(StoreError) as told:
        check_names([name])
    assert "\n" not in str(told.value)
    assert repr(name) in str(told.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Note", "note"),
        ("\u00e9", "e\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("Sr No", "Sr No."),
        ("\u212b", "\u00e5"),
    ],
)
def test_two_names_that_some_disk_takes_for_one(one, other):
    for call in (
        lambda: check_names([one, other]),
        lambda: check_names([other], kept=[one]),
        lambda: check_apart([one], [other]),
    ):
        with pytest.raises(StoreError, match="would be one where case"):
            call()
    check_names([one, other], kept=[one, other])  # of a store that has both


def everywhere(tmp_path, names):
    """Write columns of these names in every way there is; they are read back unchanged."""
    columns = {name: f"of {name}" for name in names}
    wanted = dict.fromkeys(columns)
    for suffix in ("zarr", "h5"):
        out = made.make(tmp_path / f"s.{suffix}", made.clips("ab", **columns), overwrite=True)
        made.make(out, made.clips("cd", **columns))
        there = tmp_path / f"there.{'h5' if suffix == 'zarr' else 'zarr'}"
        convert(out, there, overwrite=True)
        other = made.make(tmp_path / f"o.{suffix}", made.clips("xy"), overwrite=True)
        both = tmp_path / f"both.{suffix}"
        merge([out, other], both, overwrite=True)
        for path in (out, there, both):
            with open_store(path) as store:
                table = store.table
                assert {name: None for name in table if name in columns} == wanted
                for name, text in columns.items():
                    assert table[name].tolist()[:4] == [text] * 4
            assert verify(path).faults == ()
        made.make(out, made.clips("a"), overwrite=True)


def test_names_of_real_corpora_are_kept(tmp_path):
    check_names(GOOD)
    everywhere(tmp_path, GOOD)


@pytest.mark.usefixtures("memory")
def test_names_of_real_corpora_are_kept_at_a_url(tmp_path):
    columns = {name: f"of {name}" for name in GOOD}
    out = made.make("memory://lab/s.zarr", made.clips("ab", **columns))
    assert {name: text[0] for name, text in open_store(out).table.items() if name in columns} == (
        columns
    )


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
def test_any_name_that_passes_is_kept(tmp_path, names):
    """Whatever is drawn: kept by Zarr, HDF5, adding, converting, merging; or refused."""
    passed = []
    for name in names:
        try:
            check_names([*passed, name])
        except StoreError as error:
            assert "\n" not in str(error)  # noqa: PT017  either may be
        else:
            passed.append(name)
    everywhere(tmp_path, passed)


@given(st.text(max_size=30))
def test_a_name_is_kept_or_refused_in_one_line(name):
    try:
        check_names([name])
    except StoreError as error:
        assert "\n" not in str(error)  # noqa: PT017  either may be
    else:
        assert not set(name) & set('/\\<>:"|?*\0\n')
        assert name == name.strip()


@pytest.mark.parametrize("name", ["note\\path", "start/end", "Samples"])
def test_a_name_is_refused_before_anything_is_heard(run, out, corpus, name, monkeypatch):
    """A good store stands, and nothing was decoded."""
    run(out)
    found = tree(out)
    rows = "".join(f"{file.relative_to(corpus)},x,y\n" for file in corpus.rglob("*.wav"))
    (corpus / "manifest.csv").write_text(f"file,emotion,{name}\n{rows}")
    monkeypatch.setattr(
        "gensr.pipeline.extraction.extract._survey", lambda *_: pytest.fail("heard")
    )
    for overwrite in (False, True):
        with pytest.raises(StoreError, match="rename"):
            run(out, overwrite=overwrite)
    assert tree(out) == found
    assert not out.with_name(out.name + ".work").exists()


@pytest.mark.parametrize("text", ["a\0", "\0", "\ud800", "x\udcff"])
def test_a_text_that_no_container_keeps_is_refused(text):
    clip = Clip(path="a.wav", corpus="made", emotion=text)
    with pytest.raises(GensrError, match=r"'a\.wav': emotion (holds a NUL|is no Unicode)"):
        check_clips([clip], ())
    with pytest.raises(GensrError, match="note"):
        check_clips([Clip(path="a.wav", corpus="made", extra={"note": text})], ())
