"""Rendered hands whose joints are known, and a model that has learnt them by heart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.train import Outputs, Start, finetune
from simhand.prediction.film import film
from simhand.synthetic.freihand import write_labels
from simhand.synthetic.hand_cache import model_file
from simhand.synthetic.labelled import render_person

_LEARNING = FinetuningSettings(
    encoder="resnet18",
    head="regression25d",  # a tenth of DetNet's time
    image_size=64,
    epochs=100,
    batch_size=4,
    decay_every_epochs=80,
    augment=False,
    device="cpu",
    checkpoint_every_epochs=100,
)


@dataclass(frozen=True)
class Truth:
    """One right hand in an image of 404 x 384."""

    rgb: np.ndarray  # (384, 404, 3)
    keypoints_px: np.ndarray  # (21, 2)
    joints_mm: np.ndarray  # (21, 3) relative to the wrist

    def mirrored(self) -> Truth:
        """The left hand of the mirror."""
        x = self.rgb.shape[1] - 1 - self.keypoints_px[:, :1]
        keypoints_px = np.hstack([x, self.keypoints_px[:, 1:]])
        return Truth(np.ascontiguousarray(self.rgb[:, ::-1]), keypoints_px, self.joints_mm * [-1, 1, 1])


@pytest.fixture(scope="session", autouse=True)
def _alone(one_thread: None) -> None:
    """Of all tests here."""


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set in FreiHAND's layout: four right hands to learn, one more."""
    folder = tmp_path_factory.mktemp("rendered")
    model = model_file(folder)
    for split, count in (("training", 4), ("evaluation", 1)):
        images = [folder / "set" / split / "rgb" / f"{i:08d}.jpg" for i in range(count)]
        images[0].parent.mkdir(parents=True)
        render_person(model, (1, count), images, folder / f"{split}.json")
        write_labels(folder / "set", split, [folder / f"{split}.json"])
    return folder / "set"


@pytest.fixture(scope="session")
def hands(rendered: Path) -> list[Truth]:
    """The four hands, with room around them, off the middle."""
    labels = zip(*(json.loads((rendered / f"training_{name}.json").read_text()) for name in ("K", "xyz")), strict=True)
    truths = []
    for row, (camera, joints_m) in enumerate(labels):
        rgb = np.asarray(Image.open(rendered / "training" / "rgb" / f"{row:08d}.jpg"))
        seen = np.array(joints_m) @ np.transpose(camera)
        joints_mm = 1000 * (np.array(joints_m) - joints_m[0])
        keypoints_px = seen[:, :2] / seen[:, 2:] + [120, 70]
        truths.append(Truth(np.pad(rgb, ((70, 90), (120, 60), (0, 0))), keypoints_px, joints_mm))
    return truths


@pytest.fixture(scope="session")
def learnt(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the four hands by heart."""
    folder = tmp_path_factory.mktemp("learnt")
    names = ("model.pt", "metrics.jsonl", "predictions.parquet", "checkpoints")
    start = Start(rendered, "freihand", None, percent=100, seed=0)
    finetune(_LEARNING, start, Outputs(*(folder / name for name in names)))
    return folder / "model.pt"


@pytest.fixture(scope="session")
def clip(hands: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 8 frames, 12 a second: each hand twice, the second time in the mirror."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with film(path) as opened:
        for i, truth in enumerate([one for hand in hands for one in (hand, hand.mirrored())]):
            opened.add(truth.rgb, i / 12)
    return path
