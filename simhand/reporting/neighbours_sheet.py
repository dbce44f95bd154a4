"""A sheet of hands with their most similar hands of other videos (paper: Figures 2 and 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simhand.files import read_parquet
from simhand.reporting.crop_files import CropFiles
from simhand.reporting.data_inputs import Pool
from simhand.reporting.figures import BLUE, GREY, INK, save_png, styled
from simhand.reporting.pool_pairs import members_at, pairs_of, shown_ranks, spread_over_videos
from simhand.reporting.skeleton import draw_skeleton
from simhand.tables import MEMBERS

_SHOWN = 8  # neighbours in one line of the sheet
_TILE_INCHES = 1.15
_LINE = 1.32  # from one line of the sheet to the next, in tiles: a picture and two lines of text
_GAP = 0.05  # between pictures, in tiles; after the query a wider one
_QUERY_GAP = 0.2


@dataclass(frozen=True)
class Tile:
    """One hand on the sheet."""

    image: np.ndarray  # (size, size, 3)
    keypoints: np.ndarray  # (21, 2) in units of the crop
    caption: str
    video: str


@styled
def neighbours_sheet(pool: Pool, crops_folder: Path, queries: int, seed: int, path: Path) -> None:
    """Draws queries, of as many videos as there are, each with its mined neighbours by rank (PNG).

    A rank that a query does not have, as annotated ones may, leaves its place empty.

    Raises:
        TableError: a table is missing or damaged, or the crops are not those of the pool.
    """
    chosen = spread_over_videos(read_parquet(pool.members, MEMBERS, ["source", "video_id", "hand_id"]), queries, seed)
    pairs = pairs_of(chosen, pool.neighbours)
    ranks = shown_ranks(np.unique(pairs["rank"].to_numpy()).tolist(), _SHOWN)
    pairs = pairs.filter(pc.field("rank").isin(ranks))
    hands = members_at({*chosen, *pairs["neighbour"].to_pylist()}, pool.members)
    crops = CropFiles(crops_folder)
    sheet: dict[int, dict[int, Tile]] = {row: {0: _tile(hands[row], crops)} for row in chosen}
    for pair in pairs.to_pylist():
        tile = _tile(hands[pair["neighbour"]], crops, pair["distance"])
        sheet[pair["row"]][ranks.index(pair["rank"]) + 1] = tile
    save_png(_draw_sheet(["Query", *(f"Top-{rank:,}" for rank in ranks)], list(sheet.values())), path)


def _tile(hand: Mapping[str, Any], crops: CropFiles, distance: float | None = None) -> Tile:
    keypoints = np.reshape(hand["keypoints"], (-1, 3))[:, :2]
    caption = f"at {hand['timestamp_s']:.1f} s" if distance is None else f"distance {distance:.3f}"
    return Tile(crops.of(hand)["image"], keypoints, caption, Path(hand["video_id"]).stem)


def _draw_sheet(headings: Sequence[str], sheet: Sequence[Mapping[int, Tile]]) -> Figure:
    """All tiles on one pair of axes, whose unit is a tile; each line holds its tiles by column."""
    width, height = _left(len(headings)) - _GAP, 0.3 + _LINE * len(sheet)
    figure = Figure(figsize=(width * _TILE_INCHES, height * _TILE_INCHES))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-_GAP, width + _GAP), ylim=(height - 0.3, -0.3))
    axes.axis("off")
    for column, heading in enumerate(headings):
        axes.text(_left(column) + 0.5, -0.1, heading, ha="center", fontsize=9, fontweight="bold")
    for line, tiles in enumerate(sheet):
        for column, tile in tiles.items():
            _draw_tile(axes, tile, _left(column), _LINE * line, framed=column == 0)
    return figure


def _left(column: int) -> float:
    return column * (1 + _GAP) + (_QUERY_GAP if column else 0.0)


def _draw_tile(axes: Axes, tile: Tile, left: float, top: float, *, framed: bool) -> None:
    axes.imshow(tile.image, extent=(left, left + 1, top + 1, top), aspect="auto", interpolation="antialiased")
    window = Rectangle((left, top), 1, 1, transform=axes.transData)
    draw_skeleton(axes, tile.keypoints + np.array([left, top]), window)
    if framed:
        axes.add_patch(Rectangle((left, top), 1, 1, fill=False, edgecolor=BLUE, linewidth=3))
    texts = ((0.13, tile.caption, INK), (0.245, _shortened(tile.video), GREY))
    for offset, text, colour in texts:
        axes.text(left + 0.5, top + 1 + offset, text, ha="center", fontsize=6.5, color=colour, parse_math=False)


def _shortened(name: str, length: int = 19) -> str:
    return name if len(name) <= length else f"{name[: length - 8]}…{name[-7:]}"
