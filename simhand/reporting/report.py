"""Stage 12: the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simhand.files import whole_file
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.figures import run_styles
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import ReportInputs
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
    errors = error_table(inputs.results)
    grid = table_grid(errors)
    _write_csv(errors, folder / "table.csv")
    _write_text(markdown(grid), folder / "table.md")
    sections = [
        Section("Errors", f"{_ERRORS} {mean_pose_note(errors)}", [grid]),
        Section("Training", _TRAINING, pictures=_draw_curves(inputs, folder)),
        Section("Data", _DATA, links=[("The data report", DATA_PAGE)]),
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


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _write_text(text: str, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
