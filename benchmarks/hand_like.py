"""Millions of hand-like keypoints in made-up videos: real 3D poses, replayed before cameras that move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.shared import shared_folder
from simhand.mining.features import pose_vectors
from simhand.mining.pca import fit_pose_space

_NOISE = 0.01  # of a keypoint, in units of the crop
_SHIFT = 0.02  # of the whole hand in its crop


def hand_like_embeddings(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many hands in 14 dimensions, float32 (n, 14), and the number of each one's video, int64 (n,)."""
    keypoints, videos = hand_like_keypoints(count, seed)
    vectors = pose_vectors(keypoints, "crop")
    return fit_pose_space(vectors, 14, pool="benchmark").project(vectors), videos


def hand_like_keypoints(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many hands, float32 (n, 21, 2) in units of the crop, and the number of each one's video, int64 (n,)."""
    data = np.load(shared_folder() / "labelled/dexycb_joints3d.npz")
    joints = data["joints3d"].astype(np.float64)
    joints -= joints[:, :1]
    joints[data["side"] == "left", :, 0] *= -1
    starts = np.flatnonzero(np.diff(np.unique(data["seq"], return_inverse=True)[1], prepend=-1))
    sequences = np.split(joints, starts[1:])
    videos = list(_videos(sequences, count, np.random.default_rng(seed)))
    return np.concatenate(videos), np.repeat(np.arange(len(videos)), [len(video) for video in videos])


def _videos(sequences: list[np.ndarray], count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while count > 0:
        length = min(int(rng.lognormal(3.6, 1.1)) + 1, count)  # 37 hands in the median video, 70 in the mean
        count -= length
        yield _video(sequences[rng.integers(len(sequences))], length, rng)


def _video(sequence: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A stretched sequence before a camera that slowly turns: keypoints in crop units, float32 (length, 21, 2)."""
    at = np.clip(np.linspace(0, len(sequence) - 1, length) + rng.normal(0, 0.3, length), 0, len(sequence) - 1)
    before = at.astype(int)
    weight = (at - before)[:, None, None]
    joints = sequence[before] * (1 - weight) + sequence[np.minimum(before + 1, len(sequence) - 1)] * weight
    joints = joints @ _rotations(length, rng)
    joints[:, :, 2] += rng.uniform(0.35, 1.0)  # metres from the camera
    points = joints[:, :, :2] / joints[:, :, 2:]
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    points = (points - (low + high) / 2) / (1.3 * (high - low).max(axis=2, keepdims=True)) + 0.5
    points += rng.normal(0, _NOISE, points.shape) + rng.normal(0, _SHIFT, (length, 1, 2))
    return points.astype(np.float32)


def _rotations(length: int, rng: np.random.Generator) -> np.ndarray:
    """A random rotation that drifts: (length, 3, 3)."""
    quaternions = rng.normal(size=4) + np.cumsum(rng.normal(0, 0.01, (length, 4)), axis=0)
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)
