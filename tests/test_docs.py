"""The pages: every command and flag that they show exists, and so does every file they name."""

import re
from pathlib import Path

import pytest
import typer

from gensr.cli.main import app

ROOT = Path(__file__).parent.parent
PAGES = {
    str(page.relative_to(ROOT)): page.read_text()
    for page in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile")),
        *(ROOT / "docs").rglob("*.md"),
    )
}
COMMANDS = vars(typer.main.get_command(app))["commands"]
OTHERS = {  # flags of other programs, by themselves
    *("--nworkers", "--nthreads", "--memory-limit", "--cpus-per-task", "--dependency"),
    *("--spread", "--name", "--gres"),
}
"""Of dask, SLURM and the benchmarks, each shown with its program or explained beside it."""
ROOMS = ("cli", "pipeline", "features", "estimator", "tests", "docs", "benchmarks")


def options(command):
    found = {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return found.union(*map(options, getattr(command, "commands", {}).values()))


def shown(text):
    """(command, flags) of each `gensr COMMAND ...`, up to the end of the line or the code."""
    for name, rest in re.findall(r"(?:gensr|GENSR\)) ([a-z-]+)\b([^`|#\n]*)", text):
        if name in COMMANDS:
            yield name, re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", rest.split("&&")[0])


def test_commands_are_found_where_they_stand():
    found = {name for name, _ in shown(PAGES["README.md"])}
    assert found == set(COMMANDS)
    assert {name for name, _ in shown(PAGES["docs/results/whisper-base.md"])} >= {"train", "eval"}


@pytest.mark.parametrize("page", PAGES)
def test_every_flag_of_a_command_is_its_own(page):
    for name, flags in shown(PAGES[page]):
        assert set(flags) <= options(COMMANDS[name]), name


@pytest.mark.parametrize("page", [page for page in PAGES if "results" not in page])
def test_every_flag_that_stands_alone_is_some_commands(page):
    known = OTHERS.union({"--help", "--version"}, *map(options, COMMANDS.values()))
    alone = re.findall(r"`(--[a-z][a-z0-9-]*)[^`\n]*`", PAGES[page])
    assert set(alone) <= known


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page):
    folder = (ROOT / page).parent
    named = re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w/.-]*)`", PAGES[page])
    linked = re.findall(r"\]\((?!https?:)([^)#\s]+)", PAGES[page])
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [name for name in linked if not (folder / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_module_and_page_that_is_named_in_short_is_somewhere(page):
    parts = [ROOT / room for room in ROOMS]
    there = [f"/{file.relative_to(ROOT)}" for part in parts for file in part.rglob("*.[pm][yd]")]
    short = re.findall(r"`([\w/-]+\.(?:py|md))`", PAGES[page])
    own = {"slurm_cluster.py", "kube_cluster.py", "select.py"}  # which the page makes up
    missing = {name for name in short if not any(one.endswith(f"/{name}") for one in there)}
    assert {name for name in missing - own if not name.startswith("gensr_acme/")} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_that_is_linked_is_there(page):
    for target, heading in re.findall(r"\]\(([\w/.-]*)#([\w-]+)\)", PAGES[page]):
        path = (ROOT / page).parent / target if target else ROOT / page
        titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
        anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
        assert heading in anchors, f"{target}#{heading}"
