"""FreiHAND's challenge: the file that it takes in, and the scores that it gives back for joints.

A submission is pred.json: [joints of each evaluation image (21 x 3), vertices of each (778 x 3)], metres in the camera
frame. No mesh is predicted here; the vertices are zeros, as in the challenge's own template, which its script takes (an
empty list makes it stop). So only its scores of keypoints mean something, those of the mesh do not.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from simhand.errors import TableError
from simhand.evaluation.alignment import procrustes
from simhand.evaluation.metrics import joint_errors, mpjpe, pck_auc
from simhand.evaluation.predictions import Predictions, read_predictions
from simhand.files import whole_file
from simhand.tables import N_JOINTS

_log = logging.getLogger(__name__)

N_IMAGES = 3960  # in the public evaluation
N_VERTICES = 778
_MM = 1000.0  # millimetres in a metre
_CM = 100.0  # centimetres in a metre
_ADDED_SIZE_M = 1e-8  # by the script, to what it divides by


def write_submission(predictions_path: Path | str, path: Path | str) -> None:
    """Writes pred.json from simhand.tables.PREDICTIONS; zip it, and it can be submitted.

    Raises:
        TableError: the predictions are not for FreiHAND's evaluation images in their order, or the place of a hand is
            not known.
    """
    predictions = read_predictions(predictions_path)
    _check_images(predictions, predictions_path)
    _check_places(predictions, predictions_path)
    if len(predictions) != N_IMAGES:
        _log.warning("%d images; FreiHAND's challenge takes %d", len(predictions), N_IMAGES)
    joints_m = predictions.absolute_mm.astype(float) / _MM
    vertices = [[[0.0] * 3] * N_VERTICES] * len(predictions)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps([joints_m.round(9).tolist(), vertices], separators=(",", ":")))


def _check_images(predictions: Predictions, path: Path | str) -> None:
    expected = np.array([f"evaluation/rgb/{row:08d}.jpg" for row in range(len(predictions))])
    wrong = predictions.images != expected
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            "not FreiHAND's evaluation images in their order",
            where=f"{path}, row {row}",
            expected=expected[row],
            got=predictions.images[row],
            hint="the challenge takes predictions for a labelled set of format freihand",
        )


def _check_places(predictions: Predictions, path: Path | str) -> None:
    unknown = ~np.isfinite(predictions.absolute_mm).all(axis=(1, 2))  # (N,)
    if unknown.any():
        raise TableError(
            "a hand's place is not known",
            where=f"{path}, {predictions.images[int(unknown.argmax())]}",
            got=f"{unknown.sum():,} such of {len(unknown):,}",
            hint="the model or the labels lack what tells it: fine-tune again",
        )


def score_submission(path: Path | str, labels_path: Path | str) -> dict[str, Any]:
    """Scores pred.json against evaluation_xyz.json, see `freihand_scores`.

    Raises:
        TableError: a file cannot be read, or they are not of as many images.
    """
    true_m = _hands(_json(labels_path), labels_path)
    submission = _json(path)
    if not isinstance(submission, list) or len(submission) != 2:
        raise TableError("no submission to FreiHAND's challenge", where=path, expected="[joints, vertices]")
    predicted_m = _hands(submission[0], path)
    if not len(predicted_m) == len(submission[1]) == len(true_m):
        got = f"joints of {len(predicted_m):,}, vertices of {len(submission[1]):,}"
        raise TableError("not a hand an image", where=path, expected=f"{len(true_m):,} of each", got=got)
    return {"n_images": len(true_m), **freihand_scores(predicted_m, true_m)}


def freihand_scores(predicted_m: np.ndarray, true_m: np.ndarray) -> dict[str, float]:
    """What FreiHAND's script says of joints (N, 21, 3) in metres, by its names.

    Returns:
        xyz_mean3d in centimetres and xyz_auc3d (0 to 5 cm, 100 thresholds), as they lie; xyz_al_mean3d and
        xyz_al_auc3d after Procrustes alignment that may mirror (spec: section 11).
    """
    errors_m = joint_errors(predicted_m, true_m)
    aligned_m = joint_errors(align_as_freihand(predicted_m, true_m), true_m)
    return {
        "xyz_mean3d": _CM * mpjpe(errors_m),
        "xyz_auc3d": pck_auc(errors_m, 0, 0.05, 100),
        "xyz_al_mean3d": _CM * mpjpe(aligned_m),
        "xyz_al_auc3d": pck_auc(aligned_m, 0, 0.05, 100),
    }


def align_as_freihand(predicted_m: np.ndarray, true_m: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) in metres, aligned as FreiHAND's script does to the last digit."""
    return procrustes(predicted_m, true_m, reflections=True, added_size=_ADDED_SIZE_M)(predicted_m)


def _json(path: Path | str) -> Any:
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise TableError("cannot read JSON", where=path, got=error) from error


def _hands(rows: Any, path: Path | str) -> np.ndarray:
    """Joints (N, 21, 3)."""
    try:
        hands = np.array(rows, dtype=float)
    except (ValueError, TypeError) as error:
        raise TableError("not 21 joints a hand", where=path, got=error) from error
    if hands.shape[1:] != (N_JOINTS, 3) or len(hands) == 0 or not np.isfinite(hands).all():
        raise TableError("not 21 joints a hand", where=path, expected="(N, 21, 3) finite numbers", got=hands.shape)
    return hands
