"""Stage 12: the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from simhand.files import whole_file
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.figures import LineStyle, run_styles
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import ReportInputs, Run
from simhand.reporting.page import Section, page
from simhand.reporting.pairs_sheet import pairs_sheet
from simhand.reporting.run_cards import read_card
from simhand.reporting.runs_table import runs_grid, runs_table
from simhand.reporting.settings import ReportSettings
from simhand.reporting.table import error_table, mean_pose_note, table_grid

_LEAD = "From videos of hands to a pre-trained encoder and its errors in 3D hand pose."
_ERRORS = (
    "MPJPE: mean distance of a joint from its true place, wrist and length of one bone aligned, as in the paper. "
    "PA-MPJPE: the same after Procrustes alignment. PCK-AUC: area under the curve of correct keypoints from 20 to 50 "
    "mm, in percent. With several seeds, mean ± standard deviation. The best of each group stands out."
)
_PRETRAINING = (
    "Final loss: the contrastive loss, a mean over the last epoch; beside it the loss of guessing each view's partner "
    "among all other views. Losses cannot be compared between runs of another weighting, temperature or number of "
    "pairs. Waiting: the share of the time in which training waited for crops. The card.json of a run tells the rest."
)
_PAIRS = (
    "The first pairs of each run as it saw them: a random view of a hand, and below it one of its positive. The "
    "keypoints moved along with the views: they must lie on their hands."
)
_POSITIVES = {
    "simclr": "the positive is another view of the same hand",
    "peclr": "the positive is another view of the same hand",
    "tempclr": "the positive is the same hand in a neighbouring frame",
    "simhand": "the positive is a similar hand of another video",
}
_FINETUNING = "Loss and error on the labelled training images."
_DATA = (
    "From videos to pairs of similar hands: counts, losses and their reasons, hands, distances, and sheets of pairs."
)
DATA_PAGE = "data/index.html"  # seen from the report's folder


def write_report(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> None:
    """Writes index.html, and beside it what it shows as files of their own: CSV, Markdown, PNG.

    Equal inputs give equal bytes: no dates, no paths.

    Raises:
        TableError: an input is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    styles = run_styles([*inputs.runs, *(result.run for result in inputs.results)])
    sections = [
        *_error_sections(inputs, folder),
        *_pretraining_sections(inputs, styles, folder),
        *_finetuning_sections(inputs, styles, folder),
        Section("Data", _DATA, links=[("The data report", DATA_PAGE)]),
    ]
    _write_text(page(settings.title, _LEAD, sections), folder / "index.html")


def _error_sections(inputs: ReportInputs, folder: Path) -> list[Section]:
    if not inputs.results:
        return []
    errors = error_table(inputs.results)
    grid = table_grid(errors)
    _write_csv(errors, folder / "table.csv")
    _write_text(markdown(grid), folder / "table.md")
    return [Section("Errors", f"{_ERRORS} {mean_pose_note(errors)}", [grid])]


def _finetuning_sections(inputs: ReportInputs, styles: Mapping[str, LineStyle], folder: Path) -> list[Section]:
    if not inputs.results:
        return []
    finetuning_curves(inputs.results, styles, folder / "finetuning.png")
    return [Section("Fine-tuning", _FINETUNING, pictures=[("Curves of fine-tuning", folder / "finetuning.png")])]


def _pretraining_sections(inputs: ReportInputs, styles: Mapping[str, LineStyle], folder: Path) -> list[Section]:
    if not inputs.runs:
        return []
    table = runs_table(inputs.runs)
    _write_csv(table, folder / "runs.csv")
    pretraining_curves(inputs.runs, styles, folder / "pretraining.png")
    curves = [("Curves of pre-training", folder / "pretraining.png")]
    return [
        Section("Pre-training", _PRETRAINING, [runs_grid(table)], curves),
        Section("Augmented pairs", _PAIRS, pictures=_draw_pairs(inputs.runs, folder)),
    ]


def _draw_pairs(runs: Mapping[str, Run], folder: Path) -> list[tuple[str, Path]]:
    pictures = []
    for name, run in runs.items():
        path = folder / f"pairs_{name}.png"
        pairs_sheet(run.pairs, name, _POSITIVES[read_card(run.card).method], path)
        pictures.append((f"Augmented pairs of the run {name}", path))
    return pictures


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _write_text(text: str, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
