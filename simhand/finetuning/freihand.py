"""Labelled sets in the layout of FreiHAND (Zimmermann et al., 2019), version 2.

    training/rgb/00000000.jpg ...      training_K.json      training_xyz.json (metres)
    evaluation/rgb/00000000.jpg ...    evaluation_K.json    evaluation_xyz.json

All hands are right ones. FreiHAND has 32,560 labels for training and shows each on four backgrounds: in the order of
the images, all before the green screen (gs), and all with it replaced in three ways (hom, sample, auto); so image i has
the label i modulo 32,560. A set of another size may have one image a label, or four. The 3,960 labels for evaluation
have one each; evaluation_xyz.json came out later, as a separate download. Joints are in the common order already.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import LabelledSet, Split, hand_squares, names_of, project
from simhand.finetuning.reading import MM, incomplete, listed, read_json
from simhand.finetuning.settings import BACKGROUNDS, ReadSettings
from simhand.tables import N_JOINTS

log = logging.getLogger(__name__)

_IN_FULL = 32_560  # labels for training
CROP_FACTOR = 2.0  # spec: section 10
_OFFICIAL_SHARE, _OFFICIAL_SEED = 0.9999999999, 5  # of labels that are trained on; of their choice (spec: section 3)
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
    versions = _versions(root, split, len(joints_m))
    numbers = _chosen(len(joints_m), versions, split, settings, root)
    return _labelled_set(root, split, numbers, joints_m, cameras)


def _labelled_set(
    root: Path, split: Split, numbers: np.ndarray, joints_m: np.ndarray, cameras: np.ndarray
) -> LabelledSet:
    """The set of the images of these numbers, whose labels (n, 21, 3) and cameras (n, 3, 3) repeat."""
    keypoints_px = project(joints_m, cameras)
    centers_px, sides_px = hand_squares(keypoints_px, CROP_FACTOR)
    labels, count = numbers % len(joints_m), len(numbers)
    images = names_of([f"{split}/rgb/{number:08d}.jpg" for number in numbers])
    return LabelledSet(
        root=root,
        names=images,
        images=images,
        flipped=np.zeros(count, dtype=bool),
        labels=labels,
        sequences=labels,
        views=names_of([""] * count),
        joints_mm=(joints_m * MM)[labels],
        seen=np.ones((count, N_JOINTS), dtype=bool),
        keypoints_px=keypoints_px[labels],
        cameras=cameras[labels],
        centers_px=centers_px[labels],
        sides_px=sides_px[labels],
        hidden=np.full(count, np.nan),
    )


def _numbers(root: Path, split: Split, kind: str, shape: tuple[int, int]) -> np.ndarray:
    path, layout = root / f"{split}_{kind}.json", _LAYOUT.format(split)
    try:
        values = np.array(read_json(path, layout, _HINTS[split]), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise LabelledSetError(
            "cannot read labels in FreiHAND's layout", where=path, expected=layout, got=error, hint=_HINTS[split]
        ) from error
    if values.ndim != 3 or len(values) == 0 or values.shape[1:] != shape or not np.isfinite(values).all():
        expected = f"one or more times {shape[0]} x {shape[1]} finite numbers"
        raise LabelledSetError("labels of another shape", where=path, expected=expected, got=values.shape)
    return values


def _versions(root: Path, split: Split, labels: int) -> int:
    """How many images there are of each label: one or four.

    Raises:
        LabelledSetError: some are missing, or there are more.
    """
    found = sorted(name for name in listed(root / split / "rgb") if name.endswith(".jpg"))
    versions = 1 if len(found) <= labels else len(BACKGROUNDS)
    expected = versions * labels
    absent = next((i for i, name in enumerate(found) if name != f"{i:08d}.jpg"), len(found))
    if absent < expected:
        raise incomplete(
            root, f"{split} images", (expected, len(found)), f"{split}/rgb/{absent:08d}.jpg", _HINTS[split]
        )
    if len(found) > expected:
        text = f"expected {labels:,} or {expected:,} {split} images, found {len(found):,}"
        raise LabelledSetError(text, where=root / split / "rgb", hint=_HINTS[split])
    return versions


def _chosen(labels: int, versions: int, split: Split, settings: ReadSettings, root: Path) -> np.ndarray:
    """Numbers of the images that are used, version by version: int64 (n,)."""
    rows = official_labels(labels) if settings.behaviour == "official" and split == "training" else np.arange(labels)
    if versions == 1:
        if split == "training" and labels == _IN_FULL and settings.backgrounds != BACKGROUNDS[:1]:
            log.warning("%s has one of FreiHAND's four versions of each training image", root)
        if split == "training" and settings.backgrounds not in (BACKGROUNDS, BACKGROUNDS[:1]):
            expected, got = f"{len(BACKGROUNDS) * labels:,} training images, on four backgrounds", f"{labels:,}"
            raise LabelledSetError("backgrounds chosen of a set with one", where=root, expected=expected, got=got)
        return rows
    places = [BACKGROUNDS.index(name) for name in BACKGROUNDS if name in settings.backgrounds]
    return np.concatenate([place * labels + rows for place in places])


def official_labels(count: int) -> np.ndarray:
    """The labels that the official code trains on: scikit-learn's random split leaves one out (spec: section 10)."""
    kept = int(_OFFICIAL_SHARE * count)
    order = np.random.RandomState(_OFFICIAL_SEED).permutation(count)  # scikit-learn's
    return np.sort(order[count - kept :])
