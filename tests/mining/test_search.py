"""The search against float64 brute force, ties included."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from simhand.mining import search
from simhand.mining.features import pose_vectors
from simhand.mining.pca import fit_pose_space
from simhand.mining.search import exact_neighbours, squared_distances
from simhand.mining.similarity import random_other_video, root_aligned_distance


@pytest.fixture
def threads() -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    yield
    faiss.omp_set_num_threads(before)


def _brute_force(embeddings: np.ndarray, videos: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Each row against all others, in float64, sorted by (distance, row)."""
    points = embeddings.astype(np.float64)
    rows, squared = [], []
    for row, point in enumerate(points):
        others = np.flatnonzero(videos != videos[row])
        distances = np.zeros(len(others))
        for dimension in range(points.shape[1]):
            distances += (point[dimension] - points[others, dimension]) ** 2
        order = np.argsort(distances, kind="stable")[:k]  # others ascend, so ties go to the smaller row
        rows.append(others[order])
        squared.append(distances[order])
    return np.array(rows), np.array(squared)


def _assert_exact(embeddings: np.ndarray, videos: np.ndarray, k: int) -> None:
    expected_rows, expected_squared = _brute_force(embeddings, videos, k)
    rows, squared = exact_neighbours(embeddings, videos, range(len(embeddings)), k)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(squared, expected_squared)


def test_a_case_by_hand() -> None:
    embeddings = np.float32([[0, 0], [0, 0], [1, 0], [0, 1], [0, 0], [3, 4]])
    videos = np.array([0, 0, 1, 1, 2, 2])
    rows, squared = exact_neighbours(embeddings, videos, range(6), 3)
    np.testing.assert_array_equal(rows[0], [4, 2, 3])  # row 1 is of the same video; 2 and 3 tie
    np.testing.assert_array_equal(squared[0], [0, 1, 1])
    np.testing.assert_array_equal(rows[5], [3, 2, 0])  # (3, 4) is nearer to (0, 1) than to (1, 0); 0 and 1 tie
    np.testing.assert_array_equal(squared[5], [18, 20, 25])


def test_random_vectors() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(1500, 14)).astype(np.float32)
    _assert_exact(embeddings, np.sort(rng.integers(40, size=1500)), 10)


def test_many_exact_duplicates() -> None:
    """120 poses, 1,200 hands: every border is a tie, and only the row decides."""
    rng = np.random.default_rng(1)
    poses = rng.normal(size=(120, 14)).astype(np.float32)
    _assert_exact(poses[rng.integers(120, size=1200)], np.sort(rng.integers(15, size=1200)), 12)


def test_all_hands_alike() -> None:
    _assert_exact(np.full((400, 14), 0.3, np.float32), np.arange(400) // 100, 10)


def test_far_from_the_origin_where_float32_sees_nothing() -> None:
    """|x|^2 - 2xy + |y|^2 cancels completely: float32 cannot rank these, float64 can."""
    rng = np.random.default_rng(2)
    embeddings = (1000 + 1e-3 * rng.normal(size=(500, 14))).astype(np.float32)
    _assert_exact(embeddings, np.arange(500) % 7, 5)


def test_a_query_whose_own_video_fills_the_first_thousands() -> None:
    rng = np.random.default_rng(3)
    own = rng.normal(scale=0.01, size=(3000, 14))
    others = rng.normal(scale=5, size=(40, 14)) + 20
    embeddings = np.concatenate([own, others]).astype(np.float32)
    videos = np.repeat([0, 1], [3000, 40])
    rows, squared = exact_neighbours(embeddings, videos, range(10), 30)
    exact = np.square(embeddings[:10, None].astype(np.float64) - embeddings[None, 3000:]).sum(axis=2)
    np.testing.assert_array_equal(rows, 3000 + exact.argsort(axis=1)[:, :30])
    np.testing.assert_allclose(squared, np.sort(exact, axis=1)[:, :30], rtol=1e-14)


def test_every_other_row_can_be_a_neighbour() -> None:
    rng = np.random.default_rng(4)
    _assert_exact(rng.normal(size=(30, 3)).astype(np.float32), np.arange(30) // 10, 20)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_small_cases(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 40))
    dims = data.draw(st.integers(1, 5))
    values = st.one_of(
        st.sampled_from([0.0, 0.25, 1.0, -3.0, 2.0**-100, 1e4]),
        st.floats(-1e3, 1e3, width=32, allow_nan=False),
    )
    embeddings = data.draw(arrays.arrays(np.float32, (count, dims), elements=values))
    videos = np.array(data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)))
    others = count - np.bincount(videos).max()
    if others > 0:
        _assert_exact(embeddings, videos, data.draw(st.integers(1, others)))


@pytest.mark.usefixtures("threads")
def test_neither_threads_nor_parts_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    embeddings = rng.normal(size=(3000, 14)).astype(np.float32)
    embeddings[1000:2000] = embeddings[:1000]
    videos = np.arange(3000) // 50
    answers = []
    for threads, at_once in ((1, 2**21), (2, 2**21), (2, 5000)):
        faiss.omp_set_num_threads(threads)
        monkeypatch.setattr(search, "_CANDIDATES_AT_ONCE", at_once)
        answers.append(exact_neighbours(embeddings, videos, range(3000), 8))
    for rows, squared in answers[1:]:
        np.testing.assert_array_equal(rows, answers[0][0])
        assert squared.tobytes() == answers[0][1].tobytes()


def test_a_distance_does_not_depend_on_its_company() -> None:
    embeddings = np.random.default_rng(6).normal(size=(300, 14)).astype(np.float32)
    together = squared_distances(embeddings, np.arange(300), np.tile(np.arange(300), (300, 1)))
    alone = squared_distances(embeddings, np.array([17]), np.array([[290]]))
    assert alone[0, 0] == together[17, 290] == together[290, 17]


def test_real_keypoints(shared: Path) -> None:
    """4,787 hands that MediaPipe found, in made-up videos of 60."""
    with (shared / "labelled/mediapipe_keypoints/keypoint.csv").open() as file:
        keypoints = np.array([[float(value) for value in line[1:]] for line in csv.reader(file)]).reshape(-1, 21, 2)
    assert len(keypoints) == 4787
    vectors = pose_vectors(keypoints.astype(np.float32), "crop")
    embeddings = fit_pose_space(vectors, 14, pool="recorded").project(vectors)
    _assert_exact(embeddings, np.arange(4787) // 60, 10)


def _camera_view(joints: np.ndarray) -> np.ndarray:
    """Right hands (n, 21, 3) in a 640 x 480 camera's frame, seen in a square of 1.3 times their box: (n, 21, 2)."""
    pixels = joints[:, :, :2] / joints[:, :, 2:] * 615 + [320, 240]
    low, high = pixels.min(axis=1, keepdims=True), pixels.max(axis=1, keepdims=True)
    side = 1.3 * (high - low).max(axis=2, keepdims=True)
    return (pixels - (low + high) / 2) / side + 0.5


def test_mined_pairs_of_real_poses_are_alike_in_3d(shared: Path) -> None:
    """Every ninth pose of 499 recorded sequences: Top-1 pairs are far more alike than random cross-video pairs."""
    data = np.load(shared / "labelled/dexycb_joints3d.npz")
    joints = data["joints3d"][::9].astype(np.float64)
    joints[data["side"][::9] == "left", :, 0] *= -1
    usable = np.isfinite(joints).all(axis=(1, 2)) & (joints[:, :, 2] > 0.1).all(axis=1)
    joints, videos = joints[usable], np.unique(data["seq"][::9][usable], return_inverse=True)[1]
    vectors = pose_vectors(_camera_view(joints), "crop")
    space = fit_pose_space(vectors, 14, pool="recorded")
    assert space.explained_variance_ratio.sum() > 0.99
    embeddings = space.project(vectors)
    _assert_exact(embeddings, videos, 3)

    rows, _ = exact_neighbours(embeddings, videos, range(len(videos)), 1)
    assert (videos[rows[:, 0]] != videos).all()
    mined = root_aligned_distance(joints, joints[rows[:, 0]]).mean()
    random = root_aligned_distance(joints, joints[random_other_video(videos, seed=0)]).mean()
    assert 0.3 < mined / random < 0.45
