"""The table of predictions as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.errors import TableError
from simhand.evaluation.alignment import align_root_and_bone
from simhand.evaluation.metrics import joint_errors
from simhand.files import keypoints_array, read_parquet
from simhand.joints import JOINTS, MIDDLE_BASE, WRIST
from simhand.tables import N_JOINTS, PREDICTIONS

_AGAIN = "fine-tune again"


@dataclass(frozen=True)
class Predictions:
    """simhand.tables.PREDICTIONS of N hands; joints that are not seen are not judged."""

    names: np.ndarray  # str (N,)
    images: np.ndarray  # str (N,)
    flipped: np.ndarray  # bool (N,), whether the image is mirrored before it is used: a left hand's
    sequences: np.ndarray  # int64 (N,): hands with the same number come from one recording
    views: np.ndarray  # str (N,), empty where unknown
    hidden: np.ndarray  # float32 (N,), NaN where unknown
    seen: np.ndarray  # bool (N, 21)
    predicted_mm: np.ndarray  # float32 (N, 21, 3)
    true_mm: np.ndarray  # float32 (N, 21, 3), NaN where unknown
    mean_mm: np.ndarray  # float32 (N, 21, 3)
    absolute_mm: np.ndarray  # float32 (N, 21, 3), NaN where unknown
    predicted_px: np.ndarray  # float32 (N, 21, 2)
    true_px: np.ndarray  # float32 (N, 21, 2), NaN where unknown

    def __len__(self) -> int:
        return len(self.names)


def read_predictions(path: Path | str) -> Predictions:
    """Reads simhand.tables.PREDICTIONS.

    Raises:
        TableError: missing, damaged or empty; a joint that is judged is not finite; or a hand is judged without wrist
            or middle finger's base, and so has no place or size.
    """
    table = read_parquet(path, PREDICTIONS)
    if len(table) == 0:
        raise TableError("no predictions to judge", where=path, hint=_AGAIN)
    predictions = Predictions(
        names=_texts(table["name"]),
        images=_texts(table["image"]),
        flipped=table["flipped"].to_numpy(),
        sequences=table["sequence"].to_numpy(),
        views=_texts(table["view"]),
        hidden=table["hidden"].to_numpy(),  # a null becomes NaN
        seen=_flags(table["seen"]),
        **{name: keypoints_array(table[name]) for name in ("predicted_mm", "true_mm", "mean_mm", "absolute_mm")},
        **{name: keypoints_array(table[name], 2) for name in ("predicted_px", "true_px")},
    )
    _check(predictions, path)
    return predictions


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.to_pylist(), dtype=np.str_)


def _flags(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.combine_chunks().flatten(), dtype=bool).reshape(-1, N_JOINTS)


def _check(predictions: Predictions, path: Path | str) -> None:
    for joint in (WRIST, MIDDLE_BASE):
        _refuse(~predictions.seen[:, joint], f"a hand is judged without its {JOINTS[joint]}", predictions, path)
    finite = np.isfinite(predictions.predicted_mm + predictions.true_mm).all(axis=2)  # (N, 21)
    _refuse((predictions.seen & ~finite).any(axis=1), "a joint is not finite", predictions, path)


def _refuse(wrong: np.ndarray, what: str, predictions: Predictions, path: Path | str) -> None:
    """Raises for the first row that is wrong, (N,) bool."""
    if wrong.any():
        where = f"{path}, {predictions.names[int(wrong.argmax())]}"
        raise TableError(what, where=where, got=f"{wrong.sum():,} such of {len(wrong):,}", hint=_AGAIN)


def aligned_errors(predictions: Predictions) -> np.ma.MaskedArray:
    """Errors (N, 21) in mm after root and bone are aligned, as the paper measures; masked where a joint is not seen."""
    predicted_mm, true_mm = predictions.predicted_mm.astype(float), predictions.true_mm.astype(float)
    errors = joint_errors(align_root_and_bone(predicted_mm, true_mm), true_mm)
    return np.ma.masked_array(errors, mask=~predictions.seen)
