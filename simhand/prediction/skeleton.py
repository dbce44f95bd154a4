"""Hands as skeletons, flat over a picture and in space."""

from __future__ import annotations

import cv2
import numpy as np

from simhand.joints import JOINTS_OF, PARENTS
from simhand.prediction.lettering import Colour

# Okabe and Ito's colours, as in the report: thumb, index, middle, ring and little finger.
FINGER_COLOURS: tuple[Colour, ...] = ((213, 94, 0), (230, 159, 0), (0, 158, 115), (86, 180, 233), (204, 121, 167))
WHITE: Colour = (255, 255, 255)
RIM: Colour = (28, 30, 34)
_WRIST_COLOUR: Colour = (235, 235, 235)
_COLOURS = (_WRIST_COLOUR, *(colour for colour in FINGER_COLOURS for _ in range(4)))  # of each joint, and its bone
_BONES = [(PARENTS[joint], joint) for joints in JOINTS_OF.values() for joint in joints]
_SHIFT = 4  # OpenCV draws at sixteenths of a pixel
_NEAR, _FAR = 1.25, 0.7  # how thick bones are drawn at the near and the far end of a view, in units of the middle's
_HAZE = 0.55  # how much of the paper's colour bones at the far end take on


def draw_flat(picture: np.ndarray, keypoints_px: np.ndarray) -> None:
    """Draws a hand over a picture, a dark rim around bright bones.

    Args:
        picture: uint8 (h, w, 3) RGB, is drawn on.
        keypoints_px: (21, 2), the centre of the first pixel at (0, 0).
    """
    thickness = float(np.clip(np.ptp(keypoints_px, axis=0).max() / 60, 2.0, 10.0))
    rim = max(1.0, 0.4 * thickness)
    for parent, joint in _BONES:
        _line(picture, keypoints_px[parent], keypoints_px[joint], thickness + 2 * rim, RIM)
    for parent, joint in _BONES:
        _line(picture, keypoints_px[parent], keypoints_px[joint], thickness, _COLOURS[joint])
    for joint, point in enumerate(keypoints_px):
        _dot(picture, point, 0.95 * thickness + rim, RIM)
        _dot(picture, point, 0.95 * thickness, WHITE)
        _dot(picture, point, 0.55 * thickness, _COLOURS[joint])


def draw_in_space(picture: np.ndarray, joints: np.ndarray, px_per_unit: float, reach: float, paper: Colour) -> None:
    """Draws a hand as seen from afar along z; what is farther is thinner and paler.

    Args:
        picture: uint8 (h, w, 3) RGB, is drawn on; its middle shows (0, 0, z).
        joints: (21, 3), x to the right, y down, z away from who looks.
        px_per_unit: how large one unit of them is drawn.
        reach: z from the middle to the near and to the far end.
        paper: what pale things fade to.
    """
    middle = (np.array(picture.shape[1::-1]) - 1) / 2
    points = middle + px_per_unit * joints[:, :2]
    depths = np.clip(joints[:, 2] / reach, -1, 1)  # -1: near
    thickness = px_per_unit * reach / 26
    things = [(max(depths[[parent, joint]]) + 1e-3, parent, joint) for parent, joint in _BONES]
    things += [(depths[joint], joint, joint) for joint in range(len(joints))]
    for _, parent, joint in sorted(things, reverse=True):
        depth = float(depths[[parent, joint]].mean())
        width = thickness * float(np.interp(depth, (-1, 0, 1), (_NEAR, 1, _FAR)))
        colour = _faded(_COLOURS[joint] if joint else RIM, paper, depth)
        if parent == joint:
            _dot(picture, points[joint], 0.9 * width, _faded(RIM, paper, depth))
            _dot(picture, points[joint], 0.9 * width - 1, colour)
        else:
            _line(picture, points[parent], points[joint], width, colour)


def _faded(colour: Colour, paper: Colour, depth: float) -> Colour:
    share = _HAZE * max(depth + 0.2, 0.0) / 1.2
    red, green, blue = (round((1 - share) * c + share * p) for c, p in zip(colour, paper, strict=True))
    return red, green, blue


def _line(picture: np.ndarray, start: np.ndarray, end: np.ndarray, thickness: float, colour: Colour) -> None:
    cv2.line(picture, _fixed(start), _fixed(end), colour, max(1, round(thickness)), cv2.LINE_AA, _SHIFT)


def _dot(picture: np.ndarray, place: np.ndarray, radius: float, colour: Colour) -> None:
    cv2.circle(picture, _fixed(place), max(1, round(radius * 2**_SHIFT)), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """A point in sixteenths of a pixel; far outside of a picture it does not matter where."""
    x, y = np.clip(np.rint(point * 2**_SHIFT), -(2**24), 2**24).astype(int).tolist()
    return x, y
