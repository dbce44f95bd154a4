"""Stage 12: the report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from simhand.reporting.conditions import condition_figure, condition_table
from simhand.reporting.costs import cost_grid, cost_table
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.figures import LineStyle, run_styles
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import ReportInputs, Run
from simhand.reporting.joints import joint_figure, joint_table
from simhand.reporting.page import Section, folded, page
from simhand.reporting.pairs_sheet import pairs_sheet
from simhand.reporting.paper_page import paper_section
from simhand.reporting.paper_table import paper_errors
from simhand.reporting.provenance import configuration_html, results_provenance, runs_provenance, versions_grid
from simhand.reporting.run_cards import read_card
from simhand.reporting.runs_table import runs_grid, runs_table
from simhand.reporting.section_file import read_sections
from simhand.reporting.settings import ReportSettings
from simhand.reporting.table import error_table, interval_note, mean_pose_note, table_grid
from simhand.reporting.text_files import write_csv, write_text

log = logging.getLogger(__name__)

_LEAD = "From videos of hands to a pre-trained encoder and its errors in 3D hand pose."
_ERRORS = (
    "Each row is a model, or several of other seeds. The best of each group stands out; a negative difference means "
    "that pre-training helped."
)
_MEASURES = (
    "MPJPE: mean distance of a joint from its true place, wrist and length of one bone aligned, as in the paper. "
    "PA-MPJPE: the same after Procrustes alignment. PCK-AUC: area under the curve of correct keypoints from 20 to 50 "
    "mm, in percent. With several seeds, mean ± standard deviation. Against "
    "without: by how much the MPJPE is greater than without pre-training, and the interval that holds the true "
    "difference 95 times in 100, by a bootstrap over recordings and seeds; where it holds 0, no difference is shown. "
    "Of a labelled set that names no recordings, as FreiHAND, each image counts as one, though neighbouring ones are "
    "alike: there the interval is too narrow."
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
_CONDITIONS = (
    "MPJPE, with the largest share of the labels; in brackets how many images. Side: what the camera sees of the hand. "
    "Where the labels do not tell what is hidden, or which camera it is, there is no such panel."
)
_JOINTS = (
    "MPJPE of each joint, with the largest share of the labels, a mean over images and seeds: without pre-training, "
    "with the pre-training that errs least, and the difference. Hands are aligned at the wrist."
)
_HANDS = (
    "The evaluation images on which the best pre-trained model errs most, and least (where none is pre-trained, the "
    "one without); below each hand the mean error of its joints. From the side, the camera is on the left and the true "
    "hand is grey. Left hands are mirrored, as they are used."
)
_NO_HANDS = "None: those of the models of experiment.runs are drawn, and the experiment has no runs or labelled sets."
_FINETUNING = "Loss and error on the labelled training images."
_COSTS = (
    "Time and memory of the jobs, the last time that each ran: of those that had ended when this page was written, "
    "also of earlier configurations whose files are still there. Memory is the resident memory of a job's processes "
    "together; that of GPUs does not count. A job that ends at once has no CPU time and no memory."
)
_NO_COSTS = "No job has left a benchmark file."
_PROVENANCE = (
    "The configuration and the versions are those with which this page was written; what does not change results, as "
    "the number of workers, may have been another one before. Data: a fingerprint of the pool and its pairs. Code: of "
    "the code that trained (simhand why tells what has changed since)."
)
_RESULTS, _DATA, _TRAINING, _RECORD = "Results", "Data", "Training", "Record"  # chapters


def write_report(inputs: ReportInputs, settings: ReportSettings, folder: Path) -> None:
    """Writes index.html, and beside it what it shows as files of their own: CSV, Markdown, PNG.

    Equal inputs give equal bytes, benchmarks and versions of libraries being inputs too: no dates, and no paths but
    those in the configuration.

    Raises:
        TableError: an input is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    styles = run_styles([*inputs.runs, *(result.run for result in inputs.results)])
    chapters = {
        _RESULTS: [
            *_error_sections(inputs, styles, folder),
            *_paper_sections(inputs, folder),
            *_hands_sections(inputs),
        ],
        _DATA: read_sections(inputs.data),
        _TRAINING: [
            *_pretraining_sections(inputs, styles, folder),
            *_finetuning_sections(inputs, styles, folder),
        ],
        _RECORD: [*_cost_sections(inputs, folder), _provenance_section(inputs)],
    }
    sections = [replace(each, chapter=chapter) for chapter, members in chapters.items() for each in members]
    write_text(page(settings.title, _LEAD, sections), folder / "index.html")
    log.info("the report: %s", folder / "index.html")


def _error_sections(inputs: ReportInputs, styles: Mapping[str, LineStyle], folder: Path) -> list[Section]:
    if not inputs.results:
        return []
    errors = error_table(inputs.results)
    grid = table_grid(errors)
    notes = (_MEASURES, interval_note(errors), mean_pose_note(errors))
    write_csv(errors, folder / "table.csv")
    write_text(markdown(grid), folder / "table.md")
    conditions = condition_table(inputs.results)
    write_csv(conditions, folder / "conditions.csv")
    condition_figure(conditions, styles, folder / "conditions.png")
    pictures = [("Errors by finger and by how hands are seen", folder / "conditions.png")]
    joints = joint_table(inputs.results)
    write_csv(joints, folder / "joints.csv")
    joint_figure(joints, folder / "joints.png")
    return [
        Section("Errors", _ERRORS, [grid], note=" ".join(filter(None, notes))),
        Section("Errors by joint", _JOINTS, pictures=[("Errors on a drawn hand", folder / "joints.png")]),
        Section("Errors by finger and by how hands are seen", _CONDITIONS, pictures=pictures),
    ]


def _cost_sections(inputs: ReportInputs, folder: Path) -> list[Section]:
    if inputs.benchmarks is None:
        return []
    table, lost = cost_table(inputs.benchmarks)
    heading = "Cost of each stage"
    if len(table) == 0:
        return [Section(heading, _NO_COSTS)]
    write_csv(table, folder / "costs.csv")
    unread = f" {lost:,} files could not be read." if lost else ""
    return [Section(heading, f"{_COSTS}{unread}", [cost_grid(table)])]


def _provenance_section(inputs: ReportInputs) -> Section:
    grids = [versions_grid()]
    if inputs.runs:
        grids.insert(0, runs_provenance(inputs.runs))
    details = configuration_html(inputs.config)
    if inputs.results:
        details += folded("The fine-tuned models", results_provenance(inputs.results))
    return Section("Provenance", _PROVENANCE, grids, html=details)


def _paper_sections(inputs: ReportInputs, folder: Path) -> list[Section]:
    if inputs.paper is None:
        reason = " ".join(inputs.no_paper.split())
        return [Section("Table 1 of the paper", f"Not made: {reason}")] if reason else []
    section = paper_section(inputs.paper.table, paper_errors(inputs.paper))
    text = f"{section.text} Tables 2 to 5 and Figure 4 are made on request: snakemake table2, ..., figure4."
    made = sorted(path for path in (folder / "paper").glob("*.html") if path.stem != inputs.paper.table.name)
    links = ", ".join(f'<a href="paper/{path.name}">{path.stem}</a>' for path in made)
    return [replace(section, text=text, html=f"<p>There when this page was written: {links}</p>\n" if made else "")]


def _hands_sections(inputs: ReportInputs) -> list[Section]:
    if not inputs.hands:
        return [Section("Predicted hands", _NO_HANDS)] if inputs.paper is not None else []
    pictures = [(f"Predicted hands of the labelled set {name}", path) for name, path in inputs.hands.items()]
    return [Section("Predicted hands", _HANDS, pictures=pictures)]


def _finetuning_sections(inputs: ReportInputs, styles: Mapping[str, LineStyle], folder: Path) -> list[Section]:
    if not inputs.results:
        return []
    finetuning_curves(inputs.results, styles, folder / "finetuning.png")
    return [Section("Fine-tuning", _FINETUNING, pictures=[("Curves of fine-tuning", folder / "finetuning.png")])]


def _pretraining_sections(inputs: ReportInputs, styles: Mapping[str, LineStyle], folder: Path) -> list[Section]:
    if not inputs.runs:
        return []
    table = runs_table(inputs.runs)
    write_csv(table, folder / "runs.csv")
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
