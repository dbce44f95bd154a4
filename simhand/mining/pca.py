"""Stage 8: the pose space, 42 coordinates to the D that vary most (paper section 3.2)."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from simhand.errors import PoolError
from simhand.files import keypoints_array, read_parquet, whole_file
from simhand.mining.features import pose_vectors
from simhand.mining.settings import EmbeddingSettings
from simhand.tables import MEMBERS

_log = logging.getLogger(__name__)

_LEAST_VARIANCE = 1e-12  # of the coordinates' mean square; float32 keypoints resolve 4e-15


@dataclass(frozen=True)
class PoseSpace:
    """A fitted PCA: mean (42,), components (D, 42) and what they explain (D,)."""

    mean: np.ndarray
    components: np.ndarray
    explained_variance: np.ndarray
    explained_variance_ratio: np.ndarray

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """Embeds pose vectors (n, 42) as float32 (n, D): p = M (phi(I) - mean)."""
        with threadpool_limits(1, user_api="blas"):
            return ((vectors - self.mean) @ self.components.T).astype(np.float32)


def fit_pose_space(vectors: np.ndarray, components: int, *, pool: str) -> PoseSpace:
    """Fits PCA exactly. The largest entry of each component is positive, so equal vectors give an equal space.

    On one BLAS thread, since the last bits of a sum depend on how it is cut up.

    Args:
        vectors: (n, 42) float64.
        components: D.
        pool: the pool's name, for messages.

    Raises:
        PoolError: the vectors vary in fewer than D directions.
    """
    pca = PCA(n_components=min(components, len(vectors)), svd_solver="covariance_eigh")
    with threadpool_limits(1, user_api="blas"), np.errstate(invalid="ignore"):  # identical vectors: 0 of 0 explained
        pca.fit(vectors)
    varying = int((pca.explained_variance_ > _LEAST_VARIANCE * np.square(vectors).mean()).sum())
    if varying < components:
        raise PoolError(
            "the keypoints of a pool vary in fewer directions than PCA is to keep",
            where=f"pool {pool}, {len(vectors)} hands",
            expected=f"at least {components}",
            got=varying,
            hint="lower its components, or draw more hands",
        )
    return PoseSpace(pca.mean_, pca.components_, pca.explained_variance_, pca.explained_variance_ratio_)


def embed_pool(
    members_path: Path | str,
    settings: EmbeddingSettings,
    pca_path: Path | str,
    embeddings_path: Path | str,
    *,
    pool: str,
) -> None:
    """Fits the pose space on all members of a pool and writes it and their embeddings; equal members, equal bytes.

    Args:
        members_path: the pool's table of members.
        settings: how to compare poses.
        pca_path: npz to write: mean, components, explained_variance, explained_variance_ratio (float64).
        embeddings_path: npy to write: float32 (n, D), row by row the members.
        pool: the pool's name, for messages.

    Raises:
        PoolError: the members' keypoints vary in fewer than D directions.
        TableError: the table of members is damaged.
    """
    members = read_parquet(members_path, MEMBERS, ["keypoints"])
    vectors = pose_vectors(keypoints_array(members["keypoints"]), settings.normalisation)
    space = fit_pose_space(vectors, settings.components, pool=pool)
    with whole_file(pca_path) as temporary, temporary.open("wb") as file:
        np.savez(file, **asdict(space))
    with whole_file(embeddings_path) as temporary, temporary.open("wb") as file:
        np.save(file, space.project(vectors))
    explained = space.explained_variance_ratio.sum()
    _log.info("pool %s: %d components explain %.1f %% of the variance", pool, settings.components, 100 * explained)
