"""Alignment: hands that differ only in what is taken out become the same hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.evaluation.alignment import align_procrustes, align_root, align_root_and_bone, procrustes

SEEDS = st.integers(0, 2**32 - 1)


def hands(rng: np.random.Generator, count: int = 3) -> np.ndarray:
    return rng.normal(scale=50.0, size=(count, 21, 3))


def turn(rng: np.random.Generator) -> np.ndarray:
    """A random rotation (3, 3)."""
    matrix = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return matrix * np.sign(np.linalg.det(matrix))


def test_root_and_bone_by_hand() -> None:
    true, predicted = np.zeros((1, 21, 3)), np.zeros((1, 21, 3))
    true[0, :] = (1, 2, 3)
    true[0, 9] = (1, 2, 13)  # a bone of 10
    predicted[0, 9] = (0, 2, 0)  # a bone of 2, elsewhere directed: scale 5
    predicted[0, 4] = (1, 0, -1)
    aligned = align_root_and_bone(predicted, true)
    np.testing.assert_allclose(aligned[0, 0], (1, 2, 3))
    np.testing.assert_allclose(aligned[0, 9], (1, 12, 3))
    np.testing.assert_allclose(aligned[0, 4], (6, 2, -2))


@given(SEEDS, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_place_and_size_do_not_count(seed: int, scale: float, shift: float) -> None:
    true = hands(np.random.default_rng(seed))
    np.testing.assert_allclose(align_root_and_bone(true * scale + shift, true), true, atol=1e-6)


def test_orientation_counts_with_root_and_bone() -> None:
    rng = np.random.default_rng(0)
    true = hands(rng)
    assert np.abs(align_root_and_bone(true @ turn(rng).T, true) - true).max() > 10


def test_a_collapsed_hand_has_its_joints_at_the_wrist() -> None:
    true = hands(np.random.default_rng(0))
    np.testing.assert_allclose(align_root_and_bone(np.ones_like(true), true), true[:, [0]] + np.zeros_like(true))
    center = true.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(align_procrustes(np.ones_like(true), true), center + np.zeros_like(true))


@given(SEEDS, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_procrustes_takes_out_similarity(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    true = hands(rng)
    moved = scale * true @ turn(rng).T + shift
    np.testing.assert_allclose(align_procrustes(moved, true), true, atol=1e-6)
    np.testing.assert_allclose(align_procrustes(moved, true, reflections=True), true, atol=1e-6)


@given(SEEDS)
def test_procrustes_mirrors_only_when_told(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = hands(rng)
    mirrored = true * (-1, 1, 1) @ turn(rng).T
    np.testing.assert_allclose(align_procrustes(mirrored, true, reflections=True), true, atol=1e-6)
    assert np.abs(align_procrustes(mirrored, true) - true).max() > 1


@given(SEEDS)
def test_no_other_similarity_lies_nearer_than_procrustes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, predicted = hands(rng, 1), hands(rng, 1)
    best = ((align_procrustes(predicted, true) - true) ** 2).sum()
    aligned = align_procrustes(predicted, true)[0]
    center = aligned.mean(axis=0)
    nudge = np.linalg.qr(np.eye(3) + 0.05 * rng.normal(size=(3, 3)))[0]
    nudge *= np.sign(np.diag(nudge))  # near the identity
    other = (1 + 0.05 * rng.normal()) * (aligned - center) @ nudge.T + center + rng.normal(size=3)
    assert ((other - true[0]) ** 2).sum() >= best * (1 - 1e-12)


@given(SEEDS, st.booleans())
def test_joints_that_are_not_seen_are_as_if_removed(seed: int, reflections: bool) -> None:
    rng = np.random.default_rng(seed)
    true, predicted = hands(rng, 2), hands(rng, 2)
    few = np.sort(rng.permutation(21)[:8])
    seen = np.isin(np.arange(21), few) & np.ones((2, 1), dtype=bool)
    alone = align_procrustes(predicted[:, few], true[:, few], reflections=reflections)
    true[~seen] = np.nan
    together = align_procrustes(predicted, true, seen, reflections=reflections)
    np.testing.assert_allclose(together[:, few], alone, atol=1e-9)
    assert np.isfinite(together).all()


@given(SEEDS)
def test_what_moves_a_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    similarity = procrustes(hands(rng), hands(rng))
    identity = np.broadcast_to(np.eye(3), (3, 3, 3))
    np.testing.assert_allclose(similarity.rotation @ similarity.rotation.transpose(0, 2, 1), identity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(similarity.rotation), 1)
    assert (similarity.scale > 0).all()


def test_flat_hands_are_turned_not_mirrored() -> None:
    """All joints in a plane: a mirrored hand is a turned one too."""
    rng = np.random.default_rng(0)
    true = hands(rng) * (1, 1, 0)
    np.testing.assert_allclose(align_procrustes(true * (-1, 1, 1), true), true, atol=1e-9)


@given(SEEDS, st.floats(-1000, 1000))
def test_the_wrist_alone_takes_out_the_place_alone(seed: int, shift: float) -> None:
    true = hands(np.random.default_rng(seed))
    np.testing.assert_allclose(align_root(true + shift, true), true, atol=1e-9)
    wrist = true[:, [0]]
    np.testing.assert_allclose(align_root(2 * true, true) - wrist, 2 * (true - wrist), atol=1e-9)


@pytest.mark.parametrize("align", [align_root, align_root_and_bone, align_procrustes])
def test_each_hand_is_aligned_by_itself(align: object) -> None:
    rng = np.random.default_rng(1)
    true, predicted = hands(rng, 4), hands(rng, 4)
    together = align(predicted, true)  # type: ignore[operator]
    for row in range(4):
        one = align(predicted[[row]], true[[row]])  # type: ignore[operator]
        np.testing.assert_allclose(together[[row]], one, rtol=1e-12)
