"""Of the hands that are wanted as many left as right, in each shard and so in all: no shard waits for another."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from simhand.files import read_parquet, write_parquet
from simhand.hands.selection import READ, unwanted
from simhand.hands.settings import BalanceSettings, SelectionSettings
from simhand.stable import stable_hash
from simhand.tables import BALANCED, DROPPED, HANDS

log = logging.getLogger(__name__)


def kept_hands(hand_ids: Sequence[str], sides: Sequence[str], seed: int) -> list[bool]:
    """Which hands stay so that left and right are equally many (paper: section 3.1).

    All hands of the rarer side stay, and of the other those with the smallest stable hash: which these are depends on
    nothing but their ids.
    """
    by_side = {side: [h for h, s in zip(hand_ids, sides, strict=True) if s == side] for side in ("left", "right")}
    count = min(len(hands) for hands in by_side.values())
    kept = {
        hand for hands in by_side.values() for hand in sorted(hands, key=lambda h: (stable_hash(h, seed), h))[:count]
    }
    return [hand in kept for hand in hand_ids]


def balance_shard(
    hands_path: Path | str, balanced_path: Path | str, settings: BalanceSettings, selection: SelectionSettings
) -> None:
    """Stage 4: writes which hands of a shard stay, and why the others do not (BALANCED).

    Left and right are balanced among the hands that are wanted.

    Raises:
        TableError: the table of hands is missing or damaged.
    """
    hands = read_parquet(hands_path, HANDS, ["hand_id", "side", *READ])
    dropped = unwanted(hands, selection)
    if settings.enabled:
        wanted = np.flatnonzero(dropped == "")
        ids, sides = (hands[name].take(wanted).to_pylist() for name in ("hand_id", "side"))
        dropped[wanted[~np.array(kept_hands(ids, sides, settings.seed), bool)]] = "balance"
    _log_counts(hands["side"].to_pylist(), dropped)
    columns = {"kept": pa.array(dropped == ""), "dropped": pa.array(dropped, pa.string())}
    balanced = pa.table({"hand_id": hands["hand_id"], "side": hands["side"], **columns})
    write_parquet(balanced, balanced_path, BALANCED)


def _log_counts(sides: list[str], dropped: np.ndarray) -> None:
    counts = ", ".join(f"{reason} {np.count_nonzero(dropped == reason)}" for reason in DROPPED)
    found = (sides.count("left"), sides.count("right"))
    log.info("%d left and %d right hands; dropped: %s; %d kept", *found, counts, np.count_nonzero(dropped == ""))
