"""Labelled sets in the layout of FreiHAND (Zimmermann et al., 2019), version 2.

    training/rgb/00000000.jpg ...      training_K.json      training_xyz.json (metres)
    evaluation/rgb/00000000.jpg ...    evaluation_K.json    evaluation_xyz.json

There may be several times as many images as labels (FreiHAND has each training hand on four backgrounds): image i has
the label i modulo the number of labels.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import LabelledSet, Split, hand_squares, names_of, project
from simhand.finetuning.settings import ReadSettings
from simhand.tables import N_JOINTS

_CROP_FACTOR = 2.0  # spec: section 10
_MM = 1000.0  # millimetres in a metre
_LAYOUT = "{0}/rgb/00000000.jpg ..., {0}_K.json and {0}_xyz.json"
_HINTS = {
    "training": "give the folder of the unpacked FreiHAND_pub_v2",
    "evaluation": "evaluation_xyz.json is a separate download (FreiHAND_pub_v2_eval): put it beside training_xyz.json",
}


def read_freihand(root: Path, split: Split, settings: ReadSettings) -> LabelledSet:
    """Reads the labels of one split, and checks that its images are there.

    Raises:
        LabelledSetError: a file is missing, has another shape, or the numbers of images and labels do not fit.
    """
    joints_m = _numbers(root, split, "xyz", (N_JOINTS, 3))
    cameras = _numbers(root, split, "K", (3, 3))
    if len(joints_m) != len(cameras):
        where = root / f"{split}_K.json"
        raise LabelledSetError("not one camera a label", where=where, expected=len(joints_m), got=len(cameras))
    if (joints_m[..., 2] <= 0).any():
        row = int((joints_m[..., 2] <= 0).any(axis=1).argmax())
        raise LabelledSetError("a joint lies behind its camera", where=f"{root}/{split}_xyz.json, entry {row}")
    images = _images(root, split, len(joints_m))
    keypoints_px = project(joints_m, cameras)
    centers_px, sides_px = hand_squares(keypoints_px, _CROP_FACTOR)
    labels = np.arange(len(images)) % len(joints_m)
    count = len(images)
    return LabelledSet(
        root=root,
        names=names_of(images),
        images=names_of(images),
        flipped=np.zeros(count, dtype=bool),
        labels=labels,
        sequences=labels,
        views=names_of([""] * count),
        joints_mm=(joints_m * _MM)[labels],
        seen=np.ones((count, N_JOINTS), dtype=bool),
        keypoints_px=keypoints_px[labels],
        cameras=cameras[labels],
        centers_px=centers_px[labels],
        sides_px=sides_px[labels],
        hidden=np.full(count, np.nan),
    )


def _numbers(root: Path, split: Split, kind: str, shape: tuple[int, int]) -> np.ndarray:
    path = root / f"{split}_{kind}.json"
    try:
        values = np.array(json.loads(path.read_text()), dtype=np.float64)
    except (OSError, ValueError, TypeError) as error:
        expected = _LAYOUT.format(split)
        raise LabelledSetError(
            "cannot read labels in FreiHAND's layout", where=path, expected=expected, got=error, hint=_HINTS[split]
        ) from error
    if len(values) == 0 or values.shape[1:] != shape or not np.isfinite(values).all():
        expected = f"one or more times {shape[0]} x {shape[1]} finite numbers"
        raise LabelledSetError("labels of another shape", where=path, expected=expected, got=values.shape)
    return values


def _images(root: Path, split: Split, labels: int) -> tuple[str, ...]:
    folder = root / split / "rgb"
    found = {path.name for path in folder.glob("*.jpg")}
    count = max(len(found), 1)
    expected = [f"{row:08d}.jpg" for row in range(count)]
    missing = next((name for name in expected if name not in found), None)
    if missing is not None or count % labels:
        raise LabelledSetError(
            "images and labels do not fit",
            where=folder,
            expected=f"{labels} images, or a multiple, numbered from 00000000.jpg",
            got=f"{len(found)} images" + (f", {missing} is missing" if missing else ""),
            hint=_HINTS["training"],
        )
    return tuple(f"{split}/rgb/{name}" for name in expected)
