"""Stage 12: the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simhand.files import whole_file
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.figures import run_styles
from simhand.reporting.funnel import failed_videos, funnel, funnel_grid, missed_hands
from simhand.reporting.grid import Grid, markdown
from simhand.reporting.inputs import ReportInputs
from simhand.reporting.neighbours_sheet import neighbours_sheet
from simhand.reporting.page import Section, page
from simhand.reporting.settings import ReportSettings
from simhand.reporting.table import error_table, mean_pose_note, table_grid

_LEAD = "From videos of hands to a pre-trained encoder and its errors in 3D hand pose."
_ERRORS = (
    "MPJPE: mean distance of a joint from its true place, wrist and length of one bone aligned, as in the paper. "
    "PA-MPJPE: the same after Procrustes alignment. PCK-AUC: area under the curve of correct keypoints from 20 to 50 "
    "mm, in percent. With several seeds, mean ± standard deviation. The best of each group stands out."
)
_TRAINING = "The loss of contrastive pre-training, then loss and error on the labelled training images."
_SIMILAR = (
    "Hands of each pool (framed), of as many videos as there are, with the most similar hands of other videos that "
    "were mined for them, and their distance in the space of poses. Left hands are mirrored; keypoints as found."
)
_FUNNEL = "How many videos, frames and hands came how far."
_ROWS = 200  # of a table on the page; a file beside it holds all


def write_report(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> None:
    """Writes index.html, and beside it what it shows as files of their own: CSV, Markdown, PNG.

    Equal inputs give equal bytes: no dates, no paths.

    Raises:
        TableError: an input is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    errors, counts = error_table(inputs.results), funnel(inputs.shards, inputs.pools)
    failed, missed = failed_videos(inputs.shards), missed_hands(inputs.shards)
    grids = {
        "table": (errors, table_grid(errors)),
        "funnel": (counts, funnel_grid(counts)),
        "failed_videos": (failed, _grid(failed)),
        "missed_hands": (missed, _grid(missed)),
    }
    for name, (table, grid) in grids.items():
        _write_csv(table, folder / f"{name}.csv")
        _write_text(markdown(grid), folder / f"{name}.md")
    curves, sheets = _draw_curves(inputs, folder), _draw_sheets(inputs, settings, folder)
    sections = [
        Section("Errors", f"{_ERRORS} {mean_pose_note(errors)}", [grids["table"][1]]),
        Section("Training", _TRAINING, pictures=curves),
        Section("Similar hands", _SIMILAR, pictures=sheets),
        Section("From videos to hands", _FUNNEL, [grids["funnel"][1]]),
        _losses("Videos that were not read, or only in part", failed, "failed_videos.csv"),
        _losses("Hands without keypoints", missed, "missed_hands.csv"),
    ]
    _write_text(page(settings.title, _LEAD, sections), folder / "index.html")


def _draw_curves(inputs: ReportInputs, folder: Path) -> list[tuple[str, Path]]:
    styles = run_styles([*inputs.runs, *(result.run for result in inputs.results)])
    pictures = [("Curves of fine-tuning", folder / "finetuning.png")]
    finetuning_curves(inputs.results, styles, folder / "finetuning.png")
    if inputs.runs:
        pictures.insert(0, ("Curves of pre-training", folder / "pretraining.png"))
        pretraining_curves(inputs.runs, styles, folder / "pretraining.png")
    return pictures


def _draw_sheets(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> list[tuple[str, Path]]:
    pictures = []
    for pool in inputs.pools:
        path = folder / f"neighbours_{pool.name}.png"
        neighbours_sheet(pool, inputs.crops_folder, settings.queries, settings.seed, path)
        pictures.append((f"Hands of the pool {pool.name} and their mined neighbours", path))
    return pictures


def _losses(heading: str, table: pd.DataFrame, file: str) -> Section:
    if table.empty:
        return Section(heading, "None.")
    more = f"The first {_ROWS:,} of {len(table):,}; {file} has them all." if len(table) > _ROWS else ""
    return Section(heading, more, [_grid(table.head(_ROWS))])


def _grid(table: pd.DataFrame) -> Grid:
    numbers = [column for column, name in enumerate(table) if pd.api.types.is_integer_dtype(table[name])]
    return Grid(list(table.columns), [[str(cell) for cell in row] for row in table.to_numpy()], frozenset(numbers))


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _write_text(text: str, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
