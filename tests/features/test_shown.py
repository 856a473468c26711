"""Names of others reach a terminal, a spreadsheet, a picture and a JSON reader as text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gensr.features.shown import from_cell, in_json, in_picture, to_cell, visible

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("=+-@'\\\\n\t\r\x00\x07\x1b\x7f\x9b\u2028\u202e\u2066\ud800\ufeff$xu0"),
    )
)
OBEYED = [
    *map(chr, range(32)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u2028\u2029\u202d\u202e\u2066\u2069",
]


@given(HOSTILE)
def test_nothing_that_a_terminal_obeys_is_left(text):
    for shown in (visible(text), in_picture(text), to_cell(text)):
        assert not set(shown) & set(OBEYED)
        shown.encode()  # no lone surrogate


@given(HOSTILE)
def test_a_cell_reads_back_as_what_it_was(text):
    assert from_cell(to_cell(text)) == text


@given(HOSTILE)
def test_a_cell_is_no_formula(text):
    cell = to_cell(text)
    if cell[:1] in "=+-@" and cell:
        assert float(cell) == float(text)  # a number is none


@given(st.dictionaries(HOSTILE, HOSTILE))
def test_json_means_what_it_meant(value):
    document = in_json(value)
    assert json.loads(document) == value
    assert not set(document) & set(OBEYED) - {"\n"}


def test_words_of_all_scripts_stay_as_they_are():
    for word in ("Ärger", "中立", "гнев", "می\u200cخواهم", "क्\u200dष", "a b", "S. 1 (m)", "0.5"):
        assert visible(word) == to_cell(word) == word


@given(HOSTILE)
def test_no_dollar_begins_mathematics(text):
    shown = in_picture(text)
    assert shown.count("$") == shown.count(r"\$")
