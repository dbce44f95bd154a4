"""Made-up hands, pictures and models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from simhand.finetuning.heads import HEADS
from simhand.finetuning.model_file import read_model, write_model
from simhand.finetuning.settings import FinetuningSettings
from simhand.prediction.hands import FoundHand


def write_random_model(path: Path, **settings: object) -> Path:
    """A model of random weights, small and quick."""
    chosen = FinetuningSettings.model_validate({"encoder": "resnet18", "image_size": 64, **settings})
    torch.manual_seed(0)
    card = {**chosen.model_dump(mode="json"), "format": "freihand"}
    write_model(HEADS[chosen.head].build(chosen), card, path)
    return path


def write_broken_model(path: Path) -> Path:
    """A model that predicts no numbers."""
    model, _, card = read_model(write_random_model(path))
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    write_model(model, card, path)
    return path


def smooth_noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A picture without sharp edges, uint8 (height, width, 3)."""
    coarse = torch.from_numpy(rng.integers(0, 255, (1, 3, height // 8, width // 8))).float()
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 255)
    return np.ascontiguousarray(fine[0].permute(1, 2, 0).round().byte().numpy())


def found_hand(rng: np.random.Generator, side: str = "right", **changes: object) -> FoundHand:
    """A hand somewhere in a picture of 200 x 160."""
    keypoints_px = rng.uniform(20, 140, (21, 2))
    joints_mm = rng.normal(0, 40, (21, 3))
    joints_mm[0] = 0
    box = (float(keypoints_px[:, 0].min()), 20.0, float(keypoints_px[:, 0].max()), 140.0)
    values = {"box": box, "side": side, "score": 0.9, "keypoints_px": keypoints_px, "joints_mm": joints_mm}
    return FoundHand(**{**values, "bone_mm": 100.0, "focal_px": 200.0, **changes})  # type: ignore[arg-type]
