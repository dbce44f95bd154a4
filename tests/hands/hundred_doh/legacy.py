"""The official rule of suppression, box by box in float32 (spec: section 12)."""

from __future__ import annotations

import numpy as np


def kept(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    """Best first; of equal scores the first counts as better."""
    boxes, one = np.asarray(boxes, np.float32).reshape(-1, 4), np.float32(1)
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1 + one) * (y2 - y1 + one)
    order = np.argsort(-np.asarray(scores), kind="stable")
    stay: list[int] = []
    while len(order):
        i, rest = order[0], order[1:]
        width = np.maximum(0, np.minimum(x2[i], x2[rest]) - np.maximum(x1[i], x1[rest]) + one)
        height = np.maximum(0, np.minimum(y2[i], y2[rest]) - np.maximum(y1[i], y1[rest]) + one)
        with np.errstate(divide="ignore", invalid="ignore"):  # boxes that end before they begin have any area
            overlap = width * height / (areas[i] + areas[rest] - width * height)
        assert overlap.dtype == np.float32
        stay.append(int(i))
        order = rest[~(overlap >= np.float32(threshold))]
    return stay


def overlaps(boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs by the same rule, exactly: float64 (N, N)."""
    x1, y1, x2, y2 = np.asarray(boxes, np.float64).reshape(-1, 4).T
    width = np.minimum.outer(x2, x2) - np.maximum.outer(x1, x1) + 1
    height = np.minimum.outer(y2, y2) - np.maximum.outer(y1, y1) + 1
    shared = width.clip(0) * height.clip(0)
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    return shared / (np.add.outer(areas, areas) - shared)
