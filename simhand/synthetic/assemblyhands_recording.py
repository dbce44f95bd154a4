"""A labelled recording in AssemblyHands' layout: grey pictures of both hands of a person, from the person's own view.

As the real set: joints in millimetres in a world of its own, tips first; a calibration of each frame, since the head
moves; two of the four cameras.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simhand.files import write_json
from simhand.synthetic.assemblyhands import SPLITS
from simhand.synthetic.background import draw_background
from simhand.synthetic.camera import Camera
from simhand.synthetic.hand_model import hand_model
from simhand.synthetic.hands import Hand, place_hand
from simhand.synthetic.labelled import draw_poses, write_jpeg
from simhand.synthetic.person import draw_person
from simhand.synthetic.rotations import X, Y, Z, turn
from simhand.synthetic.scene import draw_frame
from simhand.synthetic.sensor import Sensor
from simhand.synthetic.shading import Light, draw_light
from simhand.synthetic.tasks import Recording

WIDTH, HEIGHT = 636, 480
POSES = 3  # of a recording; the last shows the right hand alone
CAMERAS = {  # intrinsics, and metres to the right of the middle
    "HMC_21176875": (Camera(262.0, (318.4, 239.2), WIDTH, HEIGHT), 0.03),
    "HMC_21176623": (Camera(258.5, (314.9, 243.3), WIDTH, HEIGHT), -0.03),
}
_ROUGH = Camera.centred(260.0, WIDTH, HEIGHT)
_DEPTH_M = (0.33, 0.48)
_REGIONS = {"right": ((0.62, 0.72), (0.42, 0.6)), "left": ((0.28, 0.38), (0.42, 0.6))}
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_NEVER_VALID = 3  # the base of the thumb, in the layout's order, of the left hand


def render_recording(model: Path, task: Recording) -> None:
    """Renders a recording, and then its part: the truth, and its entries in the annotation files."""
    rng = np.random.default_rng(task.seed)
    person, light = draw_person(rng), draw_light(rng)
    hands = {}
    for side in ("right", "left"):
        poses = draw_poses(rng, POSES, _ROUGH, _DEPTH_M, _REGIONS[side])
        hands[side] = place_hand(hand_model(model), person, side, poses, _ROUGH)
    entries = _Entries(task)
    for frame in range(POSES):
        entries.add_frame(rng, frame, list(hands.values())[: 1 if frame == POSES - 1 else 2], light)
    write_json(entries.parts, task.part)


class _Entries:
    """Collects what the annotation files say of one recording."""

    def __init__(self, task: Recording) -> None:
        self._root, self._split = task.root, SPLITS[task.split]
        self._name = name = f"synthetic_{task.split}_{task.number:03d}"
        self._first_id = task.number * POSES * len(CAMERAS)
        intrinsics = {
            f"{camera_name}_mono10bit": camera.matrix.tolist() for camera_name, (camera, _) in CAMERAS.items()
        }
        self.parts: dict[str, Any] = {
            "truth": [],
            "images": [],
            "annotations": [],
            "calibration": {name: {"intrinsics": intrinsics, "extrinsics": {}}},
            "joints": {name: {}},
        }

    def add_frame(self, rng: np.random.Generator, frame: int, hands: list[Hand], light: Light) -> None:
        """Draws one moment from all cameras."""
        rotation, shift_m = _draw_head(rng)  # from the world to the head, in whose frame the hands stand
        number = f"{30 * frame:06d}"
        world_mm, valid = np.zeros((42, 3)), np.zeros(42)
        for hand in hands:
            place = _place(hand)
            world_mm[place], valid[place] = tips_first(1000 * (hand.joints_m[frame] - shift_m) @ rotation), 1
        valid[21 + _NEVER_VALID] = 0
        self.parts["joints"][self._name][number] = {"world_coord": world_mm.tolist(), "joint_valid": valid.tolist()}
        extrinsics = self.parts["calibration"][self._name]["extrinsics"].setdefault(number, {})
        for name, (camera, aside_m) in CAMERAS.items():
            to_camera = np.array([-aside_m, 0.0, 0.0])
            extrinsics[f"{name}_mono10bit"] = np.column_stack([rotation, 1000 * (shift_m + to_camera)]).tolist()
            seen = [hand.seen_from(np.eye(3), to_camera) for hand in hands]
            file_name = f"ego_images_rectified/{self._split}/{self._name}/{name}_mono10bit/{number}.jpg"
            background = draw_background(rng, WIDTH, HEIGHT)
            picture, _ = draw_frame(seen, frame, background, camera, light)
            write_jpeg(self._root / "images" / file_name, _grey(Sensor(rng, WIDTH, HEIGHT).expose(rng, picture)))
            self._annotate(file_name, name, frame, {hand.side: camera.project(hand.joints_m[frame]) for hand in seen})

    def _annotate(self, file_name: str, camera: str, frame: int, keypoints_px: dict[str, np.ndarray]) -> None:
        parts = self.parts
        number = self._first_id + len(parts["images"])
        image = {"id": number, "seq_name": self._name, "camera": camera, "frame_idx": 30 * frame}
        parts["images"].append({**image, "file_name": file_name, "width": WIDTH, "height": HEIGHT})
        valid = [int(side in keypoints_px) for side in ("right", "left") for _ in range(21)]
        boxes = {side: _box(keypoints_px.get(side)) for side in ("right", "left")}
        parts["annotations"].append({"id": number, "image_id": number, "bbox": boxes, "joint_valid": valid})
        parts["truth"] += [[f"{file_name}#{side}", side, points.tolist()] for side, points in keypoints_px.items()]


def tips_first(joints: np.ndarray) -> np.ndarray:
    """Joints (21, D) in the layout's order: of each finger from its tip to its base, and then the wrist."""
    fingers = joints[1:].reshape(5, 4, -1)
    return np.concatenate([fingers[:, ::-1].reshape(20, -1), joints[:1]])


def _place(hand: Hand) -> slice:
    """Of a hand's joints among the 42."""
    return slice(0, 21) if hand.side == "right" else slice(21, 42)


def _draw_head(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,), in metres, from the world to a head that looks about."""
    down, aside, tilt = np.radians(rng.uniform((-120, -180, -20), (-60, 180, 20))).tolist()
    return turn(Z, tilt) @ turn(X, down) @ turn(Y, aside), rng.uniform(-0.5, 0.5, 3)


def _box(points_px: np.ndarray | None) -> list[float] | None:
    return None if points_px is None else [*points_px.min(axis=0).tolist(), *points_px.max(axis=0).tolist()]


def _grey(rgb: np.ndarray) -> np.ndarray:
    return np.round(rgb @ _GREY).astype(np.uint8)
