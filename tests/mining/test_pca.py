"""The pose space against its definition, and its files byte for byte."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from simhand.errors import PoolError
from simhand.files import keypoints_array, read_parquet
from simhand.mining.pca import embed_pool, fit_pose_space
from simhand.mining.pool import draw_pool
from simhand.mining.settings import PoolSettings
from simhand.tables import MEMBERS


def _poses(count: int = 300, seed: int = 0) -> np.ndarray:
    """Correlated vectors around (0.5, ..., 0.5), float64 (count, 42)."""
    rng = np.random.default_rng(seed)
    return 0.5 + rng.normal(size=(count, 42)) * np.geomspace(0.3, 0.01, 42) @ rng.normal(size=(42, 42)) / 6


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    vectors = _poses()
    space = fit_pose_space(vectors, 14, pool="small")
    centred = vectors - vectors.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    variance = singular**2 / 299
    np.testing.assert_allclose(space.mean, vectors.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(space.explained_variance, variance[:14], rtol=1e-10)
    np.testing.assert_allclose(space.explained_variance_ratio, variance[:14] / variance.sum(), rtol=1e-10)
    signs = np.sign((space.components * axes[:14]).sum(axis=1))
    np.testing.assert_allclose(space.components, axes[:14] * signs[:, None], atol=1e-9)
    np.testing.assert_allclose(space.project(vectors), (centred @ axes[:14].T) * signs, atol=1e-6)


def test_the_largest_entry_of_each_component_is_positive() -> None:
    components = fit_pose_space(_poses(), 14, pool="small").components
    assert (components[np.arange(14), np.abs(components).argmax(axis=1)] > 0).all()


def test_bytes_do_not_depend_on_threads() -> None:
    vectors = _poses(20_000)
    spaces = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            spaces.append(fit_pose_space(vectors, 14, pool="small"))
    for name in ("mean", "components", "explained_variance", "explained_variance_ratio"):
        assert getattr(spaces[0], name).tobytes() == getattr(spaces[1], name).tobytes()


@pytest.mark.parametrize(
    ("vectors", "varying"),
    [
        (np.full((30, 42), 0.3), 0),
        (_poses(5), 4),
        (np.outer(np.arange(50.0), np.ones(42)) + 7, 1),
    ],
)
def test_more_components_than_directions_are_refused(vectors: np.ndarray, varying: int) -> None:
    with pytest.raises(PoolError, match=rf"pool small, {len(vectors)} hands(.|\n)*got: +{varying}\n"):
        fit_pose_space(vectors, 14, pool="small")


def test_all_directions_can_be_kept() -> None:
    vectors = _poses()
    space = fit_pose_space(vectors, 42, pool="small")
    np.testing.assert_allclose(space.project(vectors) @ space.components + space.mean, vectors, atol=1e-6)


def test_the_files_hold_the_embedded_members_and_equal_themselves(write_shard: Any, tmp_path: Path) -> None:
    settings = PoolSettings(sources=("ego",), components=5, normalisation="centred")
    members = tmp_path / "members.parquet"
    draw_pool([write_shard("ego", "0of1", {"a": 20, "b": 20})], settings, members, pool="small")
    embed_pool(members, settings, tmp_path / "pca.npz", tmp_path / "embeddings.npy", pool="small")
    time.sleep(2.1)  # a zip's clock ticks every two seconds
    embed_pool(members, settings, tmp_path / "again.npz", tmp_path / "again.npy", pool="small")
    assert (tmp_path / "pca.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    assert (tmp_path / "embeddings.npy").read_bytes() == (tmp_path / "again.npy").read_bytes()

    points = keypoints_array(read_parquet(members, MEMBERS)["keypoints"])[:, :, :2].astype(np.float64)
    vectors = (points - points.mean(axis=1, keepdims=True)).reshape(40, 42)
    pca = np.load(tmp_path / "pca.npz")
    embeddings = np.load(tmp_path / "embeddings.npy")
    assert embeddings.dtype == np.float32
    assert sorted(pca) == ["components", "explained_variance", "explained_variance_ratio", "mean"]
    np.testing.assert_allclose(embeddings, (vectors - vectors.mean(axis=0)) @ pca["components"].T, atol=1e-6)
    np.testing.assert_allclose(embeddings.var(axis=0, ddof=1), pca["explained_variance"], rtol=1e-5)
