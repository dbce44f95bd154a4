"""What the readers of all layouts share."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.settings import Behaviour
from simhand.joints import MIDDLE_BASE, WRIST

log = logging.getLogger(__name__)

MM = 1000.0  # millimetres in a metre
MIN_SEEN = 10  # joints of a hand that is learnt or judged (spec: section 10)
_NAMES_SHOWN = 3


def usable(seen: np.ndarray) -> np.ndarray:
    """Which hands (N,) show enough of their joints, wrist and middle finger's base among them (spec: section 10).

    Args:
        seen: bool (N, 21).
    """
    return np.asarray(seen[:, WRIST] & seen[:, MIDDLE_BASE] & (seen.sum(axis=1) >= MIN_SEEN))


def inside(points_px: np.ndarray, size_px: np.ndarray) -> np.ndarray:
    """Which points (..., 2) lie in an image of this size (..., 2), width and height: bool (...)."""
    return np.asarray(((points_px >= -0.5) & (points_px < size_px - 0.5)).all(axis=-1))


def mirror_axis(widths_px: np.ndarray | int, behaviour: Behaviour) -> np.ndarray:
    """What a column of pixels and its mirror image add up to, in images of these widths.

    Officially the width itself, one pixel too much (spec: section 10).
    """
    return np.asarray(widths_px) - (0 if behaviour == "official" else 1)


def mirror_joints(joints: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) with those of the flipped hands (N,) mirrored: x becomes -x."""
    return np.where(flipped[:, None, None], joints * [-1, 1, 1], joints)


def mirror_pixels(points_px: np.ndarray, flipped: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Points (N, ..., 2) with those of the flipped hands (N,) mirrored: u becomes axis - u."""
    shape = (-1,) + (1,) * (points_px.ndim - 2)
    mirrored = np.stack([axis.reshape(shape) - points_px[..., 0], points_px[..., 1]], axis=-1)
    return np.where(flipped.reshape(*shape, 1), mirrored, points_px)


def mirror_cameras(cameras: np.ndarray, flipped: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Intrinsics (N, 3, 3) with those of the flipped hands (N,) for the mirrored image: cx becomes axis - cx."""
    cameras = cameras.copy()
    cameras[:, 0, 2] = np.where(flipped, axis - cameras[:, 0, 2], cameras[:, 0, 2])
    return cameras


def listed(folder: Path) -> frozenset[str]:
    """What lies in a folder: nothing, if there is no such folder."""
    try:
        return frozenset(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def require_files(root: Path, paths: Sequence[str], what: str, hint: str) -> None:
    """Checks that files are there; each folder is listed once.

    Args:
        root: of the set.
        paths: below root, with `/`.
        what: the files are, in the plural.
        hint: what to do if some are not there.

    Raises:
        LabelledSetError: tells how many are missing, and the first.
    """
    folders: dict[str, frozenset[str]] = {}
    missing = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = listed(root / folder)
        if name not in folders[folder]:
            missing.append(path)
    if missing:
        raise incomplete(root, what, (len(paths), len(paths) - len(missing)), missing[0], hint)


def incomplete(root: Path, what: str, counts: tuple[int, int], first: str, hint: str) -> LabelledSetError:
    """The error of a set that lacks files; the counts are of those expected and found."""
    expected, found = counts
    text = f"expected {expected:,} {what}, found {found:,}; first missing {first}"
    return LabelledSetError(text, where=root, hint=hint)


def read_json(path: Path, expected: str, hint: str) -> Any:
    """Reads a label file.

    Raises:
        LabelledSetError: missing or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LabelledSetError("cannot read labels", where=path, expected=expected, got=error, hint=hint) from error


def tell_left_out(what: str, names: Sequence[str], reason: str) -> None:
    """Logs what of a set is not used, and why."""
    if names:
        more = ", ..." if len(names) > _NAMES_SHOWN else ""
        log.warning("%s: %s: %s%s", f"{len(names):,} {what}", reason, ", ".join(names[:_NAMES_SHOWN]), more)
