"""Labelled sets in the layout of DexYCB (Chao et al., 2021).

    calibration/intrinsics/836212060125_640x480.yml     color: fx, fy, ppx, ppy; one file a camera
    calibration/extrinsics_*/, calibration/mano_*/      (not read)
    20200709-subject-01/20200709_141754/meta.yml        serials, num_frames, mano_sides: one of right and left
    20200709-subject-01/20200709_141754/836212060125/
        color_000000.jpg ...                            640 x 480
        labels_000000.npz ...                           joint_3d (1, 21, 3), metres, in the frame of this camera;
                                                        joint_2d (1, 21, 2), pixels; both -1 where no hand is seen;
                                                        seg (480, 640), what each pixel shows: 255 the hand

and so on: ten subjects, 100 recordings each, eight cameras. A copy with fewer of them can be read, and the log says
what it lacks; recordings are numbered as they stand sorted, so with fewer than 100 of a subject the setups s0 and s3
split them in another way. A folder of a camera must be complete. Joints are in the common order already.

The label files are opened one by one, in threads, so that a network's delays add up less: about 1,700 a second, hence
four minutes for the 407,000 of setup s1's training. Only for evaluation is `seg` looked at, which takes twice as long,
and tells how much of a hand something hides.
"""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.dexycb_parts import HINT, Recording, read_yaml, recordings
from simhand.finetuning.labelled import LabelledSet, Split, hand_squares, names_of
from simhand.finetuning.reading import (
    MM,
    inside,
    mirror_axis,
    mirror_cameras,
    mirror_joints,
    mirror_pixels,
    require_files,
    usable,
)
from simhand.finetuning.settings import Behaviour, ReadSettings
from simhand.joints import JOINTS
from simhand.progress import Progress

CROP_FACTOR = 1.75  # spec: section 10
_SIZE_PX = np.array([640, 480])
_UNSEEN = -1  # stands for what is not known
_HAND = 255  # in seg
_THREADS = 8


class Camera(NamedTuple):
    """One camera of a recording."""

    number: int  # of the recording, from 0
    recording: Recording
    serial: str

    def file(self, kind: str, frame: int, ending: str) -> str:
        """The path below the root of one of its files."""
        return f"{self.recording.folder}/{self.serial}/{kind}_{frame:06d}.{ending}"


class Labels(NamedTuple):
    """What the labels of n frames say."""

    joints_m: np.ndarray  # float64 (n, 21, 3)
    keypoints_px: np.ndarray  # float64 (n, 21, 2)
    hidden: np.ndarray  # float64 (n,)


def read_dexycb(root: Path, split: Split, settings: ReadSettings) -> LabelledSet:
    """Reads the labels of one split of a setup, and checks that its images are there.

    Officially a hand's joints count as seen up to the pixels 640 and 480, which are just outside, and only from 0 on.

    Raises:
        LabelledSetError: a file is missing or has other content, or no hand is left.
    """
    cameras = [
        Camera(number, recording, serial)
        for number, recording in enumerate(recordings(root, settings.setup, split))
        for serial in recording.serials
    ]
    _require(root, cameras)
    labels = _read_labels(root, cameras, with_hidden=split == "evaluation")
    seen = _seen(labels, settings.behaviour)
    rows = np.flatnonzero(usable(seen))
    if len(rows) == 0:
        raise LabelledSetError(f"no {split} frame with a hand in {settings.setup}", where=root, hint=HINT)
    labels = Labels(*(part[rows] for part in labels))
    return _labelled_set(root, cameras, rows, labels, seen=seen[rows], behaviour=settings.behaviour)


def _require(root: Path, cameras: list[Camera]) -> None:
    for kind, ending, what in (("color", "jpg", "images"), ("labels", "npz", "label files")):
        files = [camera.file(kind, i, ending) for camera in cameras for i in range(camera.recording.frames)]
        require_files(root, files, what, "unpack DexYCB anew, or remove the camera's whole folder")


def _read_labels(root: Path, cameras: list[Camera], with_hidden: bool) -> Labels:
    """Those of all frames, camera by camera."""
    parts = []
    frames = sum(camera.recording.frames for camera in cameras)
    with ThreadPoolExecutor(_THREADS) as pool, Progress("label files", frames) as progress:
        for part in pool.map(_read_camera, repeat(root), cameras, repeat(with_hidden)):
            parts.append(part)
            progress.advance(len(part.hidden))
    return Labels(*map(np.concatenate, zip(*parts, strict=True)))


def _read_camera(root: Path, camera: Camera, with_hidden: bool) -> Labels:
    frames = [_read_frame(root / camera.file("labels", i, "npz"), with_hidden) for i in range(camera.recording.frames)]
    return Labels(*(np.array(part, dtype=np.float64) for part in zip(*frames, strict=True)))


def _read_frame(path: Path, with_hidden: bool) -> tuple[np.ndarray, np.ndarray, float]:
    try:
        with np.load(path) as file:
            joints_m = file["joint_3d"].reshape(len(JOINTS), 3)
            keypoints_px = file["joint_2d"].reshape(len(JOINTS), 2)
            hidden = _hidden(file["seg"], keypoints_px) if with_hidden else np.nan
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        expected = "joint_3d (1, 21, 3), joint_2d (1, 21, 2) and seg (480, 640)"
        raise LabelledSetError("cannot read a label", where=path, expected=expected, got=error, hint=HINT) from error
    return joints_m, keypoints_px, hidden


def _hidden(seg: np.ndarray, keypoints_px: np.ndarray) -> float:
    """Of the joints in the picture (21, 2), the share at whose pixel something else than the hand is seen."""
    columns, rows = np.round(keypoints_px[inside(keypoints_px, _SIZE_PX)]).astype(int).T
    return float((seg[rows, columns] != _HAND).mean()) if len(rows) else np.nan


def _seen(labels: Labels, behaviour: Behaviour) -> np.ndarray:
    """Which joints (n, 21) are known, and in the picture."""
    numbers = np.concatenate([labels.keypoints_px, labels.joints_m], axis=-1)  # (n, 21, 5)
    known = ((numbers != _UNSEEN) & np.isfinite(numbers)).all(axis=-1)
    if behaviour == "official":
        within = (labels.keypoints_px > 0) & (labels.keypoints_px <= _SIZE_PX)
        return np.asarray(known & within.all(axis=-1))
    return np.asarray(known & inside(labels.keypoints_px, _SIZE_PX))


def _labelled_set(
    root: Path, cameras: list[Camera], rows: np.ndarray, labels: Labels, *, seen: np.ndarray, behaviour: Behaviour
) -> LabelledSet:
    """The hands of the rows (n,) of all frames, camera by camera; labels and seen are those of these rows."""
    frames = np.concatenate([np.arange(camera.recording.frames) for camera in cameras])[rows]
    of = np.repeat(np.arange(len(cameras)), [camera.recording.frames for camera in cameras])[rows]  # (n,) in cameras
    flipped = np.array([camera.recording.left for camera in cameras])[of]
    sequences = np.array([camera.number for camera in cameras])[of]
    images = names_of([cameras[c].file("color", frame, "jpg") for c, frame in zip(of, frames, strict=True)])
    axis = np.broadcast_to(mirror_axis(_SIZE_PX[0], behaviour), len(rows))
    keypoints_px = mirror_pixels(labels.keypoints_px, flipped, axis)
    centers_px, sides_px = hand_squares(keypoints_px, CROP_FACTOR, seen)
    unknown = (labels.joints_m == _UNSEEN).all(axis=-1, keepdims=True)
    return LabelledSet(
        root=root,
        names=images,
        images=images,
        flipped=flipped,
        labels=sequences * (1 + max(camera.recording.frames for camera in cameras)) + frames,
        sequences=sequences,
        views=names_of([camera.serial for camera in cameras])[of],
        joints_mm=np.where(unknown, np.nan, mirror_joints(labels.joints_m * MM, flipped)),
        seen=seen,
        keypoints_px=np.where(unknown, np.nan, keypoints_px),
        cameras=mirror_cameras(_intrinsics(root, cameras)[of], flipped, axis),
        centers_px=centers_px,
        sides_px=sides_px,
        hidden=labels.hidden,
    )


def _intrinsics(root: Path, cameras: list[Camera]) -> np.ndarray:
    """Matrices (n, 3, 3) of the cameras."""
    matrices = {serial: _matrix(root, serial) for serial in {camera.serial for camera in cameras}}
    return np.array([matrices[camera.serial] for camera in cameras])


def _matrix(root: Path, serial: str) -> list[list[float]]:
    path = root / "calibration" / "intrinsics" / f"{serial}_640x480.yml"
    try:
        fx, fy, x, y = (float(read_yaml(path)["color"][name]) for name in ("fx", "fy", "ppx", "ppy"))
    except (KeyError, TypeError, ValueError) as error:
        expected = "color: {fx, fy, ppx, ppy}"
        raise LabelledSetError("not a calibration of DexYCB", where=path, expected=expected, got=repr(error)) from error
    return [[fx, 0.0, x], [0.0, fy, y], [0.0, 0.0, 1.0]]
