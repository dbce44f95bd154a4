"""Labelled images in FreiHAND's layout: square pictures of right hands, with intrinsics and joints in metres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from simhand.files import whole_file, write_json
from simhand.synthetic.background import draw_background
from simhand.synthetic.camera import Camera
from simhand.synthetic.hand_model import hand_model
from simhand.synthetic.hands import HAND_LENGTH_M, Hand, place_hand
from simhand.synthetic.motion import Motion
from simhand.synthetic.person import draw_person
from simhand.synthetic.postures import draw_posture
from simhand.synthetic.scene import draw_frame
from simhand.synthetic.sensor import Sensor
from simhand.synthetic.shading import Light, draw_light
from simhand.synthetic.views import draw_view

IMAGE_SIZE = 224  # FreiHAND's
_DEPTH_M, _FOCAL_PX = (0.42, 0.65), (420.0, 520.0)
_LONGEST_BOX_PX = 190.0
_OFF_CENTRE_PX = 14.0
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]
_ROUGH = Camera.centred(float(np.mean(_FOCAL_PX)), IMAGE_SIZE, IMAGE_SIZE)  # where hands are put before they are framed


def render_person(
    model: Path, seed: Sequence[int], images: Sequence[Path], labels: Path, more: Sequence[Sequence[Path]] = ()
) -> None:
    """Renders one person's images, and then a JSON file with their K (n, 3, 3), xyz (n, 21, 3) and truth.

    Args:
        model: the hand model's file.
        seed: all that is drawn depends on it alone.
        images: the n files to write.
        labels: the JSON file to write.
        more: n files each, for the same hands under the same light on other backgrounds.
    """
    rng = np.random.default_rng(seed)
    hand = place_hand(hand_model(model), draw_person(rng), "right", draw_poses(rng, len(images)), _ROUGH)
    cameras = [_frame(rng, joints) for joints in hand.joints_m]
    lights = []
    for i, (path, camera) in enumerate(zip(images, cameras, strict=True)):
        background, light = draw_background(rng, IMAGE_SIZE, IMAGE_SIZE), draw_light(rng)
        write_jpeg(path, _photograph(rng, hand, i, camera, background=background, light=light))
        lights.append(light)
    for version in more:
        for i, (path, camera) in enumerate(zip(version, cameras, strict=True)):
            background = draw_background(rng, IMAGE_SIZE, IMAGE_SIZE)
            write_jpeg(path, _photograph(rng, hand, i, camera, background=background, light=lights[i]))
    truth = [
        [f"{path.parts[-3]}/rgb/{path.name}", hand.side, camera.project(joints).tolist()]
        for version in (images, *more)
        for path, camera, joints in zip(version, cameras, hand.joints_m, strict=True)
    ]
    K = [camera.matrix.tolist() for camera in cameras]
    write_json({"K": K, "xyz": hand.joints_m.tolist(), "truth": truth}, labels)


def draw_poses(
    rng: np.random.Generator,
    count: int,
    camera: Camera = _ROUGH,
    depth_m: tuple[float, float] = _DEPTH_M,
    region: tuple[tuple[float, float], tuple[float, float]] = ((0.25, 0.75), (0.25, 0.75)),
) -> Motion:
    """Postures that have nothing to do with each other, seen from anywhere.

    Args:
        rng: draws them.
        count: how many.
        camera: what they are placed before.
        depth_m: from how near to how far.
        region: where in the picture: from what x to what x, and y, in widths and heights.
    """
    low, high = np.transpose(region)
    sizes = camera.focal_px * HAND_LENGTH_M / (rng.uniform(*depth_m, count) * camera.width)
    return Motion(
        angles_deg=np.stack([draw_posture(rng) for _ in range(count)]),
        view_deg=np.stack([draw_view(rng) for _ in range(count)]),
        place=np.column_stack([rng.uniform(low, high, (count, 2)), sizes]),
    )


def _frame(rng: np.random.Generator, joints_m: np.ndarray) -> Camera:
    """The camera of a square cut out around the joints (21, 3), as FreiHAND's images are."""
    across = joints_m[:, :2] / joints_m[:, 2:]
    low, high = across.min(axis=0), across.max(axis=0)
    focal = min(rng.uniform(*_FOCAL_PX), _LONGEST_BOX_PX / float((high - low).max()))
    middle = (IMAGE_SIZE - 1) / 2 + rng.uniform(-_OFF_CENTRE_PX, _OFF_CENTRE_PX, 2)
    x, y = (middle - focal * (low + high) / 2).tolist()
    return Camera(focal, (x, y), IMAGE_SIZE, IMAGE_SIZE)


def _photograph(
    rng: np.random.Generator, hand: Hand, index: int, camera: Camera, *, background: np.ndarray, light: Light
) -> np.ndarray:
    picture, _ = draw_frame([hand], index, background, camera, light)
    return Sensor(rng, IMAGE_SIZE, IMAGE_SIZE).expose(rng, picture)


def write_jpeg(path: Path, picture: np.ndarray) -> None:
    """Writes a picture, uint8: (h, w, 3) RGB, or (h, w) grey."""
    _, jpeg = cv2.imencode(".jpg", picture[..., ::-1] if picture.ndim == 3 else picture, _JPEG)
    with whole_file(path) as temporary:
        temporary.write_bytes(jpeg.tobytes())
