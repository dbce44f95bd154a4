"""What mining must find, found the slow way; and real keypoints to find it in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simhand.mining.search import exact_neighbours

_NEAR_M = 0.1  # a hand nearer to the camera than that is not placed at all


def brute_force(
    embeddings: np.ndarray, videos: np.ndarray, queries: Sequence[int], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each query against all rows of other videos in float64: the first k by (squared distance, row)."""
    columns = embeddings.T.astype(np.float64)
    rows = np.empty((len(queries), k), np.int64)
    squared = np.empty((len(queries), k))
    for i, query in enumerate(queries):
        distances = np.zeros(len(embeddings))
        for column in columns:
            distances += np.square(column[query] - column)
        distances[videos == videos[query]] = np.inf
        near = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
        rows[i] = near[np.lexsort((near, distances[near]))[:k]]
        squared[i] = distances[rows[i]]
    return rows, squared


def assert_exact(embeddings: np.ndarray, videos: np.ndarray, k: int) -> None:
    """The search's answers for all rows are those of brute force, to the last bit."""
    queries = range(len(embeddings))
    expected_rows, expected_squared = brute_force(embeddings, videos, queries, k)
    rows, squared = exact_neighbours(embeddings, videos, queries, range(1, k + 1), workers=2)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(squared, expected_squared)


def recorded_keypoints(shared: Path) -> np.ndarray:
    """4,787 hands that MediaPipe found, float32 (n, 21, 2)."""
    with (shared / "labelled/mediapipe_keypoints/keypoint.csv").open() as file:
        rows = [[float(value) for value in line[1:]] for line in csv.reader(file)]
    return np.array(rows, np.float32).reshape(-1, 21, 2)


def recorded_poses(shared: Path, *, fitted: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """36,288 real 3D hands as right hands, float64 (n, 21, 3), and the numbers of their 499 sequences.

    4,490 of them, of frames in which no hand was fitted, are one pose with the shapes of a few persons, at the origin:
    hundreds of equal hands in many sequences, all of them ties. They are put before the camera too, or, where only
    `fitted` hands are wanted, left out.
    """
    data = np.load(shared / "labelled/dexycb_joints3d.npz")
    joints = data["joints3d"].astype(np.float64)
    unfitted = (joints[:, :, 2] <= _NEAR_M).any(axis=1)
    joints[unfitted, :, 2] += 0.6
    joints[data["side"] == "left", :, 0] *= -1
    chosen = ~unfitted if fitted else slice(None)
    return joints[chosen], np.unique(data["seq"][chosen], return_inverse=True)[1]


def camera_view(joints: np.ndarray) -> np.ndarray:
    """Hands (n, 21, 3) in a 640 x 480 camera's frame, seen in a square of 1.3 times their box: (n, 21, 2)."""
    pixels = joints[:, :, :2] / joints[:, :, 2:] * 615 + [320, 240]
    low, high = pixels.min(axis=1, keepdims=True), pixels.max(axis=1, keepdims=True)
    side = 1.3 * (high - low).max(axis=2, keepdims=True)
    return (pixels - (low + high) / 2) / side + 0.5
