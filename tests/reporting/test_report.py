"""The whole report."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simhand.errors import TableError
from simhand.reporting.__main__ import main
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import PaperErrors, ReportInputs, Result, Run
from simhand.reporting.page import Section, page
from simhand.reporting.paper_page import write_paper_table
from simhand.reporting.report import write_report
from simhand.reporting.section_file import write_sections
from simhand.reporting.settings import ReportSettings

RECORD = ["Cost of each stage", "Provenance"]
CONDITIONS = "Errors by finger and by how hands are seen"


@pytest.fixture
def inputs(tmp_path: Path, make_result: Callable[..., Result], pretraining: dict[str, Run]) -> ReportInputs:
    results = [make_result("none", 0, 20.0, 0.75), make_result("simhand", 0, 18.0, 0.8)]
    write_sections([Section("Of the data", "1 < 2", [Grid(["<c>"], [["<d>"]])])], tmp_path / "sections.json")
    benchmarks = tmp_path / "benchmarks"
    benchmarks.mkdir()
    (benchmarks / "pretrain.tsv").write_text("s\tmax_rss\tcpu_time\n90.0\t500.0\t80.0\n")
    config = {"report": {"title": "<t>"}}
    return ReportInputs(results, pretraining, tmp_path / "sections.json", benchmarks=benchmarks, config=config)


def test_the_whole_report(tmp_path: Path, inputs: ReportInputs) -> None:
    settings = ReportSettings(title="Hands & <videos>")
    for folder in ("report", "again"):
        write_report(inputs, settings, tmp_path / folder)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("report", "again"))
    assert first == second
    pictures = {
        "conditions.png",
        "joints.png",
        "pretraining.png",
        "pairs_simclr.png",
        "pairs_simhand.png",
        "finetuning.png",
    }
    tables = {"table.csv", "table.md", "runs.csv", "conditions.csv", "joints.csv", "costs.csv"}
    assert set(first) == {"index.html", *tables, *pictures}

    html = first["index.html"].decode()
    assert "<h1>Hands &amp; &lt;videos&gt;</h1>" in html
    assert html.count("data:image/png;base64,") == 6
    headings = [
        "Errors",
        "Errors by joint",
        CONDITIONS,
        "Of the data",
        "Pre-training",
        "Augmented pairs",
        "Fine-tuning",
        *RECORD,
    ]
    assert re.findall("<h2.*?>(.*?)</h2>", html) == headings
    assert '<h2 id="Of-the-data">Of the data</h2><p>1 &lt; 2</p>' in html
    assert "<td>&lt;d&gt;</td>" in html
    chapters = [re.findall("<li>.*?>(.*?)</a>", part) for part in html.split("</nav>")[0].split("<b>")[1:]]
    assert chapters == [headings[:3], headings[3:4], headings[4:7], RECORD]
    assert "<strong>18.00</strong>" in html
    assert "With one seed the interval is of these two models alone" in html
    assert "as FreiHAND, each image counts as one" in html
    assert "http" not in html
    assert "<script" not in html
    assert str(tmp_path) not in html
    with (tmp_path / "report" / "table.csv").open() as file:
        assert [(row["run"], row["mpjpe_mm"]) for row in csv.DictReader(file)] == [
            ("none", "20.0"),
            ("simhand", "18.0"),
        ]
    assert b"without pre-training" in first["table.md"]


def test_a_report_with_the_papers_first_table_and_predicted_hands(
    tmp_path: Path, inputs: ReportInputs, paper: PaperErrors
) -> None:
    (tmp_path / "hands.png").write_bytes(b"png")
    (tmp_path / "report" / "paper").mkdir(parents=True)
    for name in ("table1", "table2", "figure4"):
        (tmp_path / "report" / "paper" / f"{name}.html").touch()
    write_report(
        replace(inputs, paper=paper, hands={"x": tmp_path / "hands.png"}), ReportSettings(), tmp_path / "report"
    )
    html = (tmp_path / "report" / "index.html").read_text()
    headings = re.findall("<h2.*?>(.*?)</h2>", html)
    assert headings[:3] == ["Errors", "Errors by joint", CONDITIONS]
    assert headings[3:5] == ["Table 1: comparison with the state of the art", "Predicted hands"]
    assert "<td class='number'>19.21</td>" in html
    assert 'alt="Predicted hands of the labelled set x"' in html
    others = ", ".join(f'<a href="paper/{name}.html">{name}</a>' for name in ("figure4", "table2"))
    assert f"<p>There when this page was written: {others}</p>" in html


def test_a_report_of_the_papers_table_alone_says_why_no_hands_are_drawn(
    tmp_path: Path, inputs: ReportInputs, paper: PaperErrors
) -> None:
    write_report(replace(inputs, results=[], paper=paper), ReportSettings(), tmp_path)
    assert "those of the models of experiment.runs are drawn" in (tmp_path / "index.html").read_text()


def test_a_report_says_why_the_papers_first_table_is_not_in_it(tmp_path: Path, inputs: ReportInputs) -> None:
    reason = "table1 needs a neighbour that is not mined\n  where:    pools.all"
    write_report(replace(inputs, no_paper=reason), ReportSettings(), tmp_path)
    html = (tmp_path / "index.html").read_text()
    assert "Not made: table1 needs a neighbour that is not mined where: pools.all" in html


def test_a_report_without_pretraining(tmp_path: Path, inputs: ReportInputs) -> None:
    write_report(replace(inputs, runs={}), ReportSettings(), tmp_path / "report")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    tables, pictures = (
        {"table.csv", "table.md", "conditions.csv", "joints.csv", "costs.csv"},
        {"conditions.png", "joints.png"},
    )
    assert names == {"index.html", "finetuning.png"} | tables | pictures
    html = (tmp_path / "report" / "index.html").read_text()
    assert html.count("<img") == 3
    assert "Pre-training" not in html
    assert "title: &lt;t&gt;" in html
    assert "<td>pretrain</td><td class='number'>1</td><td class='number'>2 min</td>" in html


def test_a_report_without_benchmarks(tmp_path: Path, inputs: ReportInputs) -> None:
    (inputs.benchmarks / "pretrain.tsv").unlink()  # type: ignore[operator]
    write_report(inputs, ReportSettings(), tmp_path / "report")
    assert "No job has left a benchmark file." in (tmp_path / "report" / "index.html").read_text()
    assert not (tmp_path / "report" / "costs.csv").exists()


def test_a_report_of_the_data_alone(tmp_path: Path, inputs: ReportInputs) -> None:
    write_report(replace(inputs, results=[], runs={}), ReportSettings(), tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"index.html", "costs.csv"}
    html = (tmp_path / "report" / "index.html").read_text()
    assert re.findall("<h2.*?>(.*?)</h2>", html) == ["Of the data", *RECORD]


def test_damaged_sections_of_the_data_report_are_refused(tmp_path: Path, inputs: ReportInputs) -> None:
    inputs.data.write_text('[{"heading": "half')
    with pytest.raises(TableError, match=r"sections of the data report(.|\n)*sections\.json(.|\n)*made anew"):
        write_report(inputs, ReportSettings(), tmp_path / "report")


def test_a_report_of_pretraining_alone(tmp_path: Path, inputs: ReportInputs) -> None:
    write_report(replace(inputs, results=[]), ReportSettings(), tmp_path / "report")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"runs.csv", "costs.csv", "index.html", "pretraining.png", "pairs_simclr.png", "pairs_simhand.png"}
    html = (tmp_path / "report" / "index.html").read_text()
    assert re.findall("<h2.*?>(.*?)</h2>", html) == ["Of the data", "Pre-training", "Augmented pairs", *RECORD]


def test_a_page_escapes_what_it_shows(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"png")
    section = Section("<h>", "<x>", [Grid(["<c>"], [["<d>"]])], [('"<p>', picture)])
    html = page("<t>", "<l>", [section])
    for name in "tlhxcdp":
        assert f"&lt;{name}&gt;" in html
        assert f"<{name}>" not in html.replace("<p>&lt;", "")  # paragraphs are the page's own
    assert 'alt="&quot;' in html


def test_the_command_prints_the_table_and_where_the_page_is(
    tmp_path: Path, inputs: ReportInputs, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(inputs, ReportSettings(), tmp_path / "report")
    main([str(tmp_path / "report")])
    printed = capsys.readouterr().out
    assert (tmp_path / "report" / "table.md").read_text() in printed
    assert "Table" not in printed
    assert f"{tmp_path / 'report' / 'index.html'}" in printed


def test_the_command_says_where_there_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "no report" in capsys.readouterr().err


def test_the_command_prints_the_papers_tables_that_are_there(
    tmp_path: Path, paper: PaperErrors, capsys: pytest.CaptureFixture[str]
) -> None:
    write_paper_table(paper, tmp_path / "paper")
    main([str(tmp_path)])
    printed = capsys.readouterr().out
    assert (tmp_path / "paper" / "table1.md").read_text() in printed
    assert "index.html" not in printed
    (tmp_path / "paper" / "table1.md").unlink()
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "no report" in capsys.readouterr().err
