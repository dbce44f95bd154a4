"""What the gallery shows: hands of the pools, their similar hands by rank, and where both come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simhand.files import read_parquet
from simhand.reporting.crop_files import CropFiles
from simhand.reporting.data_inputs import DataInputs, Pool
from simhand.reporting.frame_files import FrameFiles
from simhand.reporting.gallery_pictures import as_text, frame_picture, in_frame, tile_picture
from simhand.reporting.pool_pairs import members_at, pairs_of, shown_ranks, spread_over_videos
from simhand.reporting.settings import ReportSettings
from simhand.tables import MEMBERS

_DIGITS = 4  # of distances
_CROP_UNITS = 1000  # keypoints are whole numbers of so many to a crop

Name: TypeAlias = tuple[str, str]  # source, hand_id


@dataclass(frozen=True)
class Picked:
    """The part of one pool that is shown."""

    pool: str
    ranks: Sequence[int]
    queries: Sequence[int]  # rows of the pool, those whose frames are shown first
    pairs: Mapping[int, Sequence[tuple[int, int, float]]]  # of each query: rank, row of the neighbour, distance
    hands: Mapping[int, Mapping[str, Any]]  # MEMBERS by row
    framed: frozenset[int]  # rows whose frames are shown


def gallery(inputs: DataInputs, settings: ReportSettings) -> dict[str, Any]:
    """Everything that the page's script shows, to be written as JSON.

    A hand that several pools or queries have stands in it once, as does a frame; both are called by number.

    Returns:
        pools: name, ranks, and queries, each [hand, [[rank, hand, distance], ...]];
        hands: source, video, time_s, frame_index, side, mirrored, tile (a picture), points (42 whole numbers in
            1/1000 of the crop), and of those whose frame is shown and still there: frame, frame_points (in pixels of
            the frame), box, square;
        frames: picture, width and height of the whole frame in pixels.

    Raises:
        TableError: a table or an image is missing or damaged, or two do not belong together.
    """
    picked = [pick(pool, settings) for pool in inputs.pools]
    hands = {_name(hand): hand for one in picked for hand in one.hands.values()}
    framed = {_name(one.hands[row]) for one in picked for row in one.framed}
    names = sorted(hands, key=lambda name: (name[0], hands[name]["shard"], hands[name]["shard_row"]))
    shown, frames = _pictures([hands[name] for name in names], framed, inputs)
    places = {name: place for place, name in enumerate(names)}
    return {"pools": [_pool_record(one, places) for one in picked], "hands": shown, "frames": frames}


def pick(pool: Pool, settings: ReportSettings) -> Picked:
    """Hands of as many videos as there are, with some of their similar hands.

    Raises:
        TableError: a table is missing or damaged.
    """
    members = read_parquet(pool.members, MEMBERS, ["source", "video_id", "hand_id"])
    queries = spread_over_videos(members, settings.gallery, settings.seed)
    framed = spread_over_videos(members.take(queries), settings.gallery_frames, settings.seed)  # some of the queries
    first = {queries[place] for place in framed}
    found = pairs_of(queries, pool.neighbours)
    ranks = shown_ranks(np.unique(found["rank"].to_numpy()).tolist(), settings.gallery_neighbours)
    pairs = _by_query(found.filter(pc.field("rank").isin(ranks)))
    shown = sorted((row for row in queries if row in pairs), key=lambda row: (row not in first, row))
    return Picked(
        pool.name,
        ranks,
        shown,
        pairs,
        members_at(_with_neighbours(shown, pairs), pool.members),
        frozenset(_with_neighbours([row for row in shown if row in first], pairs)),
    )


def _by_query(pairs: pa.Table) -> dict[int, list[tuple[int, int, float]]]:
    """Rank, neighbour and distance of each query, by rank."""
    found: dict[int, list[tuple[int, int, float]]] = {}
    for pair in pairs.sort_by([("row", "ascending"), ("rank", "ascending")]).to_pylist():
        found.setdefault(pair["row"], []).append((pair["rank"], pair["neighbour"], pair["distance"]))
    return found


def _with_neighbours(rows: Iterable[int], pairs: Mapping[int, Sequence[tuple[int, int, float]]]) -> set[int]:
    rows = list(rows)
    return {*rows, *(neighbour for row in rows for _, neighbour, _ in pairs[row])}


def _name(hand: Mapping[str, Any]) -> Name:
    return hand["source"], hand["hand_id"]


def _pool_record(picked: Picked, places: Mapping[Name, int]) -> dict[str, Any]:
    place = {row: places[_name(hand)] for row, hand in picked.hands.items()}
    queries = [
        [place[row], [[rank, place[other], round(distance, _DIGITS)] for rank, other, distance in picked.pairs[row]]]
        for row in picked.queries
    ]
    return {"name": picked.pool, "ranks": list(picked.ranks), "queries": queries}


def _pictures(
    hands: Sequence[Mapping[str, Any]], framed: set[Name], inputs: DataInputs
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The hands' records and those of their frames; hands of a shard come one after the other."""
    crops = CropFiles(inputs.crops_folder)
    files = FrameFiles(inputs.frames_folder, inputs.annotated, (hand for hand in hands if _name(hand) in framed))
    records: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    places: dict[tuple[str, str, int], int] = {}
    for hand in hands:
        crop = crops.of(hand)
        record = _hand_record(hand, crop)
        if _name(hand) in framed and files.has(hand):
            key = (hand["source"], hand["video_id"], hand["frame_index"])
            if key not in places:
                places[key] = len(frames)
                frames.append(_frame_record(files.of(hand, crop["frame_row"])))
            record |= {"frame": places[key], **_place_in_frame(hand, crop)}
        records.append(record)
    return records, frames


def _hand_record(hand: Mapping[str, Any], crop: Mapping[str, Any]) -> dict[str, Any]:
    points = np.reshape(hand["keypoints"], (-1, 3))[:, :2]
    return {
        "source": hand["source"],
        "video": hand["video_id"],
        "time_s": round(hand["timestamp_s"], 3),
        "frame_index": hand["frame_index"],
        "side": hand["side"],
        "mirrored": crop["flipped"],
        "tile": as_text(tile_picture(crop["image"])),
        "points": _whole(points * _CROP_UNITS),
    }


def _frame_record(image: np.ndarray) -> dict[str, Any]:
    return {"picture": as_text(frame_picture(image)), "width": image.shape[1], "height": image.shape[0]}


def _place_in_frame(hand: Mapping[str, Any], crop: Mapping[str, Any]) -> dict[str, list[int]]:
    box, square = ([crop[f"{kind}{corner}"] for corner in ("x1", "y1", "x2", "y2")] for kind in ("", "square_"))
    points_px = in_frame(np.reshape(hand["keypoints"], (-1, 3))[:, :2], square, flipped=crop["flipped"])
    return {"box": _whole(box), "square": _whole(square), "frame_points": _whole(points_px)}


def _whole(values: Any) -> list[int]:
    """Numbers of any shape, rounded."""
    return np.rint(np.asarray(values, np.float64)).astype(int).ravel().tolist()
