"""The face on a terminal and without one."""

import io
import json

import pytest
from rich.console import Console

from gensr.cli import console
from gensr.cli.console import Bars


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when told to."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    found = Clock()
    monkeypatch.setattr(console, "time", found)
    return found


@pytest.fixture
def terminal(monkeypatch):
    """stdout and stderr as one terminal; what was written to it."""
    screen = io.StringIO()
    drawn = Console(file=screen, force_terminal=True, width=100, highlight=False, emoji=False)
    monkeypatch.setattr(console, "out", drawn)
    monkeypatch.setattr(console, "err", drawn)
    return screen


ROWS = [["clip[red].wav", "1.0"], ["b:cat:.wav", "-"]]


def test_a_table_without_a_terminal_is_plain_columns(capsys):
    console.table("the [bold] title", ["clip", "WA %"], ROWS)
    assert capsys.readouterr().out == (
        "the [bold] title\nclip           WA %\nclip[red].wav   1.0\nb:cat:.wav        -\n"
    )


def test_a_table_without_rows(capsys):
    console.table("title", ["clip", "WA %"], [])
    assert capsys.readouterr().out == "title\nclip  WA %\n"


def test_a_table_on_a_terminal_shows_every_cell_as_it_is(terminal):
    console.table("the [bold] title", ["clip", "WA %"], ROWS)
    shown = terminal.getvalue()
    for text in ("the [bold] title", "clip[red].wav", "b:cat:.wav", "WA %"):
        assert text in shown


def test_lines_are_never_wrapped_or_changed(capsys):
    line = "a:cat:[red] " * 40
    console.print_plain(line)
    console.note(line)
    said = capsys.readouterr()
    assert said.out == said.err == line + "\n"


HOSTILE = "\x1b]0;own\x07[red]\x9b2J\nnext\u202e"
SHOWN = r"\x1b]0;own\x07[red]\x9b2J\nnext\u202e"


def test_what_a_terminal_would_obey_is_shown(capsys):
    console.note(HOSTILE)
    console.print_plain(HOSTILE)
    console.table(HOSTILE, ["clip"], [[HOSTILE]])
    said = capsys.readouterr()
    assert said.err == f"{SHOWN}\n"
    assert said.out.splitlines() == [SHOWN, SHOWN, "clip", SHOWN]


def test_a_drawn_table_and_a_bar_obey_nothing(terminal):
    console.table(HOSTILE, ["clip"], [[HOSTILE]])
    with Bars() as bars:
        bars.stage(HOSTILE, 2)
        bars.advance(2)
    shown = terminal.getvalue()
    assert shown.count(SHOWN) >= 3
    assert "\x07" not in shown
    assert "\u202e" not in shown


def test_json_keeps_its_letters_and_escapes_the_rest(capsys):
    console.print_json({"中立": HOSTILE})
    said = capsys.readouterr().out
    assert "中立" in said
    assert json.loads(said) == {"中立": HOSTILE}
    assert not set(said) & set("\x1b\x9b\u202e")


def test_columns_of_wide_letters_are_straight(capsys):
    console.table("t", ["label", "n"], [["中立", "1"], ["ab", "22"]])
    assert capsys.readouterr().out.splitlines()[2:] == ["中立    1", "ab     22"]


class TestBars:
    def test_short_work_says_nothing(self, clock, capsys):
        with Bars() as bars:
            bars.stage("encode", 3, 30.0)
            bars.advance(3, 30.0)
            clock.now += 1.9
        assert capsys.readouterr() == ("", "")

    def test_long_work_says_how_far_it_is_every_ten_seconds_and_at_the_end(self, clock, capsys):
        with Bars() as bars:
            bars.stage("encode", 40, 4000.0)
            for _ in range(40):
                clock.now += 1
                bars.advance(1, 100.0)
            bars.stage("convert", 40)
            bars.advance(40)
        said = capsys.readouterr()
        assert said.out == ""
        lines = said.err.splitlines()
        assert len(lines) == 4
        assert lines[0].startswith("encode: 11/40, 1.0/s")
        assert lines[0].endswith("about 29 s left")
        assert "100 x real time" in lines[0]
        assert lines[-1].startswith("encode: 40/40 in 40 s, 1.0/s")

    def test_work_that_broke_does_not_claim_an_end(self, clock, capsys):
        def broken():
            with Bars() as bars:
                bars.stage("encode", 40)
                bars.advance(1)
                clock.now += 5
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            broken()
        assert capsys.readouterr().err == ""

    def test_a_terminal_gets_a_bar(self, terminal):
        with Bars() as bars:
            bars.stage("fold 1: learn", 4, 7200.0)
            bars.advance(3, 5400.0)
        shown = terminal.getvalue()
        assert "fold 1: learn" in shown
        assert "3/4" in shown
        assert "real time" in shown
