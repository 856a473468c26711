"""The page in a real browser: it is clicked through at a desk and on a phone, by day and night."""

import re
import shutil

import pytest

from gensr.pipeline.report.figures.charts import charts_of
from gensr.pipeline.report.page import render
from support.reported import HOSTILE, PLAIN, a_report, nothing

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
DESK, PHONE = (1280, 900), (390, 844)
SECTIONS = (
    *("systems", "confusion", "bars", "groups", "layers", "calibration", "checks", "ways"),
    *("map", "errors", "protocol", "provenance"),
)


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files of three pages: of plain names, of hostile ones, and one where all that can lacks."""
    folder = tmp_path_factory.mktemp("pages")
    given = {
        "plain": a_report(),
        "hostile": a_report(HOSTILE),
        "nothing": a_report(**nothing()),
    }
    for name, report in given.items():
        (folder / f"{name}.html").write_text(
            render(report, charts_of(report), "report"), encoding="utf-8"
        )
    return folder


@pytest.fixture
def opened(browser, pages):
    """opened(name, size, scheme) -> a page; at the end it must have been silent, and alone."""
    heard, contexts = [], []

    def run(name="plain", size=DESK, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: heard.append(f"console: {line.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: heard.append(f"request: {request.url}"))
        url = (pages / f"{name}.html").as_uri()
        page.goto(url)
        heard.remove(f"request: {url}")
        return page

    yield run
    for context in contexts:
        context.close()
    assert [line for line in heard if not line.startswith("request: data:")] == []


def looks(page):
    """What is seen of the page: sizes, and whatever sticks out of it."""
    return page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          const inScroll = (node) => node.closest(".scroll, .skip, thead");
          const out = [...document.body.querySelectorAll("*")]
            .filter((node) => !inScroll(node) && node.getBoundingClientRect().right > width + 1)
            .map((node) => node.tagName + "." + (node.className.baseVal ?? node.className));
          return {width, whole: document.documentElement.scrollWidth, out};
        }"""
    )


@pytest.mark.parametrize("name", ["plain", "hostile", "nothing"])
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_every_section_is_seen_and_nothing_sticks_out(opened, name, size, scheme):
    page = opened(name, size, scheme)
    for section in SECTIONS:
        assert page.locator(f"section#{section} h2").is_visible(), section
    seen = looks(page)
    assert seen["whole"] == seen["width"] == size[0]
    assert seen["out"] == []
    assert page.locator("#alerts").count() == (name != "nothing")


def test_night_is_dark_and_text_is_read_by_day_and_night(opened):
    for scheme in ("light", "dark"):
        page = opened("plain", PHONE, scheme)
        paper = shade(page, "body", "background-color")
        assert (paper < 0.1) == (scheme == "dark")
        for what in ("h1", ".score .value", ".eyebrow", "nav a", "figcaption p", ".alerts p", "dt"):
            behind = ".alerts" if what == ".alerts p" else "body"
            assert contrast(page, what, behind) >= 4.5, (scheme, what)


def luminance(colour):
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def shade(page, selector, what):
    node = page.locator(selector).first
    return luminance(node.evaluate("(node, what) => getComputedStyle(node)[what]", what))


def contrast(page, selector, behind):
    """WCAG's ratio of a text and what is behind it."""
    one, two = shade(page, selector, "color"), shade(page, behind, "background-color")
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


def test_figures_wear_the_scheme(opened):
    fills = set()
    for scheme in ("light", "dark"):
        page = opened("plain", DESK, scheme)
        text = page.locator("#fig-by-class svg text").first
        fills.add(text.evaluate("node => getComputedStyle(node).fill"))
    assert len(fills) == 2


def test_text_in_figures_can_be_read_on_a_phone(opened):
    page = opened("plain", PHONE)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("figure svg text")]
          .filter((text) => text.getBoundingClientRect().height)
          .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert len(sizes) > 50
    assert min(abs(size) for size in sizes if size) >= 8


def test_the_slider_moves_the_curve(opened):
    page = opened()
    slider, curve = page.locator("#way-t"), page.locator("#way-plot .state")
    first, said = curve.get_attribute("d"), page.locator("#way-said").inner_text()
    assert said.startswith("t = 1.00")
    slider.focus()
    page.keyboard.press("ArrowRight")
    second = curve.get_attribute("d")
    assert second != first
    page.keyboard.press("End")
    assert page.locator("#way-said").inner_text() == "t = 0.03, cosine with the code 1.00"
    assert slider.get_attribute("aria-valuetext") == "t = 0.03, cosine with the code 1.00"
    code = page.locator("#way-plot .code").get_attribute("d")
    assert points(curve.get_attribute("d")) == pytest.approx(points(code), abs=1.0)


def points(path):
    return [float(pair.split(" ")[1]) for pair in path.removeprefix("M").split("L")]


def test_another_class_has_another_name_and_play_comes_to_the_end(opened):
    page = opened("plain", PHONE)
    page.select_option("#way-class", label=PLAIN[2])
    assert PLAIN[2] in page.locator("#way-plot").get_attribute("aria-label")
    page.click("#way-play")
    expect(page.locator("#way-said")).to_have_text("t = 0.03, cosine with the code 1.00")
    assert page.locator("#way-play").inner_text() == "Play"


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_cell_of_the_matrix_says_what_it_holds(opened, size):
    page = opened(size=size, has_touch=size == PHONE)
    cells, readout = page.locator(".matrix td[data-says]"), page.locator("#confusion-readout")
    counts = a_report().confusion.counts
    if size == PHONE:
        cells.nth(1).tap()
    else:
        cells.nth(1).hover()
    count, of = counts[0, 1], counts[0].sum()
    wanted = f"anger taken for boredom: {count:.0f} of {of:.0f} clips ({100 * count / of:.1f} %)"
    assert readout.inner_text() == wanted
    cells.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("boredom answered right: ")


def test_the_matrix_shows_shares_or_clips(opened):
    page = opened()
    cell = page.locator(".matrix td[data-says]").first
    counts = a_report().confusion.counts
    assert cell.inner_text() == f"{100 * counts[0, 0] / counts[0].sum():.0f}"
    page.locator(".toggle label", has_text="clips").click()
    assert cell.inner_text() == f"{counts[0, 0]:.0f}"


def test_numbers_unfold(opened):
    page = opened()
    figure = page.locator("#fig-by-class")
    assert not figure.locator("table").is_visible()
    figure.locator("summary").click()
    assert figure.locator("tbody tr").count() == len(PLAIN)
    assert figure.locator("tbody tr").first.inner_text().split() == [
        "anger",
        "50.0",
        "%",
        "45.0",
        "%",
        "55.0",
        "%",
        "20",
    ]


def test_links_lead_to_their_sections(opened):
    page = opened("plain", PHONE)
    page.locator("nav a", has_text="Provenance").click()
    expect(page.locator("#provenance")).to_be_in_viewport()


def test_without_scripts_the_still_figure_stands_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#fig-trajectory svg").is_visible()
    assert not page.locator("#way-t").is_visible()
    page.locator(".toggle label", has_text="clips").click()
    assert page.locator(".matrix .clips").first.is_visible()


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_it_prints(opened, name, tmp_path):
    page = opened(name, scheme="dark")
    pdf = page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 20
    page.emulate_media(media="print")
    assert shade(page, "h1", "color") < 0.1  # ink on paper, whatever the screen wears
    assert not page.locator("nav").is_visible()
    assert page.locator(".score .value").is_visible()
