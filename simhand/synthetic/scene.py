"""Pictures of hands before a background, and which of them can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from simhand.synthetic.camera import Camera
from simhand.synthetic.creases import crease_light
from simhand.synthetic.hands import Hand
from simhand.synthetic.raster import Fragments, rasterise
from simhand.synthetic.shading import Light, fold_light, lit_vertices, vertex_normals

_FINE = 2  # drawn so much larger, then averaged: smooth edges
_NEAREST_M = 0.08
_FOLD_REACH = 0.04  # of a frame's width
_MIN_VISIBLE_JOINTS = 17


@dataclass(frozen=True)
class Layer:
    """A drawn hand: colours times coverage, and coverage, for a part of the picture."""

    x: int
    y: int
    rgb: np.ndarray  # (h, w, 3) float32
    alpha: np.ndarray  # (h, w, 1) float32

    @property
    def part(self) -> tuple[slice, slice]:
        """Of the picture: rows and columns."""
        height, width = self.alpha.shape[:2]
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    def paint(self, picture: np.ndarray) -> None:
        """Puts the layer onto a picture (H, W, 3), float32 RGB in 0..255."""
        picture[self.part] = picture[self.part] * (1 - self.alpha) + 255 * self.rgb

    def cover(self, shape: tuple[int, ...]) -> np.ndarray:
        """Which pixels of a picture of this shape the layer hides: bool (H, W)."""
        covered = np.zeros(shape[:2], bool)
        covered[self.part] = self.alpha[..., 0] > 0.5
        return covered


def draw_hand(hand: Hand, frame: int, camera: Camera, light: Light) -> Layer | None:
    """Draws a hand on nothing; None where it is wholly outside the picture."""
    vertices = hand.vertices_m[frame]
    near = (vertices[hand.faces, 2] > _NEAREST_M).all(axis=1)
    points = camera.project(np.maximum(vertices, [-np.inf, -np.inf, _NEAREST_M]))
    low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, [camera.width, camera.height])
    width, height = (high - low).tolist()
    if min(width, height) <= 0:
        return None
    fine = (points - low + 0.5) * _FINE - 0.5
    fragments = rasterise(fine, vertices[:, 2], hand.faces[near], (height * _FINE, width * _FINE))
    picture = np.zeros((height * _FINE * width * _FINE, 4), np.float32)
    picture[fragments.pixels, :3] = _shaded(hand, vertices, fragments, camera, light)
    picture[fragments.pixels, 3] = 1.0
    picture = picture.reshape(height * _FINE, width * _FINE, 4)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return Layer(int(low[0]), int(low[1]), small[..., :3], small[..., 3:])


def _shaded(hand: Hand, vertices: np.ndarray, fragments: Fragments, camera: Camera, light: Light) -> np.ndarray:
    """RGB (n, 3) of the pixels that show a hand."""
    lit = lit_vertices(hand.skin.colours, vertex_normals(vertices, hand.faces), light)
    shown = fragments.interpolate(np.hstack([lit, vertices[:, 2:], hand.skin.creases]).astype(np.float32))  # (n, 10)
    rgb, depth, creases = shown[:, :3], shown[:, 3], shown[:, 4:]
    folds = fold_light(depth, fragments, round(_FOLD_REACH * camera.width))
    return np.asarray(rgb * folds[:, None] * crease_light(creases))


def draw_frame(
    hands: Sequence[Hand], frame: int, background: np.ndarray, camera: Camera, light: Light
) -> tuple[np.ndarray, list[bool]]:
    """Draws one frame.

    Args:
        hands: all hands of the video.
        frame: which of their frames.
        background: (height, width, 3) uint8, RGB.
        camera: intrinsics of the size of the background.
        light: what lights the hands.

    Returns:
        The picture (height, width, 3) as float32 RGB in 0..255, and for each hand whether most of its joints lie in the
        picture and behind no nearer hand.
    """
    picture = background.astype(np.float32)
    covered = np.zeros(picture.shape[:2], bool)
    visible = [False] * len(hands)
    layers = []
    for i in sorted(range(len(hands)), key=lambda i: float(hands[i].joints_m[frame, :, 2].mean())):
        pixels = camera.project(hands[i].joints_m[frame])
        visible[i] = _is_visible(pixels, covered, camera)
        layer = draw_hand(hands[i], frame, camera, light)
        if layer is not None:
            layers.append(layer)
            covered |= layer.cover(covered.shape)
    for layer in reversed(layers):  # far to near
        layer.paint(picture)
    return picture, visible


def _is_visible(pixels: np.ndarray, covered: np.ndarray, camera: Camera) -> bool:
    inside = pixels[camera.inside(pixels)]
    column, row = np.round(inside).astype(int).T
    return int((~covered[row, column]).sum()) >= _MIN_VISIBLE_JOINTS
