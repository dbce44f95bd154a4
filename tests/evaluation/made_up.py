"""Made-up predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simhand.files import keypoints_column, write_parquet
from simhand.tables import PREDICTIONS


def some_hands(count: int, seed: int) -> np.ndarray:
    """Random joints (count, 21, 3) in mm, 60 cm from the camera."""
    return np.random.default_rng(seed).normal((0, 0, 600), 40.0, size=(count, 21, 3))


def some_seen(count: int, seed: int, share: float = 0.7) -> np.ndarray:
    """Joints (count, 21) that are seen, the wrist and the middle finger's base among them."""
    seen = np.random.default_rng(seed).random((count, 21)) < share
    seen[:, [0, 9]] = True
    return seen


def write_predictions(path: Path, predicted_mm: np.ndarray, true_mm: np.ndarray, **columns: Any) -> Path:
    """Writes simhand.tables.PREDICTIONS; columns that are not given say: FreiHAND's evaluation, all known and right."""
    count = len(true_mm)
    files = [f"evaluation/rgb/{row:08d}.jpg" for row in range(count)]
    keypoints = true_mm[..., :2] / true_mm[..., 2:] * 500 + 112
    given = {
        "name": files,
        "image": files,
        "flipped": [False] * count,
        "sequence": list(range(count)),
        "view": [""] * count,
        "hidden": [None] * count,
        "seen": np.ones((count, 21), dtype=bool),
        "predicted_mm": predicted_mm,
        "true_mm": true_mm,
        "mean_mm": true_mm,
        "absolute_mm": predicted_mm,
        "predicted_px": keypoints,
        "true_px": keypoints,
    } | columns
    arrays = [_column(given[field.name], field) for field in PREDICTIONS]
    write_parquet(pa.table(arrays, names=PREDICTIONS.names), path, PREDICTIONS)
    return path


def _column(values: Any, field: pa.Field) -> pa.Array:
    if field.name == "seen":
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 21)
    return (
        keypoints_column(values)
        if isinstance(values, np.ndarray) and values.ndim == 3
        else pa.array(values, field.type)
    )
