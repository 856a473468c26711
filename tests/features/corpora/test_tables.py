"""Strict tables: every error names the file and the line."""

from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.tables import read_table


def write(tmp_path: Path, name: str, data: bytes) -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", b"a,b\n1, x \n\n2,\n"),
        ("t.csv", b"\xef\xbb\xbfa,b\r\n1,x\r\n\r\n2,\r\n"),
        ("t.CSV", b'"a","b"\n"1","x"\n,\n2,""'),
        ("t.tsv", b"a\tb\n1\tx\n\n2\t\n"),
        ("t.jsonl", b'{"a": 1, "b": "x"}\n\n{"a": "2"}\n'),
        ("t.jsonl", b'\xef\xbb\xbf{"a": 1, "b": "x"}\r\n\r\n{"a": 2, "b": null}\r\n'),
    ],
)
def test_formats_agree(tmp_path: Path, name: str, data: bytes) -> None:
    table = read_table(write(tmp_path, name, data))
    assert table.columns == ("a", "b")
    assert [dict(row.cells) for row in table.rows] == [{"a": "1", "b": "x"}, {"a": "2", "b": ""}]
    assert [row.line for row in table.rows] == ([1, 3] if "jsonl" in name else [2, 4])


def test_lines_are_the_files_own_when_cells_span_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", 'a,b\n"two\nlines",x\n"\u2028",y\n1\n'.encode())
    with pytest.raises(CorpusError, match=r"t.csv, line 5: 1 cells where the header has 2"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells where the header has 2"),
        ("t.csv", b"a,a\n1,2\n", "line 1: two columns are named 'a'"),
        ("t.csv", b"a,b\n1,\xe4\n", "line 2: is not UTF-8"),
        ("t.csv", "a,b\n".encode("utf-16-le"), "line 1: holds a NUL byte"),
        ("t.csv", "a,b\n".encode("utf-16")[:-1], "line 1: is not UTF-16"),
        ("t.csv", b'a,b\n1,2\n"1,2\n', "line 3: cannot be read as a table"),
        ("t.jsonl", b'{"a": 1}\n{"a": \n', "line 2: is not JSON"),
        ("t.jsonl", b'{"a": "\\ud800"}\n', "line 1: is not JSON"),
        ("t.jsonl", b'{"a": 1}\n[1]\n', "line 2: expected an object"),
        ("t.jsonl", b'{"a": [1]}\n', "line 1: 'a' is nested"),
        ("t.jsonl", b'{"a": ' + b"1" * 5000 + b"}\n", "line 1: is not JSON"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        read_table(write(tmp_path, name, data))
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
