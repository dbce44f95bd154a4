"""Drawing triangles: which one each pixel shows, and what lies between their corners."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_SHIFT = 4  # cv2 takes coordinates in 1/16 pixel


@dataclass(frozen=True)
class Fragments:
    """The n pixels of an image (height, width) that show a mesh."""

    shape: tuple[int, int]
    pixels: np.ndarray  # (n,), counted along the rows
    faces: np.ndarray  # (n, 3) vertex numbers
    weights: np.ndarray  # (n, 3) barycentric, float32

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Values (n, C) at the pixels, from values (V, C) at the vertices."""
        return np.einsum("nk,nkc->nc", self.weights, values[self.faces])


def rasterise(points_px: np.ndarray, depth: np.ndarray, faces: np.ndarray, shape: tuple[int, int]) -> Fragments:
    """Draws a mesh from far to near.

    Args:
        points_px: (V, 2) in pixels of the image, the centre of the first at (0, 0).
        depth: (V,), larger is farther.
        faces: (F, 3); those that go round counter-clockwise on the picture face the camera.
        shape: height and width of the image.
    """
    corners = points_px[faces]  # (F, 3, 2)
    front = np.flatnonzero(_doubled_area(corners) < 0)
    order = front[np.argsort(-depth[faces[front]].sum(axis=1), kind="stable")]
    image = np.full(shape, -1, np.int32)
    fixed = np.round(corners * (1 << _SHIFT)).astype(np.int32)
    for face in order.tolist():
        cv2.fillConvexPoly(image, fixed[face], face, cv2.LINE_8, _SHIFT)
    pixels = np.flatnonzero(image.ravel() >= 0)
    shown = image.ravel()[pixels]
    return Fragments(shape, pixels, faces[shown], _barycentric(pixels, shape[1], corners[shown]))


def _doubled_area(corners: np.ndarray) -> np.ndarray:
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return np.asarray(ax * by - ay * bx)


def _barycentric(pixels: np.ndarray, width: int, corners: np.ndarray) -> np.ndarray:
    """Weights (n, 3) of the corners (n, 3, 2) at pixels (n,); a pixel drawn just outside is moved onto the triangle."""
    corners = corners.astype(np.float32)
    point = np.stack([pixels % width, pixels // width], axis=1).astype(np.float32)
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    px, py = (point - corners[:, 0]).T
    area = ax * by - ay * bx
    second = np.clip((px * by - py * bx) / area, 0, 1)
    third = np.clip((ax * py - ay * px) / area, 0, 1)
    first = np.clip(1 - second - third, 0, 1)
    return np.asarray(np.stack([first, second, third], axis=1) / (first + second + third)[:, None])
