"""As many left as right hands, in each shard and so in all: no shard waits for another."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from simhand.files import read_parquet, write_parquet
from simhand.hands.settings import BalanceSettings
from simhand.stable import stable_hash
from simhand.tables import BALANCED, HANDS

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


def balance_shard(hands_path: Path | str, balanced_path: Path | str, settings: BalanceSettings) -> None:
    """Stage 4: writes which hands of a shard stay (BALANCED)."""
    hands = read_parquet(hands_path, HANDS).select(["hand_id", "side"])
    ids, sides = hands["hand_id"].to_pylist(), hands["side"].to_pylist()
    kept = kept_hands(ids, sides, settings.seed) if settings.enabled else [True] * len(ids)
    log.info("%d left and %d right hands; %d kept", sides.count("left"), sides.count("right"), sum(kept))
    write_parquet(hands.append_column("kept", pa.array(kept, pa.bool_())), balanced_path, BALANCED)
