"""The search against float64 brute force, ties included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from simhand.mining import search
from simhand.mining.features import pose_vectors
from simhand.mining.pca import fit_pose_space
from simhand.mining.search import exact_neighbours
from simhand.mining.similarity import random_other_video, root_aligned_distance
from tests.mining.brute_force import assert_exact, brute_force, camera_view, recorded_keypoints, recorded_poses


def test_a_case_by_hand() -> None:
    embeddings = np.float32([[0, 0], [0, 0], [1, 0], [0, 1], [0, 0], [3, 4]])
    videos = np.array([0, 0, 1, 1, 2, 2])
    rows, squared = exact_neighbours(embeddings, videos, range(6), [1, 2, 3])
    np.testing.assert_array_equal(rows[0], [4, 2, 3])  # row 1 is of the same video; 2 and 3 tie
    np.testing.assert_array_equal(squared[0], [0, 1, 1])
    np.testing.assert_array_equal(rows[5], [3, 2, 0])  # (3, 4) is nearer to (0, 1) than to (1, 0); 0 and 1 tie
    np.testing.assert_array_equal(squared[5], [18, 20, 25])


def test_random_vectors() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(1500, 14)).astype(np.float32)
    assert_exact(embeddings, np.sort(rng.integers(40, size=1500)), 10)


def test_many_exact_duplicates() -> None:
    """120 poses, 1,200 hands: every border is a tie, and only the row decides."""
    rng = np.random.default_rng(1)
    poses = rng.normal(size=(120, 14)).astype(np.float32)
    assert_exact(poses[rng.integers(120, size=1200)], np.sort(rng.integers(15, size=1200)), 12)


def test_all_hands_alike() -> None:
    assert_exact(np.full((400, 14), 0.3, np.float32), np.arange(400) // 100, 10)


def test_far_from_the_origin_where_float32_sees_nothing() -> None:
    """|x|^2 - 2xy + |y|^2 cancels completely: float32 cannot rank these, float64 can."""
    rng = np.random.default_rng(2)
    embeddings = (1000 + 1e-3 * rng.normal(size=(500, 14))).astype(np.float32)
    assert_exact(embeddings, np.arange(500) % 7, 5)


def test_a_query_whose_own_video_fills_the_first_thousands() -> None:
    rng = np.random.default_rng(3)
    own = rng.normal(scale=0.01, size=(3000, 14))
    others = rng.normal(scale=5, size=(40, 14)) + 20
    embeddings = np.concatenate([own, others]).astype(np.float32)
    videos = np.repeat([0, 1], [3000, 40])
    rows, squared = exact_neighbours(embeddings, videos, range(10), range(1, 31))
    exact = np.square(embeddings[:10, None].astype(np.float64) - embeddings[None, 3000:]).sum(axis=2)
    np.testing.assert_array_equal(rows, 3000 + exact.argsort(axis=1)[:, :30])
    np.testing.assert_allclose(squared, np.sort(exact, axis=1)[:, :30], rtol=1e-14)


def test_every_other_row_can_be_a_neighbour() -> None:
    rng = np.random.default_rng(4)
    assert_exact(rng.normal(size=(30, 3)).astype(np.float32), np.arange(30) // 10, 20)


@given(data=st.data())
@settings(max_examples=60)
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
        assert_exact(embeddings, videos, data.draw(st.integers(1, others)))


def test_neither_threads_nor_parts_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    embeddings = rng.normal(size=(3000, 14)).astype(np.float32)
    embeddings[1000:2000] = embeddings[:1000]
    videos = np.arange(3000) // 50
    answers = []
    for workers, at_once in ((1, 2**20), (2, 2**20), (3, 5000)):
        monkeypatch.setattr(search, "_AT_ONCE", at_once)
        answers.append(exact_neighbours(embeddings, videos, range(3000), range(1, 9), workers))
    for rows, squared in answers[1:]:
        np.testing.assert_array_equal(rows, answers[0][0])
        assert squared.tobytes() == answers[0][1].tobytes()


def test_single_ranks_are_those_of_the_whole_answer() -> None:
    rng = np.random.default_rng(6)
    embeddings = rng.normal(size=(900, 14)).astype(np.float32)
    videos = np.arange(900) // 30
    all_rows, all_squared = brute_force(embeddings, videos, range(200, 300), 800)
    rows, squared = exact_neighbours(embeddings, videos, range(200, 300), [1, 2, 50, 800])
    np.testing.assert_array_equal(rows, all_rows[:, [0, 1, 49, 799]])
    np.testing.assert_array_equal(squared, all_squared[:, [0, 1, 49, 799]])


def test_a_rank_that_some_row_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="rank 4"):
        exact_neighbours(np.ones((5, 3), np.float32), np.array([0, 0, 1, 2, 3]), range(5), [4])


def test_no_query_no_answer() -> None:
    rows, squared = exact_neighbours(np.ones((5, 3), np.float32), np.arange(5), range(2, 2), [1, 3])
    assert rows.shape == squared.shape == (0, 2)


def embedded(keypoints: np.ndarray) -> np.ndarray:
    vectors = pose_vectors(keypoints, "crop")
    return fit_pose_space(vectors, 14, pool="recorded").project(vectors)


def test_real_keypoints(shared: Path) -> None:
    """4,787 hands that MediaPipe found, in made-up videos of 60."""
    keypoints = recorded_keypoints(shared)
    assert len(keypoints) == 4787
    assert_exact(embedded(keypoints), np.arange(4787) // 60, 10)


@pytest.mark.real
def test_all_real_keypoints_and_poses(shared: Path) -> None:
    """The same hands and 36,288 real poses seen by a camera, in 499 sequences: every answer is brute force's."""
    joints, sequences = recorded_poses(shared)
    found = recorded_keypoints(shared)
    embeddings = embedded(np.concatenate([camera_view(joints), found]))
    videos = np.concatenate([sequences, sequences.max() + 1 + np.arange(len(found)) // 60])
    assert len(embeddings) == 41075
    assert_exact(embeddings, videos, 10)
    print(f"\nevery Top-10 of {len(embeddings)} real hands is that of brute force in float64")
    queries, ranks = range(7, len(embeddings), 4001), [1, 1000, 4999, 5000]
    expected_rows, expected_squared = brute_force(embeddings, videos, queries, ranks[-1])
    columns = np.array(ranks) - 1
    for i, query in enumerate(queries):
        rows, squared = exact_neighbours(embeddings, videos, range(query, query + 1), ranks)
        np.testing.assert_array_equal(rows[0], expected_rows[i, columns])
        np.testing.assert_array_equal(squared[0], expected_squared[i, columns])
    print(f"so are ranks {ranks} of {len(queries)} of them")


def test_mined_pairs_of_real_poses_are_alike_in_3d(shared: Path) -> None:
    """Every ninth pose of 499 recorded sequences: Top-1 pairs are far more alike than random cross-video pairs."""
    joints, videos = (array[::9] for array in recorded_poses(shared, fitted=True))
    vectors = pose_vectors(camera_view(joints), "crop")
    space = fit_pose_space(vectors, 14, pool="recorded")
    assert space.explained_variance_ratio.sum() > 0.99
    rows, _ = exact_neighbours(space.project(vectors), videos, range(len(videos)), [1])
    assert (videos[rows[:, 0]] != videos).all()
    mined = root_aligned_distance(joints, joints[rows[:, 0]]).mean()
    random = root_aligned_distance(joints, joints[random_other_video(videos, seed=0)]).mean()
    assert 0.3 < mined / random < 0.45
