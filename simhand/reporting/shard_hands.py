"""The hands of a shard, and which of them stay."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow, read_parquet
from simhand.reporting.data_inputs import Shard
from simhand.tables import BALANCED, CROPS, HANDS


def hands_of(shard: Shard, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of HANDS, and `kept` and `dropped` of BALANCED: a row a hand.

    Annotated hands are those with an image, all kept; columns that CROPS does not have are null.

    Raises:
        TableError: a table is missing or damaged, or the two do not belong together.
    """
    if shard.hands is None:
        return _annotated(open_arrow(shard.crops, CROPS), columns).assign(kept=True, dropped="")
    hands = read_parquet(shard.hands, HANDS, list(dict.fromkeys([*columns, "hand_id"])))
    balanced = read_parquet(shard.balanced, BALANCED)
    if not hands["hand_id"].equals(balanced["hand_id"]):
        raise TableError("the balanced hands are not those of the table of hands", where=shard.balanced)
    found = hands.select(list(columns)).append_column("kept", balanced["kept"])
    return found.append_column("dropped", balanced["dropped"]).to_pandas()


def _annotated(crops: pa.Table, columns: Sequence[str]) -> pd.DataFrame:
    known = crops.select([name for name in columns if name in CROPS.names]).to_pandas()
    return known.reindex(columns=list(columns))
