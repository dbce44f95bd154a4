"""A sheet of hands with their most similar hands of other videos (paper: Figures 2 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simhand.errors import TableError
from simhand.files import open_arrow, read_parquet
from simhand.frames.images import decode_jpeg
from simhand.reporting.data_inputs import Pool
from simhand.reporting.figures import BLUE, GOLD, GREEN, GREY, INK, ORANGE, PURPLE, SKY, save_png, styled
from simhand.stable import stable_hash
from simhand.tables import CROPS, MEMBERS, NEIGHBOURS

_SHOWN = 8  # neighbours in one line of the sheet
_FINGERS = [[0, *range(first, first + 4)] for first in range(1, 21, 4)]  # wrist to tip
_FINGER_COLOURS = (ORANGE, GOLD, GREEN, SKY, PURPLE)
_TILE_INCHES = 1.15
_LINE = 1.32  # from one line of the sheet to the next, in tiles: a picture and two lines of text
_GAP = 0.05  # between pictures, in tiles; after the query a wider one
_QUERY_GAP = 0.2


@dataclass(frozen=True)
class Tile:
    """One hand on the sheet."""

    image: np.ndarray  # (size, size, 3)
    keypoints: np.ndarray  # (21, 2) in units of the crop
    heading: str
    caption: str
    video: str


@styled
def neighbours_sheet(pool: Pool, crops_folder: Path, queries: int, seed: int, path: Path) -> None:
    """Draws queries, of as many videos as there are, each with its mined neighbours by rank (PNG).

    Raises:
        TableError: a table is missing or damaged, or the crops are not those of the pool.
    """
    members = read_parquet(pool.members, MEMBERS)
    chosen = spread_over_videos(members, queries, seed)
    mined = _neighbours_of(chosen, pool.neighbours)
    sheet = [
        [_tile(members, query, crops_folder, "Query")]
        + [_tile(members, row, crops_folder, f"Top-{rank}", distance) for rank, row, distance in mined[query]]
        for query in chosen
    ]
    save_png(_draw_sheet(sheet), path)


def spread_over_videos(members: pa.Table, queries: int, seed: int) -> list[int]:
    """Rows of so many hands: one of every video, then a second one, in the order of a stable hash."""
    frame = members.select(["source", "video_id", "hand_id"]).to_pandas()
    frame["order"] = [stable_hash(hand, seed) for hand in frame["hand_id"]]
    frame = frame.sort_values("order", kind="stable")
    frame["turn"] = frame.groupby(["source", "video_id"]).cumcount()
    return sorted(frame.sort_values(["turn", "order"], kind="stable").index[:queries].tolist())


def _neighbours_of(rows: Sequence[int], parts: Sequence[Path]) -> dict[int, list[tuple[int, int, float]]]:
    """Ranks, rows and distances of neighbours of these rows, parts being read one by one, as they can be large.

    Of more ranks than fit, the first few are shown, and of the others some up to the last.
    """
    pairs = pa.concat_tables([read_parquet(part, NEIGHBOURS).filter(pc.field("row").isin(rows)) for part in parts])
    found: dict[int, list[tuple[int, int, float]]] = {row: [] for row in rows}
    for pair in pairs.sort_by("rank").to_pylist():
        found[pair["row"]].append((pair["rank"], pair["neighbour"], pair["distance"]))
    return {row: [neighbours[i] for i in _shown(len(neighbours))] for row, neighbours in found.items()}


def _shown(count: int) -> list[int]:
    """Which of so many neighbours are shown."""
    if count <= _SHOWN:
        return list(range(count))
    first = _SHOWN // 2
    return [*range(first), *np.geomspace(first, count - 1, _SHOWN - first).round().astype(int).tolist()]


def _tile(members: pa.Table, row: int, crops_folder: Path, heading: str, distance: float | None = None) -> Tile:
    hand = members.slice(row, 1).to_pylist()[0]
    path = crops_folder / hand["source"] / f"{hand['shard']}.arrow"
    crops = open_arrow(path, CROPS)
    if hand["shard_row"] >= len(crops) or crops["hand_id"][hand["shard_row"]].as_py() != hand["hand_id"]:
        raise TableError(
            "the crops are not those of the pool",
            where=f"{path}, row {hand['shard_row']}",
            expected=hand["hand_id"],
            hint="start the workflow again: the pool will be made anew",
        )
    keypoints = np.reshape(hand["keypoints"], (-1, 3))[:, :2]
    image = decode_jpeg(crops["jpeg"][hand["shard_row"]])
    caption = f"at {hand['timestamp_s']:.1f} s" if distance is None else f"distance {distance:.3f}"
    return Tile(image, keypoints, heading, caption, Path(hand["video_id"]).stem)


def _draw_sheet(sheet: Sequence[Sequence[Tile]]) -> Figure:
    """All tiles on one pair of axes, whose unit is a tile."""
    columns = max(map(len, sheet))
    width, height = _left(columns) - _GAP, 0.3 + _LINE * len(sheet)
    figure = Figure(figsize=(width * _TILE_INCHES, height * _TILE_INCHES))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-_GAP, width + _GAP), ylim=(height - 0.3, -0.3))
    axes.axis("off")
    longest = next(tiles for tiles in sheet if len(tiles) == columns)
    for column, tile in enumerate(longest):
        axes.text(_left(column) + 0.5, -0.1, tile.heading, ha="center", fontsize=9, fontweight="bold")
    for line, tiles in enumerate(sheet):
        for column, tile in enumerate(tiles):
            _draw_tile(axes, tile, _left(column), _LINE * line, framed=column == 0)
    return figure


def _left(column: int) -> float:
    return column * (1 + _GAP) + (_QUERY_GAP if column else 0.0)


def _draw_tile(axes: Axes, tile: Tile, left: float, top: float, *, framed: bool) -> None:
    axes.imshow(tile.image, extent=(left, left + 1, top + 1, top), aspect="auto", interpolation="antialiased")
    window = Rectangle((left, top), 1, 1, transform=axes.transData)
    places = tile.keypoints + np.array([left, top])
    bones = [places[finger] for finger in _FINGERS]
    for colours, thickness in (("white", 2.2), (_FINGER_COLOURS, 1.2)):  # a light rim sets lines off from the hand
        axes.add_collection(
            LineCollection(bones, colors=colours, linewidths=thickness, capstyle="round", clip_path=window),
            autolim=False,
        )
    if framed:
        axes.add_patch(Rectangle((left, top), 1, 1, fill=False, edgecolor=BLUE, linewidth=3))
    texts = ((0.13, tile.caption, INK), (0.245, _shortened(tile.video), GREY))
    for offset, text, colour in texts:
        axes.text(left + 0.5, top + 1 + offset, text, ha="center", fontsize=6.5, color=colour, parse_math=False)


def _shortened(name: str, length: int = 19) -> str:
    return name if len(name) <= length else f"{name[: length - 8]}…{name[-7:]}"
