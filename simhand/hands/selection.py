"""Which of the detected hands are wanted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simhand.hands.settings import SelectionSettings

READ = ["score", "x1", "y1", "x2", "y2", "contact"]  # columns of HANDS


def unwanted(hands: pa.Table, selection: SelectionSettings) -> np.ndarray:
    """Why each hand is not wanted: the first of "score", "size" and "contact" that applies (DROPPED), or "".

    A score or box that is no finite number is not wanted, whatever the settings; nor is an unknown contact where some
    contact is.

    Args:
        hands: the columns READ of HANDS.
        selection: what is wanted.

    Returns:
        text (object), an entry a hand.
    """
    wanted = {
        "score": _between(hands["score"].to_numpy(), selection.min_score, None),
        "size": _between(_longer_side_px(hands), selection.min_box_px, selection.max_box_px),
        "contact": _in_contact(hands["contact"], selection.contact),
    }
    return np.select([~passed for passed in wanted.values()], list(wanted), "").astype(object)


def _between(values: np.ndarray, low: float, high: float | None) -> np.ndarray:
    """Where finite float32 values lie within limits, these included: in float32, where 0.9 is not less than 0.9."""
    below = True if high is None else values <= np.float32(high)
    return np.isfinite(values) & (values >= np.float32(low)) & below


def _longer_side_px(hands: pa.Table) -> np.ndarray:
    """Of each hand's box; NaN where a corner is no finite number."""
    corners = np.stack([hands[name].to_numpy() for name in ("x1", "y1", "x2", "y2")])
    x1, y1, x2, y2 = np.where(np.isfinite(corners), corners, np.nan)
    return np.maximum(x2 - x1, y2 - y1)


def _in_contact(contact: pa.ChunkedArray, states: tuple[str, ...]) -> np.ndarray:
    if not states:
        return np.ones(len(contact), bool)
    return np.isin(contact.to_numpy(), states)
