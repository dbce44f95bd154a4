"""Stage 12: the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simhand.files import whole_file
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.funnel import failed_videos, funnel, missed_hands
from simhand.reporting.inputs import ReportInputs
from simhand.reporting.markdown import markdown_table
from simhand.reporting.neighbours_sheet import neighbours_sheet
from simhand.reporting.page import Section, page
from simhand.reporting.settings import ReportSettings
from simhand.reporting.table import display_table, error_table, format_table

_ERRORS = (
    "Mean per-joint position error after aligning the wrist and the length of one bone (as the paper reports it), and "
    "after Procrustes alignment, and the area under the curve of correct keypoints from 20 to 50 mm, in percent."
)
_FUNNEL = "How many videos, frames and hands came this far."


def write_report(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> None:
    """Writes index.html, and beside it what it shows as files of their own: CSV, Markdown, PNG.

    Raises:
        TableError: an input is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    errors = error_table(inputs.results)
    _write_csv(errors, folder / "table.csv")
    _write_text(format_table(errors), folder / "table.md")
    counts, failed, missed = (
        funnel(inputs.shards, inputs.pools),
        failed_videos(inputs.shards),
        missed_hands(inputs.shards),
    )
    for name, table in (("funnel", counts), ("failed_videos", failed), ("missed_hands", missed)):
        _write_csv(table, folder / f"{name}.csv")
        _write_text(markdown_table(list(table.columns), table.to_numpy().tolist()), folder / f"{name}.md")
    curves = _draw_curves(inputs, folder)
    sheets = _draw_sheets(inputs, settings, folder)
    sections = [
        Section("Errors", _ERRORS, [display_table(errors)]),
        Section("Training", "Contrastive pre-training, and fine-tuning from each encoder.", curves),
        Section("Similar hands", "Rank and distance in the space of the poses; keypoints as they were found.", sheets),
        Section("From videos to hands", _FUNNEL, [counts]),
        Section("Videos that could not be read", "None." if failed.empty else "", [] if failed.empty else [failed]),
        Section("Hands without keypoints", "None." if missed.empty else "", [] if missed.empty else [missed]),
    ]
    lead = "From videos of hands to a pre-trained encoder and its errors in 3D hand pose."
    _write_text(page(settings.title, lead, sections), folder / "index.html")


def _draw_curves(inputs: ReportInputs, folder: Path) -> list[Path]:
    paths = [folder / "finetuning.png"]
    finetuning_curves(inputs.results, paths[0])
    if inputs.runs:
        paths.insert(0, folder / "pretraining.png")
        pretraining_curves(inputs.runs, paths[0])
    return paths


def _draw_sheets(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> list[Path]:
    paths = []
    for pool in inputs.pools:
        paths.append(folder / f"neighbours_{pool.name}.png")
        neighbours_sheet(pool, inputs.crops_folder, settings.queries, settings.seed, paths[-1])
    return paths


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _write_text(text: str, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text)
