"""The hand model, one motion of a hand, and a small demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simhand.synthetic.camera import Camera
from simhand.synthetic.demo import render_demo
from simhand.synthetic.hand_cache import model_file
from simhand.synthetic.hand_model import HandModel, hand_model
from simhand.synthetic.motion import Motion, Region, draw_motion
from simhand.synthetic.settings import DemoSettings

FPS = 10
SMALL = DemoSettings(
    videos=4,
    seconds=(5.0, 6.0),
    fps=FPS,
    training=12,
    evaluation=6,
    dexycb=(2, 1),
    assemblyhands=(2, 1),
    seed=3,
)


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_file(tmp_path_factory.mktemp("hand"))


@pytest.fixture(scope="session")
def model(model_path: Path) -> HandModel:
    return hand_model(model_path)


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera.centred(440.0, 384, 288)


@pytest.fixture(scope="session")
def motion() -> Motion:
    region = Region(x=(0.4, 0.6), y=(0.45, 0.55), size=(0.28, 0.35))
    return draw_motion(np.random.default_rng(5), np.arange(80) / FPS, region, leaves=False)


@pytest.fixture(scope="session")
def small() -> DemoSettings:
    return SMALL


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered by two processes."""
    out = tmp_path_factory.mktemp("rendered") / "demo"
    render_demo(out, SMALL, jobs=2)
    return out
