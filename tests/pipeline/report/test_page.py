"""The page: everything is in it, nothing in it is markup that somebody else wrote."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from gensr.features.shown import visible
from gensr.pipeline.report.figures.charts import charts_of
from gensr.pipeline.report.page import data_block, render
from support.reported import HOSTILE, a_report, nothing

SECTIONS = {
    *("systems", "confusion", "bars", "groups", "layers", "calibration", "checks", "ways"),
    *("map", "errors", "protocol", "provenance"),
}
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Parsed(HTMLParser):
    """Tags, attributes, ids and text of a page; refuses tags that do not close as they open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.ids, self.text = [], [], [], ""
        self.scripts = []
        self._open = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        self.text += data


def page_of(report):
    return render(report, charts_of(report), "report")


@pytest.fixture(scope="module")
def plain():
    return page_of(a_report())


@pytest.fixture(scope="module")
def hostile():
    return page_of(a_report(HOSTILE))


def test_every_part_has_its_section_and_its_link(plain):
    found = Parsed(plain)
    assert {*found.ids} >= SECTIONS
    links = {value[1:] for tag, name, value in found.attributes if (tag, name) == ("a", "href")}
    assert links == {*SECTIONS, "main"}
    assert len({*found.ids}) == len(found.ids)


@pytest.mark.parametrize("names", ["plain", "hostile"])
def test_the_page_asks_for_nothing(names, request):
    page = request.getfixturevalue(names)
    found = Parsed(page)
    for tag, name, value in found.attributes:
        if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert value.startswith(("#", "data:")), (tag, name, value)
        assert not name.startswith("on"), (tag, name, value)
        assert "url(" not in value or "url(#" in value
    assert not {"iframe", "object", "embed", "form", "base", "img"} & {*found.tags}
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[0]
    assert "url(" not in style
    assert "@import" not in style


def test_names_of_others_are_text(hostile, plain):
    found = Parsed(hostile)
    assert sorted({*found.tags}) == sorted({*Parsed(plain).tags})
    for name in HOSTILE:
        assert visible(name) in found.text
    assert "\u202e" not in hostile
    assert "\x1b" not in hostile
    assert "49" not in [cell.strip() for cell in found.text.split()]  # {{ 7 * 7 }} is no template


def test_only_the_script_of_the_page_may_run(hostile):
    found = Parsed(hostile)
    assert found.tags.count("script") == 2
    data, script = found.scripts
    policy = next(value for _, name, value in found.attributes if "script-src" in value)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert [way["name"] for way in json.loads(data)] == [visible(name) for name in HOSTILE[:3]]


def test_nothing_in_a_block_of_data_ends_it():
    given = {"a": "</script><!--&\u2028\u2029"}
    block = data_block(given)
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == given


def test_what_is_missing_says_why():
    given = a_report(**nothing())
    found = Parsed(page_of(given))
    assert {*found.ids} >= SECTIONS
    assert found.text.count("not here, <b>really</b>") == 8
    assert found.tags.count("script") == 1


def test_leaks_come_before_everything(plain):
    text = Parsed(
        plain[plain.index("<header>") : plain.index("<nav")].replace('<div class="columns">', "")
    ).text
    assert text.index("leak: 3 clips") < text.index("80.0")


def test_the_headline_is_never_alone(plain):
    text = re.sub(r"\s+", " ", Parsed(plain).text)
    head = text[: text.index("Systems")]
    for said in ("80.0 %", "75.0 to 85.0", "majority", "20.0 %", "60 clips", "6 speakers"):
        assert said in head
    assert "speaker-5fold" in head
    assert "0123456789abcdef" in head


def test_a_way_is_drawn_as_it_is(plain):
    report = a_report()
    data = json.loads(Parsed(plain).scripts[0])
    for packed, way in zip(data, report.ways, strict=True):
        assert packed["times"] == pytest.approx(way.times, abs=1e-3)
        for curve, state in zip(packed["states"], way.states, strict=True):
            steps = np.frombuffer(base64.b64decode(curve["bytes"]), np.int8)
            np.testing.assert_allclose(steps / 127 * curve["most"], state, atol=curve["most"] / 200)


def test_figures_wear_the_colours_of_the_page(plain):
    figures = re.findall(r"<svg .*?</svg>", plain, re.DOTALL)
    assert len(figures) >= 11
    for figure in figures:
        assert not re.findall(r"#[0-9a-f]{6}\b", figure.replace('href="#', ""))
        assert "<style" not in figure
    used = {*re.findall(r"var\(--([\w]+)\)", plain)}
    assert used <= {*re.findall(r"--([\w]+):", plain)}


def test_a_page_without_audio_is_small(plain):
    assert len(plain) < 400_000


def test_a_clip_can_be_heard(plain):
    error = a_report().errors[0]
    heard = a_report(errors=(type(error)(**{**_fields(error), "audio": b"RIFF", "silent": ""}),))
    found = Parsed(page_of(heard))
    assert ("audio", "src", "data:audio/wav;base64,UklGRg==") in found.attributes
    assert "no --audio" not in found.text


def _fields(error):
    return {name: getattr(error, name) for name in error.__dataclass_fields__}
