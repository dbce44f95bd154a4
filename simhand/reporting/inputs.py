"""What the report is made of: the files of the training stages, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One fine-tuned model."""

    labelled: str
    run: str  # of pre-training, or NO_PRETRAINING
    percent: int
    seed: int
    metrics: Path  # JSON, `simhand.evaluation.evaluate.hand_metrics`
    training: Path  # JSON lines, one an epoch


@dataclass(frozen=True)
class Run:
    """One pre-training run."""

    metrics: Path  # JSON lines, one every few steps
    card: Path  # JSON, `simhand.pretraining.card`
    pairs: Path  # .npz, `simhand.pretraining.pair_sample`


@dataclass(frozen=True)
class ReportInputs:
    """All of it; results and runs are shown in the order in which they stand here."""

    results: Sequence[Result]
    runs: Mapping[str, Run]  # of pre-training, by name
