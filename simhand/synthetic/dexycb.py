"""Files of a labelled set in DexYCB's layout: two cameras, metres in each camera's frame, -1 where no hand is seen.

Without images of depth, and with zeros for what a fit of MANO would say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from simhand.files import whole_file
from simhand.synthetic.camera import Camera
from simhand.synthetic.rotations import X, Y, turn

WIDTH, HEIGHT = 640, 480
POSES = 5  # of a recording; a last frame shows no hand
SUBJECTS = {
    "training": ("20200709-subject-01", "20200813-subject-02", "20200820-subject-03"),
    "evaluation": ("20201002-subject-08", "20201015-subject-09"),
}
HAND, OBJECT, UNSEEN = 255, 5, -1  # in seg; and where no hand is seen
CAMERAS = {  # by serial: intrinsics, and how it is turned about the hand, in degrees: down, and to the side
    "836212060125": (Camera(615.0, (312.6, 245.1), WIDTH, HEIGHT), (6.0, -28.0)),
    "932122062010": (Camera(604.2, (323.9, 236.7), WIDTH, HEIGHT), (-10.0, 33.0)),
}
_CENTRE_M = np.array([0.0, 0.0, 0.68])  # about which cameras are turned


def recording_folder(split: str, number: int) -> str:
    """Of the recording of this number, below the set."""
    subjects = SUBJECTS[split]
    subject = subjects[number % len(subjects)]
    return f"{subject}/{subject[:8]}_14{number // 60:02d}{number % 60:02d}"


def pose_of(serial: str) -> tuple[np.ndarray, np.ndarray]:
    """A camera's rotation (3, 3) and shift (3,), in metres, from the world."""
    down, aside = np.radians(CAMERAS[serial][1]).tolist()
    rotation = turn(X, down) @ turn(Y, aside)
    return rotation, _CENTRE_M - rotation @ _CENTRE_M


def write_meta(root: Path, split: str, number: int, side: str) -> None:
    """Writes what a recording consists of."""
    meta = {
        "serials": list(CAMERAS),
        "num_frames": POSES + 1,
        "extrinsics": "synthetic",
        "mano_calib": ["synthetic"],
        "mano_sides": [side],
        "ycb_ids": [OBJECT],
        "ycb_grasp_ind": 0,
    }
    _write_yaml(root / recording_folder(split, number) / "meta.yml", meta)


def write_labels(path: Path, seg: np.ndarray, joints_m: np.ndarray, keypoints_px: np.ndarray) -> None:
    """Writes one frame's labels: seg (H, W), joints (21, 3) and keypoints (21, 2)."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            seg=seg.astype(np.uint8),
            pose_y=np.zeros((1, 3, 4), np.float32),
            pose_m=np.zeros((1, 51), np.float32),
            joint_3d=joints_m[None].astype(np.float32),
            joint_2d=keypoints_px[None].astype(np.float32),
        )


def write_calibration(root: Path) -> None:
    """Writes the calibration of all cameras."""
    folder = root / "calibration"
    for serial, (camera, _) in CAMERAS.items():
        x, y = camera.centre_px
        colour = {"fx": camera.focal_px, "fy": camera.focal_px, "ppx": x, "ppy": y}
        _write_yaml(folder / "intrinsics" / f"{serial}_{WIDTH}x{HEIGHT}.yml", {"color": colour})
    to_world = {}
    for serial in CAMERAS:
        rotation, shift = pose_of(serial)
        to_world[serial] = np.column_stack([rotation.T, -rotation.T @ shift]).ravel().tolist()
    extrinsics = {"master": next(iter(CAMERAS)), "extrinsics": to_world}
    _write_yaml(folder / "extrinsics_synthetic" / "extrinsics.yml", extrinsics)
    _write_yaml(folder / "mano_synthetic" / "mano.yml", {"betas": [0.0] * 10})


def _write_yaml(path: Path, value: dict[str, Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(yaml.safe_dump(value))
