"""A sheet of hands with their most similar hands of other videos (paper: Figures 2 and 7)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simhand.files import open_arrow, read_parquet
from simhand.frames.images import decode_jpeg
from simhand.reporting.figures import COLOURS, save_png
from simhand.reporting.inputs import Pool
from simhand.stable import stable_hash
from simhand.tables import CROPS, MEMBERS, NEIGHBOURS

_SHOWN = 8  # neighbours in one line of the sheet
_FINGERS = [[0, *range(first, first + 4)] for first in range(1, 21, 4)]  # wrist to tip
_FINGER_COLOURS = (COLOURS[4], COLOURS[2], COLOURS[3], COLOURS[6], COLOURS[5])


def neighbours_sheet(pool: Pool, crops_folder: Path, queries: int, seed: int, path: Path) -> None:
    """Draws queries, of as many videos as there are, each with its mined neighbours by rank (PNG)."""
    members = read_parquet(pool.members, MEMBERS)
    neighbours = pa.concat_tables([read_parquet(part, NEIGHBOURS) for part in pool.neighbours]).to_pandas()
    chosen = _spread_over_videos(members, queries, seed)
    columns = 1 + min(int(neighbours["rank"].max()), _SHOWN)
    figure = Figure(figsize=(1.25 * columns, 1.55 * len(chosen)), layout="constrained")
    figure.suptitle(f"Hands of the pool {pool.name} (left), and their most similar hands of other videos", fontsize=10)
    panels = figure.subplots(len(chosen), columns, squeeze=False)
    for line, query in zip(panels, chosen, strict=True):
        mined = neighbours[neighbours["row"] == query].sort_values("rank")[: columns - 1]
        _draw(line[0], members, query, crops_folder, "query", framed=True)
        for axes, (_, pair) in zip(line[1:], mined.iterrows(), strict=False):
            _draw(axes, members, int(pair["neighbour"]), crops_folder, f"{int(pair['rank'])}: {pair['distance']:.2f}")
    save_png(figure, path)


def _spread_over_videos(members: pa.Table, queries: int, seed: int) -> list[int]:
    """Rows of so many hands: the first of every video, then the second, in the order of a stable hash."""
    frame = pd.DataFrame({"video": members["video_id"].to_pylist(), "hand": members["hand_id"].to_pylist()})
    frame["order"] = [stable_hash(hand, seed) for hand in frame["hand"]]
    frame = frame.sort_values("order")
    frame["turn"] = frame.groupby("video").cumcount()
    return sorted(frame.sort_values(["turn", "order"]).index[:queries].tolist())


def _draw(axes: Axes, members: pa.Table, row: int, crops_folder: Path, caption: str, *, framed: bool = False) -> None:
    hand = members.slice(row, 1).to_pylist()[0]
    image = decode_jpeg(_crops(crops_folder / hand["source"] / f"{hand['shard']}.arrow")["jpeg"][hand["shard_row"]])
    keypoints = np.reshape(hand["keypoints"], (-1, 3))[:, :2] * image.shape[0] - 0.5
    axes.imshow(image)
    for finger, colour in zip(_FINGERS, _FINGER_COLOURS, strict=True):
        axes.plot(*keypoints[finger].T, color=colour, linewidth=1, marker=".", markersize=2)
    video = Path(hand["video_id"]).stem
    axes.set_title(caption, fontsize=7, pad=2, fontweight="bold" if framed else "normal")
    axes.set_xlabel(video if len(video) < 20 else f"{video[:18]}…", fontsize=5, labelpad=1)
    axes.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=framed, linewidth=2, color=COLOURS[1])


@cache
def _crops(path: Path) -> pa.Table:
    return open_arrow(path, CROPS)
