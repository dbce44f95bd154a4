"""Sizes, scores and visibility of hands, as arrays to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.mining.pool import visible_share
from simhand.reporting.data_inputs import Shard
from simhand.tables import CROPS, HANDS, KEYPOINTS

_BOX = ["x1", "y1", "x2", "y2"]
_SIZE = ["frame_width", "frame_height"]
_IN_FRAME = ["flipped", *_SIZE, *(f"square_{name}" for name in _BOX)]


@dataclass(frozen=True)
class HandNumbers:
    """Each an array with an entry a hand: found hands, or of annotated ones those with an image."""

    box_px: np.ndarray  # the longer side
    box_share: np.ndarray  # in units of the frame's longer side
    score: np.ndarray  # of detection; none where hands are annotated
    keypoint_score: np.ndarray  # of hands with keypoints; none where annotated
    visible: np.ndarray  # share of keypoints inside the frame, of hands with keypoints


def hand_numbers(shards: Sequence[Shard]) -> HandNumbers:
    """The numbers of all hands of some shards.

    Raises:
        TableError: a table is missing or damaged.
    """
    parts = [_numbers_of(shard) for shard in shards]
    return HandNumbers(*(np.concatenate([np.zeros(0), *column]) for column in zip(*parts, strict=True)))


def _numbers_of(shard: Shard) -> tuple[np.ndarray, ...]:
    crops = open_arrow(shard.crops, CROPS)
    boxes = read_parquet(shard.hands, HANDS, [*_BOX, *_SIZE, "score"]) if shard.hands else crops.select(_BOX + _SIZE)
    x1, y1, x2, y2 = (boxes[name].to_numpy() for name in _BOX)
    longer = np.maximum(x2 - x1, y2 - y1)
    frame = np.maximum(*(boxes[name].to_numpy() for name in _SIZE))
    score = boxes["score"].to_numpy() if shard.hands else np.zeros(0)
    return longer, longer / np.maximum(frame, 1), score, *_keypoint_numbers(crops, shard)


def _keypoint_numbers(crops: pa.Table, shard: Shard) -> tuple[np.ndarray, np.ndarray]:
    keypoints = read_parquet(shard.keypoints, KEYPOINTS, ["status", "score", "keypoints"])
    found = keypoints["status"].to_numpy() == "found"
    keypoints = keypoints.filter(found)
    visible = visible_share(keypoints_array(keypoints["keypoints"]), crops.select(_IN_FRAME).filter(found))
    return keypoints["score"].drop_null().to_numpy(), visible
