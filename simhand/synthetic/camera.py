"""The pinhole camera: x to the right, y down, z away from it; the centre of the first pixel is (0, 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Intrinsics, in pixels."""

    focal_px: float
    width: int
    height: int

    @property
    def matrix(self) -> np.ndarray:
        """K (3, 3), the principal point in the middle of the image."""
        return np.array(
            [[self.focal_px, 0, (self.width - 1) / 2], [0, self.focal_px, (self.height - 1) / 2], [0, 0, 1]], dtype=float
        )

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Points (..., 3) in metres to pixels (..., 2)."""
        homogeneous = points_m @ self.matrix.T
        pixels: np.ndarray = homogeneous[..., :2] / homogeneous[..., 2:]
        return pixels

    def at_depth(self, pixels: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """The points (..., 3) that are seen at `pixels` (..., 2), `depth_m` (...) away."""
        rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1) @ np.linalg.inv(self.matrix).T
        points: np.ndarray = rays * depth_m[..., None]
        return points

    def inside(self, pixels: np.ndarray) -> np.ndarray:
        """Which pixels (..., 2) lie in the image."""
        upper = np.array([self.width, self.height]) - 0.5
        inside: np.ndarray = ((pixels >= -0.5) & (pixels < upper)).all(axis=-1)
        return inside
