"""A made-up labelled set in FreiHAND's layout: coloured dots where the joints are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.io import write_jpeg

SIDE_PX = 64
CAMERA = np.array([[80.0, 0, SIDE_PX / 2], [0, 80.0, SIDE_PX / 2], [0, 0, 1]])
WriteSet = Callable[..., Path]


def _hand_m(rng: np.random.Generator) -> np.ndarray:
    """A flat hand with straight fingers, turned at random: (21, 3) in metres, half a metre away."""
    angles = np.deg2rad([-50, -20, 0, 18, 36]) + rng.uniform(-0.15, 0.15, 5)
    lengths = np.array([[0.04, 0.07, 0.095, 0.115], *4 * [[0.08, 0.115, 0.14, 0.16]]])
    fingers = lengths[..., None] * np.stack([np.sin(angles), -np.cos(angles), 0 * angles], axis=1)[:, None]
    joints = np.concatenate([np.zeros((1, 3)), fingers.reshape(20, 3)])
    turn = rng.uniform(-0.5, 0.5)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    tilt = rng.uniform(-0.5, 0.5)
    rotation = rotation @ [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    return joints @ rotation.T + np.array([0.0, 0.06, 0.5])


def _picture(joints_m: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    image = rng.integers(0, 60, (3, SIDE_PX, SIDE_PX)).astype(np.uint8)
    points = joints_m @ CAMERA.T
    for joint, (x, y) in enumerate((points[:, :2] / points[:, 2:]).astype(int)):
        colour = (120 + 6 * joint, 255 - 6 * joint, 100 if joint % 4 else 250)
        image[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = np.array(colour, dtype=np.uint8)[:, None, None]
    return torch.from_numpy(image)


def _write_split(root: Path, split: str, labels: int, backgrounds: int, rng: np.random.Generator) -> None:
    joints_m = [_hand_m(rng) for _ in range(labels)]
    (root / f"{split}_xyz.json").write_text(json.dumps([joints.tolist() for joints in joints_m]))
    (root / f"{split}_K.json").write_text(json.dumps([CAMERA.tolist()] * labels))
    (root / split / "rgb").mkdir(parents=True)
    for row in range(labels * backgrounds):
        write_jpeg(_picture(joints_m[row % labels], rng), str(root / split / "rgb" / f"{row:08d}.jpg"), quality=95)


@pytest.fixture(scope="session", autouse=True)
def _alone(one_thread: None) -> None:
    """Of all tests here."""


@pytest.fixture(scope="session")
def write_set() -> WriteSet:
    def write(root: Path, training: int = 8, evaluation: int = 3, backgrounds: int = 1) -> Path:
        rng = np.random.default_rng(0)
        root.mkdir(parents=True)
        _write_split(root, "training", training, backgrounds, rng)
        _write_split(root, "evaluation", evaluation, 1, rng)
        return root

    return write


@pytest.fixture(scope="session")
def labelled(write_set: WriteSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight training hands and three others; not to be changed."""
    return write_set(tmp_path_factory.mktemp("labelled") / "set")
