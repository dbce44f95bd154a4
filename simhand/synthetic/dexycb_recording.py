"""A labelled recording in DexYCB's layout: a hand that several cameras see, with something before it at times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from simhand.files import write_json
from simhand.synthetic.background import draw_background
from simhand.synthetic.camera import Camera
from simhand.synthetic.dexycb import (
    CAMERAS,
    HAND,
    HEIGHT,
    OBJECT,
    POSES,
    UNSEEN,
    WIDTH,
    pose_of,
    recording_folder,
    write_labels,
    write_meta,
)
from simhand.synthetic.hand_model import hand_model
from simhand.synthetic.hands import Hand, Side, place_hand
from simhand.synthetic.labelled import draw_poses, write_jpeg
from simhand.synthetic.person import draw_person
from simhand.synthetic.scene import draw_hand
from simhand.synthetic.sensor import Sensor
from simhand.synthetic.shading import Light, draw_light
from simhand.synthetic.tasks import Recording

_DEPTH_M = (0.55, 0.8)
_REGION = ((0.4, 0.6), (0.4, 0.6))
_ROUGH = Camera.centred(610.0, WIDTH, HEIGHT)
_BALL_M, _BALL_EVERY = 0.025, 3


def render_recording(model: Path, task: Recording) -> None:
    """Renders a recording, and then its part: the truth, which is name, side and keypoints of each hand.

    Those with odd numbers show left hands.
    """
    rng = np.random.default_rng(task.seed)
    side: Side = "left" if task.number % 2 else "right"
    motion = draw_poses(rng, POSES, _ROUGH, _DEPTH_M, _REGION)
    hand, light = place_hand(hand_model(model), draw_person(rng), side, motion, _ROUGH), draw_light(rng)
    truth = [row for serial in CAMERAS for row in _film(rng, hand, light, serial, task)]
    write_meta(task.root, task.split, task.number, side)
    write_json({"truth": truth}, task.part)


def _film(rng: np.random.Generator, hand: Hand, light: Light, serial: str, task: Recording) -> Iterator[Any]:
    """Writes one camera's images and labels; yields the truth of each hand."""
    camera, folder = CAMERAS[serial][0], f"{recording_folder(task.split, task.number)}/{serial}"
    hand = hand.seen_from(*pose_of(serial))
    sensor, background = Sensor(rng, WIDTH, HEIGHT), draw_background(rng, WIDTH, HEIGHT)
    for i in range(POSES):
        picture, seg = _draw(hand, i, background, camera, light)
        write_jpeg(task.root / folder / f"color_{i:06d}.jpg", sensor.expose(rng, picture))
        keypoints = camera.project(hand.joints_m[i])
        write_labels(task.root / folder / f"labels_{i:06d}.npz", seg, hand.joints_m[i], keypoints)
        yield [f"{folder}/color_{i:06d}.jpg", hand.side, keypoints.tolist()]
    empty = sensor.expose(rng, background.astype(np.float32))
    write_jpeg(task.root / folder / f"color_{POSES:06d}.jpg", empty)
    unseen = np.full((21, 3), float(UNSEEN))
    write_labels(task.root / folder / f"labels_{POSES:06d}.npz", np.zeros((HEIGHT, WIDTH)), unseen, unseen[:, :2])


def _draw(
    hand: Hand, index: int, background: np.ndarray, camera: Camera, light: Light
) -> tuple[np.ndarray, np.ndarray]:
    """The picture (H, W, 3), and what its pixels show (H, W)."""
    picture, seg = background.astype(np.float32), np.zeros((HEIGHT, WIDTH), np.uint8)
    layer = draw_hand(hand, index, camera, light)
    if layer is not None:
        layer.paint(picture)
        seg[layer.cover(seg.shape)] = HAND
    if index % _BALL_EVERY == 0:
        _put_ball(picture, seg, hand.joints_m[index, 12], camera)
    return picture, seg


def _put_ball(picture: np.ndarray, seg: np.ndarray, behind_m: np.ndarray, camera: Camera) -> None:
    """Draws a blue ball just before a point (3,)."""
    middle_m = behind_m * (1 - 2 * _BALL_M / behind_m[2])
    x, y = np.round(camera.project(middle_m)).astype(int).tolist()
    radius = float(camera.focal_px * _BALL_M / middle_m[2])
    for share in np.linspace(1, 0.1, 12).tolist():  # lighter towards the middle
        colour = (60 - 40 * share, 130 - 60 * share, 230 - 90 * share)
        cv2.circle(picture, (x, y), round(radius * share), colour, -1, cv2.LINE_AA)
    cv2.circle(seg, (x, y), round(radius), (OBJECT,), -1)
