"""Light on skin: one lamp that wraps around soft shapes, a brighter sky than floor, and darkness in folds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from simhand.synthetic.raster import Fragments

_WRAP = 0.25  # how far light reaches beyond the edge of shadow
_FOLD_M = 0.012  # a point that lies this much deeper than its surroundings is dark


@dataclass(frozen=True)
class Light:
    """A lamp and its surroundings; RGB factors."""

    towards: np.ndarray  # unit vector to the lamp, in the camera's frame
    lamp_rgb: np.ndarray
    ambient_rgb: np.ndarray
    gloss: float


def draw_light(rng: np.random.Generator) -> Light:
    """Draws a lamp above and on the camera's side of the scene."""
    towards = np.array([rng.uniform(-0.9, 0.9), rng.uniform(-1.0, -0.1), rng.uniform(-1.2, -0.5)])
    warmth = np.array([1.0, 0.97, 0.93]) ** rng.uniform(-1.2, 1.6)
    ambient = rng.uniform(0.34, 0.5)
    return Light(
        towards=towards / np.linalg.norm(towards),
        lamp_rgb=rng.uniform(0.9, 1.15) * (1 - 0.75 * ambient) * warmth,
        ambient_rgb=ambient / warmth,
        gloss=rng.uniform(0.03, 0.12),
    )


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3), each the mean of its faces' weighted by area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face_normals = np.cross(b - a, c - a)
    corners = faces.T.ravel()
    sums = [np.bincount(corners, np.tile(component, 3), len(vertices)) for component in face_normals.T]
    normals = np.stack(sums, axis=1)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def lit_vertices(colours: np.ndarray, normals: np.ndarray, light: Light) -> np.ndarray:
    """RGB (V, 3) that vertices of these colours send to the camera."""
    lamp = np.clip((normals @ light.towards + _WRAP) / (1 + _WRAP), 0, 1)[:, None]
    sky = 0.8 - 0.2 * normals[:, 1:2]  # y points down
    halfway = light.towards - np.array([0.0, 0.0, 1.0])
    shine = np.clip(normals @ (halfway / np.linalg.norm(halfway)), 0, 1)[:, None] ** 20
    return np.asarray(
        colours * (lamp * light.lamp_rgb + sky * light.ambient_rgb) + light.gloss * shine * light.lamp_rgb
    )


def fold_light(depth: np.ndarray, fragments: Fragments, reach_px: int) -> np.ndarray:
    """The share of light (n,), 0.5..1, that a pixel keeps: the less, the deeper it lies than its surroundings.

    Args:
        depth: (n,) metres, of the pixels of `fragments`.
        fragments: the pixels.
        reach_px: how far the surroundings reach.
    """
    image, weight = np.zeros(fragments.shape, np.float32), np.zeros(fragments.shape, np.float32)
    image.ravel()[fragments.pixels], weight.ravel()[fragments.pixels] = depth, 1.0
    side = (2 * reach_px + 1, 2 * reach_px + 1)
    around = cv2.blur(image, side).ravel()[fragments.pixels] / cv2.blur(weight, side).ravel()[fragments.pixels]
    return np.asarray(1 - 0.5 * np.clip((depth - around) / _FOLD_M, 0, 1))
