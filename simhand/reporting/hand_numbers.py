"""Sizes, scores and visibility of hands: as arrays, and counted in bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from simhand.files import keypoints_array, open_arrow, read_parquet
from simhand.mining.pool import IN_FRAME, visible_share
from simhand.reporting.data_inputs import Shard
from simhand.reporting.data_tables import HISTOGRAMS
from simhand.tables import CROPS, HANDS, KEYPOINTS, N_JOINTS

_BOX = ["x1", "y1", "x2", "y2"]
_SIZE = ["frame_width", "frame_height"]
_BINS = 40
_MOST = 0.995  # of the values have bins of equal width; the last bin reaches up to the greatest


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
    return HandNumbers(*(np.concatenate([np.zeros(0, np.float32), *column]) for column in zip(*parts, strict=True)))


def histograms(sources: Mapping[str, HandNumbers]) -> pa.Table:
    """The numbers of each source, counted in bins (HISTOGRAMS); no rows for a quantity that no hand has."""
    rows = []
    for source, numbers in sources.items():
        for quantity, values in asdict(numbers).items():
            edges = bin_edges(values, quantity)
            counts = count_in_bins(values, edges)
            edges[-1] = max(edges[-1], values.max(initial=0))
            rows += [
                {"source": source, "quantity": quantity, "low": low, "high": high, "hands": count}
                for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
                if len(values)
            ]
    return pa.Table.from_pylist(rows, HISTOGRAMS)


def bin_edges(values: np.ndarray, quantity: str) -> np.ndarray:
    """The borders of a quantity's bins: of scores always the same, of sizes up to nearly all values."""
    if quantity == "visible":
        return (np.arange(N_JOINTS + 2) - 0.5) / N_JOINTS  # a bin for each of the shares that there are
    if quantity.endswith("score"):
        return np.linspace(0, 1, _BINS + 1)
    high = float(np.quantile(values, _MOST)) if len(values) else 0.0
    return np.linspace(0, high if high > 0 else 1.0, _BINS + 1)


def count_in_bins(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values lie in each bin; what lies beyond the last one counts there."""
    exact = values.astype(np.float64)  # a border in float32 may lie beyond itself
    return np.histogram(np.clip(exact, edges[0], edges[-1]), edges)[0]


def _numbers_of(shard: Shard) -> tuple[np.ndarray, ...]:
    crops = open_arrow(shard.crops, CROPS)
    boxes = read_parquet(shard.hands, HANDS, [*_BOX, *_SIZE, "score"]) if shard.hands else crops.select(_BOX + _SIZE)
    x1, y1, x2, y2 = (boxes[name].to_numpy() for name in _BOX)
    longer = np.maximum(x2 - x1, y2 - y1)
    frame = np.maximum(*(boxes[name].to_numpy() for name in _SIZE)).astype(np.float32)
    score = boxes["score"].to_numpy() if shard.hands else np.zeros(0, np.float32)
    return longer, longer / np.maximum(frame, 1), score, *_keypoint_numbers(crops, shard)


def _keypoint_numbers(crops: pa.Table, shard: Shard) -> tuple[np.ndarray, np.ndarray]:
    keypoints = read_parquet(shard.keypoints, KEYPOINTS, ["status", "score", "keypoints"])
    found = keypoints["status"].to_numpy() == "found"
    keypoints = keypoints.filter(found)
    visible = visible_share(keypoints_array(keypoints["keypoints"]), crops.select(IN_FRAME).filter(found))
    return keypoints["score"].drop_null().to_numpy(), visible
