"""The whole report."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from simhand.files import write_parquet
from simhand.reporting.__main__ import main
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import Pool, ReportInputs, Result, Shard
from simhand.reporting.page import Section, page
from simhand.reporting.report import write_report
from simhand.reporting.settings import ReportSettings
from simhand.tables import VIDEO_STATUS


@pytest.fixture
def inputs(
    tmp_path: Path, shard: Shard, pool: Pool, make_result: Callable[..., Result], pretraining: dict[str, Path]
) -> ReportInputs:
    results = [make_result("none", 0, 20.0, 0.75), make_result("simhand", 0, 18.0, 0.8)]
    return ReportInputs(results, pretraining, [shard], [pool], tmp_path / "crops")


def test_the_whole_report(tmp_path: Path, inputs: ReportInputs) -> None:
    settings = ReportSettings(title="Hands & <videos>", queries=3)
    for folder in ("report", "again"):
        write_report(inputs, settings, tmp_path / folder)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("report", "again"))
    assert first == second
    tables = {
        f"{name}.{kind}" for name in ("table", "funnel", "failed_videos", "missed_hands") for kind in ("csv", "md")
    }
    assert set(first) == tables | {"index.html", "pretraining.png", "finetuning.png", "neighbours_all.png"}

    html = first["index.html"].decode()
    assert "<h1>Hands &amp; &lt;videos&gt;</h1>" in html
    assert "cut &lt;off&gt;" in html
    assert html.count("data:image/png;base64,") == 3
    assert "<strong>18.00</strong>" in html
    assert "http" not in html
    assert "<script" not in html
    assert str(tmp_path) not in html
    with (tmp_path / "report" / "table.csv").open() as file:
        assert [(row["run"], row["mpjpe_mm"]) for row in csv.DictReader(file)] == [
            ("none", "20.0"),
            ("simhand", "18.0"),
        ]
    assert b"without pre-training" in first["table.md"]


def test_a_report_without_pretraining(tmp_path: Path, inputs: ReportInputs) -> None:
    write_report(replace(inputs, runs={}), ReportSettings(), tmp_path / "report")
    assert not (tmp_path / "report" / "pretraining.png").exists()
    assert (tmp_path / "report" / "index.html").read_text().count("<img") == 2


def test_the_page_shows_the_first_of_many_lost_videos(tmp_path: Path, inputs: ReportInputs, shard: Shard) -> None:
    rows = [{"video_id": f"v{i:04}", "status": "corrupt", "reason": "", "frames": 0} for i in range(1500)]
    write_parquet(pa.Table.from_pylist(rows, VIDEO_STATUS), shard.status, VIDEO_STATUS)
    write_report(inputs, ReportSettings(), tmp_path / "report")
    html = (tmp_path / "report" / "index.html").read_text()
    assert "The first 200 of 1,500; failed_videos.csv has them all." in html
    assert "v0199" in html
    assert "v0200" not in html
    assert "v1499" in (tmp_path / "report" / "failed_videos.csv").read_text()


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
    assert f"{tmp_path / 'report' / 'index.html'}" in printed


def test_the_command_says_where_there_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "no report" in capsys.readouterr().err
