"""A labelled set of hands as fine-tuning sees it, whatever layout it was read from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from simhand.errors import LabelledSetError
from simhand.joints import MIDDLE_BASE, WRIST

Split = Literal["training", "evaluation"]


@dataclass(frozen=True)
class LabelledSet:
    """N right hands in images, with their joints (`simhand.joints`); a left hand is one in the mirrored image.

    Pixels are those of the image as it is used, mirrored where `flipped`; the centre of its first pixel is (0, 0) to
    `cameras`, which project joints_mm onto keypoints_px. A joint whose place is not known is NaN in both.
    """

    root: Path
    names: np.ndarray  # str (N,), unique: what predictions are filed under
    images: np.ndarray  # str (N,), paths below root
    flipped: np.ndarray  # bool (N,), whether the image is mirrored to show a right hand
    labels: np.ndarray  # int64 (N,): hands with the same number are the same hand in the same pose
    sequences: np.ndarray  # int64 (N,): hands with the same number come from one recording
    views: np.ndarray  # str (N,), the name of the camera; empty where the set tells none
    joints_mm: np.ndarray  # float64 (N, 21, 3) in the camera's frame
    seen: np.ndarray  # bool (N, 21), joints that are learnt and judged: known, and inside the image
    keypoints_px: np.ndarray  # float64 (N, 21, 2) in the image
    cameras: np.ndarray  # float64 (N, 3, 3) intrinsics
    centers_px: np.ndarray  # float64 (N, 2) of the square that is cut out
    sides_px: np.ndarray  # float64 (N,) of that square
    hidden: np.ndarray  # float64 (N,), share of the joints that something hides; NaN where the labels do not tell

    def __post_init__(self) -> None:
        needed = self.seen[:, [WRIST, MIDDLE_BASE]].all(axis=1)  # (N,)
        if not needed.all():  # a reader leaves such hands out: they have no unit of length
            name = self.names[int(needed.argmin())]
            raise LabelledSetError("a hand without wrist or middle finger", where=f"{self.root}, {name}")
        known = np.isfinite(self.joints_mm).all(axis=2) & np.isfinite(self.keypoints_px).all(axis=2)
        lacking = (self.seen & ~known).any(axis=1)  # (N,)
        if lacking.any():
            name = self.names[int(lacking.argmax())]
            raise LabelledSetError("a joint counts as seen and is not a finite number", where=f"{self.root}, {name}")

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, rows: np.ndarray) -> LabelledSet:
        """The hands of these rows, in the order of the rows."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def fingerprint(self) -> str:
        """A hash of names and labels: the same for the same set, wherever it lies."""
        digest = hashlib.blake2b(digest_size=16)
        for name in _ARRAYS:
            values = getattr(self, name)
            text = values.dtype.kind == "U"
            digest.update("\0".join(values).encode() if text else np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


_ARRAYS = tuple(field.name for field in fields(LabelledSet) if field.name != "root")


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


def share_of_labels(hands: LabelledSet, percent: int, seed: int, *, first: bool = False) -> LabelledSet:
    """A random part of the labels, with all their images; with one seed a smaller part is within every larger one.

    Args:
        hands: a labelled set.
        percent: of its labels.
        seed: of the choice.
        first: the first so many hands instead, as the official code takes them (spec: section 10).
    """
    if first:
        return hands.subset(np.arange(max(1, len(hands) * percent // 100)))
    labels = np.unique(hands.labels)
    count = max(1, round(len(labels) * percent / 100))
    chosen = np.random.default_rng(seed).permutation(labels)[:count]
    return hands.subset(np.flatnonzero(np.isin(hands.labels, chosen)))


def hand_squares(
    keypoints_px: np.ndarray, factor: float, seen: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The square around each hand: its centre (N, 2), in whole pixels, and side (N,), in pixels (spec: section 10).

    Args:
        keypoints_px: (N, 21, 2).
        factor: the side, in units of the keypoints' greater extent.
        seen: (N, 21) bool, which of them count; None: all.
    """
    if seen is not None:
        keypoints_px = np.where(seen[..., None], keypoints_px, np.nan)
    low, high = np.nanmin(keypoints_px, axis=1), np.nanmax(keypoints_px, axis=1)
    return np.trunc((low + high) / 2), factor * (high - low).max(axis=1)


def project(joints: np.ndarray, cameras: np.ndarray) -> np.ndarray:
    """Where joints (N, 21, 3) appear, in pixels (N, 21, 2), to cameras with the matrices (N, 3, 3)."""
    homogeneous = joints @ cameras.transpose(0, 2, 1)
    return homogeneous[..., :2] / homogeneous[..., 2:]


def names_of(texts: Sequence[str]) -> np.ndarray:
    """Texts as a column of a labelled set."""
    return np.array(texts, dtype=np.str_)
