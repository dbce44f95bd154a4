"""The report of a finished run in a real browser, by itself and through `snakemake --report`, without a network."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from simhand.tables_docs import REPORT_FILES
from tests.browser import Page, browser_page
from tests.workflow.checkout import Checkout
from tests.workflow.test_offline import without_network

LOADED = "[...document.images].every((image) => image.complete)"
CHAPTERS = {
    "Results": [
        "Errors",
        "Errors by joint",
        "Errors by finger and by how hands are seen",
        "Table 1",
        "Predicted hands",
    ],
    "Data": [
        "From videos to pairs",
        "Videos that were not read, or only in part",
        "Hands",
        "Pool demo",
        "Pool demo-half",
    ],
    "Training": ["Pre-training", "Augmented pairs", "Fine-tuning"],
    "Record": ["Cost of each stage", "Provenance"],
}
CHAPTERS["Data"] += ["Gallery of similar hands", "Fingerprints of the pools"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def browser(opened: Page) -> Page:
    opened.problems.clear()
    return opened


def check_gallery(browser: Page) -> None:
    """40 hands, each with its 3 similar ones, of which the frames are the videos'."""
    assert re.fullmatch(r"(\d+) of \1 hands, \d+ pairs", browser.evaluate("document.querySelector('output').value"))
    browser.click("[data-entry='0'].query")
    browser.wait_for("[...document.querySelectorAll('dialog img')].every((image) => image.complete)")
    widths = browser.evaluate("[...document.querySelectorAll('dialog img')].map((image) => image.naturalWidth)")
    assert len(widths) == 2
    assert min(widths) >= 384  # as wide as the demo's frames are
    assert browser.evaluate("document.querySelectorAll('dialog rect').length") == 2


@pytest.mark.parametrize("width", [1400, 420])
def test_the_report_is_whole_and_needs_no_network(finished: Checkout, browser: Page, width: int) -> None:
    browser.open(finished.folder / "results/report/index.html", width)
    browser.wait_for(LOADED)
    assert browser.evaluate("[...document.images].filter((image) => !image.naturalWidth).length") == 0
    assert browser.evaluate("document.images.length") > 40
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    chapters = browser.evaluate(
        "[...document.querySelectorAll('nav div')].map((chapter) => [chapter.querySelector('b').innerText,"
        " [...chapter.querySelectorAll('a')].map((link) => link.innerText.split(':')[0])])"
    )
    assert dict(chapters) == CHAPTERS
    links = "[...document.querySelectorAll('nav a')].filter((link) => !document.querySelector(link.hash)).length"
    assert browser.evaluate(links) == 0
    check_gallery(browser)
    assert browser.problems == []


def test_the_report_tells_what_each_stage_cost_and_what_was_configured(finished: Checkout) -> None:
    html = (finished.folder / "results/report/index.html").read_text()
    for rule in ("sample_frames", "detect_hands", "mine_neighbours", "pretrain", "finetune", "evaluate"):
        assert f"<tr><td>{rule}</td>" in html
    digest = json.loads((finished.folder / "results/pretraining/simhand/card.json").read_text())["data"]["digest"]
    assert f"<td>{digest[:16]}</td>" in html
    assert "min_box_px: 0" in html


@pytest.mark.parametrize("name", ["table", "joints", "conditions", "runs", "costs"])
def test_the_documents_have_each_column_of_its_tables(finished: Checkout, name: str) -> None:
    path = f"results/report/{name}.csv"
    with (finished.folder / path).open(newline="") as file:
        columns = next(csv.reader(file))
    assert set(columns) == set(re.findall(r"`(\w+)`", REPORT_FILES[path]))


def test_the_data_report_is_a_page_of_its_own(finished: Checkout, browser: Page) -> None:
    browser.open(finished.folder / "results/report/data/index.html")
    assert browser.evaluate("[...document.querySelectorAll('h2')].map((h) => h.innerText)") == CHAPTERS["Data"]
    check_gallery(browser)
    assert browser.problems == []


def test_snakemakes_own_report_holds_ours(finished: Checkout, browser: Page, tmp_path: Path) -> None:
    made = without_network(finished.folder, "-m", "snakemake", "--report", str(tmp_path / "report.zip"))
    assert made.returncode == 0, made.stdout[-3000:]
    with zipfile.ZipFile(tmp_path / "report.zip") as file:
        file.extractall(tmp_path)
    browser.open(tmp_path / "report" / "report.html")
    menu = "[...document.querySelectorAll('a')].map((link) => link.innerText)"
    browser.wait_for(f"{menu}.includes('Report')")
    assert {"Report", "Data", "Predicted hands", "The paper's tables"} <= set(browser.evaluate(menu))
    browser.evaluate("[...document.querySelectorAll('a')].find((link) => link.innerText == 'Report').click()")
    row = "[...document.querySelectorAll('tr, li')].find((row) => row.innerText.trim() == 'everything on one page')"
    browser.wait_for(f"!!{row}")
    browser.evaluate(f"{row}.querySelector('a').click()")
    source = browser.wait_for("document.querySelector('iframe')?.src")
    warnings = "cdn.tailwindcss.com should not be used in production"  # of Snakemake's own style, which it carries
    assert [problem for problem in browser.problems if warnings not in problem] == []
    browser.problems.clear()
    browser.open(Path(unquote(urlsplit(source).path)))
    check_gallery(browser)
    assert browser.problems == []
