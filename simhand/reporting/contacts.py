"""Who found the hands of each source, and what they touch."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from simhand.reporting.data_inputs import Shard
from simhand.reporting.data_tables import CONTACTS, UNKNOWN
from simhand.reporting.grid import Grid
from simhand.reporting.shard_hands import hands_of
from simhand.tables import CONTACT_STATES

_KEYS = ["source", "detector", "contact"]
_STATES = (*CONTACT_STATES, UNKNOWN)


def contacts(shards: Sequence[Shard]) -> pa.Table:
    """How many hands of each source touch what (CONTACTS), sources in the order of the shards.

    Raises:
        TableError: a table is missing or damaged, or two of a shard do not belong together.
    """
    counts = pd.concat([_counts_of(shard) for shard in shards]) if shards else CONTACTS.empty_table().to_pandas()
    sums = counts.groupby(_KEYS, sort=False).sum().reset_index()
    places = [list(dict.fromkeys(shard.source for shard in shards)), sorted(set(sums["detector"])), _STATES]
    rows = sums.to_dict("records")
    rows.sort(key=lambda row: [order.index(row[key]) for order, key in zip(places, _KEYS, strict=True)])
    for row in rows:
        row["with_object"] = None if row["contact"] == UNKNOWN else row["with_object"]
    return pa.Table.from_pylist(rows, CONTACTS)


def _counts_of(shard: Shard) -> pd.DataFrame:
    hands = hands_of(shard, ["side_source", "contact", "object_score"])
    hands["contact"] = hands["contact"].where(hands["contact"].notna(), UNKNOWN)
    hands["with_object"] = hands["object_score"].notna()
    groups = hands.rename(columns={"side_source": "detector"}).groupby(_KEYS[1:])
    counts = groups.agg(hands=("kept", "size"), kept=("kept", "sum"), with_object=("with_object", "sum"))
    return counts.reset_index().assign(source=shard.source)


def detectors_note(shards: Sequence[Shard], counts: pa.Table) -> str:
    """Where the hands of each source come from, in a sentence or more.

    Args:
        shards: of all sources.
        counts: CONTACTS of them.
    """
    frame = counts.to_pandas()
    origins: dict[str, list[str]] = {}
    for source, annotated in {shard.source: shard.hands is None for shard in shards}.items():
        names = " and ".join(dict.fromkeys(frame.loc[frame["source"] == source, "detector"]))
        origin = "none" if not names else f"annotated ({names})" if annotated else f"found by {names}"
        origins.setdefault(origin, []).append(source)
    return " ".join(f"Hands of {', '.join(sources)}: {origin}." for origin, sources in origins.items())


def contact_grid(counts: pa.Table) -> Grid | None:
    """CONTACTS for reading; nothing where no contact is known."""
    rows = counts.to_pylist()
    if all(row["contact"] == UNKNOWN for row in rows):
        return None
    totals = counts.to_pandas().groupby("source")["hands"].sum()
    lines = [
        [
            *(row[key] for key in _KEYS),
            f"{row['hands']:,}",
            _percent(row["hands"], totals[row["source"]]),
            f"{row['kept']:,}",
            "" if row["with_object"] is None else _percent(row["with_object"], row["hands"]),
        ]
        for row in rows
    ]
    header = [*_KEYS, "hands", "of the source", "kept", "with an object"]
    return Grid(header, lines, frozenset(range(len(_KEYS), len(header))))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
