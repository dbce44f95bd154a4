"""The pinhole camera: x to the right, y down, z away from it; the middle of the first pixel is (0, 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Intrinsics and size of the picture, in pixels."""

    focal_px: float
    centre_px: tuple[float, float]
    width: int
    height: int

    @classmethod
    def centred(cls, focal_px: float, width: int, height: int) -> Camera:
        """A camera whose axis goes through the middle of the picture."""
        return cls(focal_px, ((width - 1) / 2, (height - 1) / 2), width, height)

    @property
    def matrix(self) -> np.ndarray:
        """K (3, 3)."""
        x, y = self.centre_px
        return np.array([[self.focal_px, 0, x], [0, self.focal_px, y], [0, 0, 1]], dtype=float)

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Points (..., 3) in metres to pixels (..., 2)."""
        return np.asarray(self.focal_px * points_m[..., :2] / points_m[..., 2:] + self.centre_px)

    def at_depth(self, pixels: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """The points (..., 3) that are seen at `pixels` (..., 2), `depth_m` (...) away."""
        across = (pixels - self.centre_px) / self.focal_px * depth_m[..., None]
        return np.concatenate([across, depth_m[..., None]], axis=-1)

    def inside(self, pixels: np.ndarray) -> np.ndarray:
        """Which pixels (..., 2) lie in the picture (...)."""
        upper = np.array([self.width, self.height]) - 0.5
        return np.asarray(((pixels >= -0.5) & (pixels < upper)).all(axis=-1))
