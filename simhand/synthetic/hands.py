"""Hands before the camera: the posed and placed meshes, with their joints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from simhand.synthetic.camera import Camera
from simhand.synthetic.forearm import forearm_faces, forearm_vertices
from simhand.synthetic.motion import Motion
from simhand.synthetic.person import Person
from simhand.synthetic.skin import Skin, draw_skin
from simhand.synthetic.views import orientation

if TYPE_CHECKING:
    from simhand.synthetic.hand_model import HandModel

Side = Literal["left", "right"]

HAND_LENGTH_M = 0.18  # what a `size` in a motion's place stands for
_CENTRE_M = np.array([0.0, 0.085, 0.0])  # the point of the hand that stands at its place
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Hand:
    """One hand in n frames, in the camera's frame, in metres."""

    side: Side
    vertices_m: np.ndarray  # (n, V, 3)
    joints_m: np.ndarray  # (n, 21, 3) in MediaPipe order
    faces: np.ndarray  # (F, 3), counter-clockwise from outside
    skin: Skin

    def seen_from(self, rotation: np.ndarray, shift_m: np.ndarray) -> Hand:
        """The same hand in the frame of another camera, whose points are rotation @ point + shift."""
        vertices, joints = (points @ rotation.T + shift_m for points in (self.vertices_m, self.joints_m))
        return replace(self, vertices_m=vertices, joints_m=joints)


def place_hand(model: HandModel, person: Person, side: Side, motion: Motion, camera: Camera) -> Hand:
    """Poses a person's hand and puts it before the camera; a left hand is the mirror image of a right one."""
    vertices, joints = model.pose(person.shape, motion.angles_deg)
    ring = model.wrist_ring()
    arm = forearm_vertices(vertices[:, ring], motion.angles_deg, person.bare_forearm_m)
    faces = np.concatenate([model.faces, forearm_faces(ring, vertices.shape[1])])
    rotation = orientation(motion.view_deg)
    shift = _centres(motion.place, side, camera) - rotation @ _CENTRE_M
    mirror = _MIRROR if side == "left" else 1.0

    def placed(points: np.ndarray) -> np.ndarray:
        return np.asarray((points @ rotation.transpose(0, 2, 1) + shift[:, None]) * mirror)

    return Hand(
        side=side,
        vertices_m=placed(np.concatenate([vertices, arm], axis=1)),
        joints_m=placed(joints),
        faces=faces[:, ::-1] if side == "left" else faces,
        skin=draw_skin(person, model),
    )


def _centres(place: np.ndarray, side: Side, camera: Camera) -> np.ndarray:
    """Where (n, 3) the hands' centres stand, in metres; those of left hands before they are mirrored."""
    x, y, size = place.T
    pixels = np.stack([x * camera.width, y * camera.height], axis=1) - 0.5
    if side == "left":
        pixels[:, 0] = 2 * camera.centre_px[0] - pixels[:, 0]
    return camera.at_depth(pixels, camera.focal_px * HAND_LENGTH_M / (size * camera.width))
