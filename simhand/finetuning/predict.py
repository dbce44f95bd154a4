"""The joints that DetNet sees, as a table that evaluation reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from simhand.files import keypoints_column, write_parquet
from simhand.finetuning.detnet import DetNet
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.samples import Batches, HandDataset, on
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import WRIST, bone_lengths
from simhand.tables import PREDICTIONS


@torch.inference_mode()
def predict_locations(model: DetNet, hands: LabelledSet, settings: FinetuningSettings) -> np.ndarray:
    """Joints (N, 21, 3) relative to the wrist, in lengths of the bone from wrist to the middle finger's base.

    Each hand is cut out by its true keypoints, as the paper does. Always in float32: bfloat16 would round the joints.
    """
    model.eval()
    device = next(model.parameters()).device
    batches = Batches(HandDataset(hands, settings.image_size), settings.batch_size, settings.workers)
    found = [model(on(batch, device).image).locations.cpu() for batch in batches.epoch(0)]
    return torch.cat(found).numpy()


def write_predictions(model: DetNet, hands: LabelledSet, settings: FinetuningSettings, path: Path) -> None:
    """Writes simhand.tables.PREDICTIONS, one row an image."""
    predicted_mm = in_camera_frame(predict_locations(model, hands, settings), hands.joints_mm)
    columns = [pa.array(hands.images), keypoints_column(predicted_mm), keypoints_column(hands.joints_mm)]
    write_parquet(pa.table(columns, names=PREDICTIONS.names), path, PREDICTIONS)


def in_camera_frame(locations: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) as long as the true hands (N, 21, 3) and at their wrists, which DetNet does not predict."""
    return true_mm[:, [WRIST]] + bone_lengths(true_mm)[:, None, None] * locations
