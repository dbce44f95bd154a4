"""A labelled set of hands as fine-tuning sees it, whatever layout it was read from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from simhand.errors import LabelledSetError

Split = Literal["training", "evaluation"]


@dataclass(frozen=True)
class LabelledSet:
    """N images of right hands with their joints: wrist, then thumb to little finger, four joints each, base to tip."""

    root: Path
    images: tuple[str, ...]  # N paths below root, unique: what predictions are filed under
    labels: np.ndarray  # int64 (N,): images with the same number show the same hand in the same pose
    joints_mm: np.ndarray  # float64 (N, 21, 3) in the camera's frame
    keypoints_px: np.ndarray  # float64 (N, 21, 2) in the image
    centers_px: np.ndarray  # float64 (N, 2) of the square that is cut out
    sides_px: np.ndarray  # float64 (N,) of that square

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, rows: np.ndarray) -> LabelledSet:
        """The images of these rows, in the order of the rows."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, images=tuple(self.images[row] for row in rows), **arrays)

    def fingerprint(self) -> str:
        """A hash of names and labels: the same for the same set, wherever it lies."""
        digest = hashlib.blake2b("\0".join(self.images).encode(), digest_size=16)
        for name in _ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()


_ARRAYS = ("labels", "joints_mm", "keypoints_px", "centers_px", "sides_px")


def read_image(path: Path) -> Tensor:
    """Decodes an image file as RGB, uint8 (3, H, W).

    Raises:
        LabelledSetError: missing or damaged.
    """
    try:
        data = torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)
        return decode_image(data, ImageReadMode.RGB)
    except (OSError, RuntimeError, ValueError) as error:
        hint = "copy the labelled set anew"
        raise LabelledSetError("cannot read an image of a labelled set", where=path, got=error, hint=hint) from error


def share_of_labels(hands: LabelledSet, percent: int, seed: int) -> LabelledSet:
    """A random part of the labels, with all their images; with one seed a smaller part is within every larger one."""
    labels = np.unique(hands.labels)
    count = max(1, round(len(labels) * percent / 100))
    chosen = np.random.default_rng(seed).permutation(labels)[:count]
    return hands.subset(np.flatnonzero(np.isin(hands.labels, chosen)))


def hand_squares(keypoints_px: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The square around each hand: its centre (N, 2), in whole pixels, and side (N,), in pixels (spec: section 10).

    Args:
        keypoints_px: (N, 21, 2).
        factor: the side, in units of the keypoints' greater extent.
    """
    low, high = keypoints_px.min(axis=1), keypoints_px.max(axis=1)
    return np.trunc((low + high) / 2), factor * (high - low).max(axis=1)


def project(joints: np.ndarray, cameras: np.ndarray) -> np.ndarray:
    """Where joints (N, 21, 3) appear, in pixels (N, 21, 2), to cameras with the matrices (N, 3, 3)."""
    homogeneous = joints @ cameras.transpose(0, 2, 1)
    return homogeneous[..., :2] / homogeneous[..., 2:]
