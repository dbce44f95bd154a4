"""What PCA sees of a hand: the 42 coordinates of its keypoints."""

from __future__ import annotations

import numpy as np

from simhand.errors import TableError
from simhand.mining.settings import Normalisation


def pose_vectors(keypoints: np.ndarray, normalisation: Normalisation) -> np.ndarray:
    """Flattens keypoints to vectors x0, y0, x1, y1, ... (paper section 3.2, the 42-vector phi(I)).

    Args:
        keypoints: (n, 21, 3), x and y in units of the crop; z is not used.
        normalisation: "crop" leaves them as they lie in the crop, "centred" takes them relative to their mean,
            "centred_scaled" also divides by their root mean square distance from it. The paper does not say.

    Returns:
        float64 (n, 42).

    Raises:
        TableError: to be scaled, but all keypoints of a hand lie on one point.
    """
    points = keypoints[:, :, :2].astype(np.float64)  # (n, 21, 2)
    if normalisation != "crop":
        points -= points.mean(axis=1, keepdims=True)
    if normalisation == "centred_scaled":
        points /= _sizes(points)[:, None, None]
    return points.reshape(len(points), -1)


def _sizes(centred: np.ndarray) -> np.ndarray:
    sizes = np.sqrt((centred**2).sum(axis=2).mean(axis=1))  # (n,)
    if not (sizes > 0).all():
        raise TableError(
            "all keypoints of a hand lie on one point, so they cannot be scaled to unit size",
            where=f"row {int(np.argmin(sizes))} of the pool",
            hint="set normalisation to crop or centred",
        )
    return sizes
