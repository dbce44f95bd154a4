"""One video with its truth: a person, a room, a camera, and hands that move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simhand.files import write_parquet
from simhand.synthetic.background import Backdrop
from simhand.synthetic.camera import Camera
from simhand.synthetic.hand_model import hand_model
from simhand.synthetic.hands import Hand, Side, place_hand
from simhand.synthetic.motion import Region, draw_motion
from simhand.synthetic.person import draw_person
from simhand.synthetic.scene import draw_frame
from simhand.synthetic.sensor import Sensor
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.shading import Light, draw_light
from simhand.synthetic.truth import TRUTH, truth_table
from simhand.synthetic.video import write_video

_MIDDLE = Region(x=(0.36, 0.64), y=(0.42, 0.58), size=(0.27, 0.40))
_LEFT_HALF = Region(x=(0.22, 0.31), y=(0.42, 0.58), size=(0.28, 0.35))
_RIGHT_HALF = Region(x=(0.69, 0.78), y=(0.42, 0.58), size=(0.28, 0.35))
_FIELD = (1.0, 1.35)  # focal lengths in widths of the picture


@dataclass(frozen=True)
class Role:
    """One hand's part in a video."""

    side: Side
    region: Region
    leaves: bool  # is out of the picture for some seconds


# Both hands as one sees one's own: MediaPipe finds fewer of two hands whose thumbs point at each other.
CASTS: tuple[tuple[Role, ...], ...] = (
    (Role("right", _MIDDLE, leaves=True),),
    (Role("left", _LEFT_HALF, leaves=False), Role("right", _RIGHT_HALF, leaves=True)),
    (Role("left", _MIDDLE, leaves=True),),
    (Role("left", _LEFT_HALF, leaves=True), Role("right", _RIGHT_HALF, leaves=False)),
)


@dataclass(frozen=True)
class Shot:
    """All that a video's frames are drawn from."""

    times_s: np.ndarray  # (n,)
    camera: Camera
    backdrop: Backdrop
    sensor: Sensor
    light: Light
    hands: Sequence[Hand]


def render_film(
    model: Path, settings: DemoSettings, seed: Sequence[int], roles: Sequence[Role], *, video: Path, truth: Path
) -> None:
    """Renders a video and then its truth table.

    Args:
        model: the hand model's file.
        settings: size, length and frame rate.
        seed: all that is drawn depends on it alone.
        roles: the hands.
        video: the file to write; its name is the video's id.
        truth: the Parquet file to write.
    """
    rng = np.random.default_rng(seed)
    shot = prepare(rng, model, settings, roles)
    visible = np.zeros((len(shot.hands), len(shot.times_s)), bool)
    write_video(video, frames(rng, shot, visible), settings.fps, settings.width, settings.height)
    write_parquet(truth_table(video.name, shot.times_s, shot.hands, visible, shot.camera), truth, TRUTH)


def prepare(rng: np.random.Generator, model: Path, settings: DemoSettings, roles: Sequence[Role]) -> Shot:
    """Draws a person, a place, and what the person's hands do there."""
    width, height = settings.width, settings.height
    times_s = np.arange(round(rng.uniform(*settings.seconds) * settings.fps)) / settings.fps
    camera = Camera.centred(width * rng.uniform(*_FIELD), width, height)
    person = draw_person(rng)
    motions = [draw_motion(rng, times_s, role.region, role.leaves) for role in roles]
    placed = zip(roles, motions, strict=True)
    hands = [place_hand(hand_model(model), person, role.side, motion, camera) for role, motion in placed]
    return Shot(times_s, camera, Backdrop(rng, width, height), Sensor(rng, width, height), draw_light(rng), hands)


def frames(rng: np.random.Generator, shot: Shot, visible: np.ndarray) -> Iterator[np.ndarray]:
    """The frames (height, width, 3), uint8 RGB; `visible` (hands, n) is filled on the way."""
    for i, time_s in enumerate(shot.times_s.tolist()):
        picture, visible[:, i] = draw_frame(shot.hands, i, shot.backdrop.at(time_s), shot.camera, shot.light)
        yield shot.sensor.expose(rng, picture)
