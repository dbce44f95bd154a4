"""Made-up annotations, frames and pools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from simhand.files import arrow_writer, keypoints_array, open_arrow, read_parquet, write_parquet
from simhand.frames.images import encode_jpeg
from simhand.hand100m.exporting import PoolFiles
from simhand.hands.crops import crop_shard
from simhand.hands.settings import CropSettings
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import DrawSettings
from simhand.tables import BALANCED, CROPS, FRAMES, HANDS, KEYPOINTS, MEMBERS, NEIGHBOURS, VIDEO_STATUS

WIDTH, HEIGHT = 320, 200


def frame(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A smooth image (JPEG hardly changes it) in which each place has a colour of its own: red grows with x."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, np.full_like(x, 37 * seed % 256)], axis=2).astype(np.uint8)


def keypoints(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.95, (21, 3)).astype(np.float32)


def annotation(hand_id: str, image_id: int, /, **changes: Any) -> dict[str, Any]:
    """An annotation; its keypoints depend on its id."""
    usual = {
        "hand_id": hand_id,
        "image_id": image_id,
        "boxes": "[100.7, 60.2, 160.9, 110]",
        "keypoint_25d": [float(value) for value in keypoints(int(hand_id)).ravel()],
        "left_right": "Right",
        "positive_sample": [],
        "distance": [],
    }
    return usual | changes


def image(image_id: int, file_name: str, /, **changes: Any) -> dict[str, Any]:
    return {"id": image_id, "file_name": file_name, "width": WIDTH, "height": HEIGHT} | changes


def write_json(path: Path, images: list[dict], annotations: list[dict], *, annotations_first: bool = False) -> Path:
    parts = [("images", images), ("annotations", annotations)]
    path.write_text(json.dumps(dict(parts[::-1] if annotations_first else parts)))
    return path


def write_images(folder: Path, images: list[dict]) -> None:
    """The frames of these images; each has a colour of its own."""
    for item in images:
        path = folder / item["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(frame(item["id"], item["width"], item["height"]), 100))


@dataclass(frozen=True)
class MadeUpPool:
    """A pool drawn from two sources of made-up frames by the stages' own functions."""

    files: PoolFiles
    members: list[dict[str, Any]]
    crops: list[dict[str, Any]]  # row by row the members', with the image
    neighbours: list[dict[str, Any]]

    def pixels(self) -> np.ndarray:
        """Each member's keypoints in pixels of its frame (n, 21, 2), by the definition of the tables."""
        return np.stack([_pixels(m["keypoints"], c) for m, c in zip(self.members, self.crops, strict=True)])


def _pixels(flat: list[float], crop: Mapping[str, Any]) -> np.ndarray:
    x, y, _ = np.array(flat, np.float64).reshape(21, 3).T
    x = 1 - x if crop["flipped"] else x
    x1, y1, x2, y2 = (crop[f"square_{name}"] for name in ("x1", "y1", "x2", "y2"))
    return np.stack([x1 + x * (x2 - x1), y1 + y * (y2 - y1)], axis=1)


def read_pool_tables(files: PoolFiles) -> MadeUpPool:
    members = read_parquet(files.members, MEMBERS).to_pylist()
    crops = []
    for member in members:
        table = open_arrow(files.crops / member["source"] / f"{member['shard']}.arrow", CROPS)
        crop = table.slice(member["shard_row"], 1).to_pylist()[0]
        crop["image"] = cv2.cvtColor(cv2.imdecode(np.frombuffer(crop["jpeg"], np.uint8), 1), cv2.COLOR_BGR2RGB)
        crops.append(crop)
    neighbours = [row for path in files.neighbours for row in read_parquet(path, NEIGHBOURS).to_pylist()]
    return MadeUpPool(files, members, crops, neighbours)


def write_neighbours(members_path: Path, paths: list[Path], ranks: list[int]) -> None:
    """Neighbours of other videos at these ranks, found by looking at all pairs; one table a part of the rows."""
    members = read_parquet(members_path, MEMBERS)
    points = keypoints_array(members["keypoints"])[:, :, :2].reshape(len(members), -1).astype(np.float64)
    videos = list(zip(members["source"].to_pylist(), members["video_id"].to_pylist(), strict=True))
    rows = []
    for i in range(len(members)):
        others = [j for j in range(len(members)) if videos[j] != videos[i]]
        nearest = sorted((float(np.linalg.norm(points[i] - points[j])), j) for j in others)
        for rank in ranks:
            distance, j = nearest[rank - 1]
            rows.append({"row": i, "rank": rank, "neighbour": j, "distance": np.float32(distance)})
    middle = len(rows) // len(ranks) // 2 * len(ranks)
    for path, part in zip(paths, (rows[:middle], rows[middle:]), strict=True):
        write_parquet(pa.Table.from_pylist(part, NEIGHBOURS), path, NEIGHBOURS)


def make_pool(
    folder: Path, *, border: str = "pad", ranks: tuple[int, ...] = (1, 2, 3), sources: tuple[str, ...] = ("cam", "web")
) -> MadeUpPool:
    """A pool of hands in the middle and at the borders of frames, left and right, two in some frames."""
    shards = []
    for number, source in enumerate(sources):
        for shard, videos in (("0of2", ["a.mp4", "deep/b.mp4"]), ("1of2", ["c.mp4"])):
            shards.append(
                _write_shard(folder, source, shard, videos, settings=CropSettings(border=border), seed=50 * number)
            )
    members = folder / "members.parquet"
    draw_pool(shards, DrawSettings(sources=sources), members, pool="made-up")
    neighbours = [folder / f"neighbours{part}.parquet" for part in (0, 1)]
    write_neighbours(members, neighbours, list(ranks))
    return read_pool_tables(PoolFiles(members, neighbours, folder / "crops", folder / "frames"))


def _write_shard(
    folder: Path, source: str, shard: str, videos: list[str], *, settings: CropSettings, seed: int
) -> ShardTables:
    frames, hands = _frames_and_hands(source, videos, seed)
    paths = {
        "frames": folder / "frames" / source / f"{shard}.arrow",
        "hands": folder / "hands" / source / f"{shard}.parquet",
        "balanced": folder / "balanced" / source / f"{shard}.parquet",
        "crops": folder / "crops" / source / f"{shard}.arrow",
    }
    with arrow_writer(paths["frames"], FRAMES) as writer:
        writer.write_table(pa.Table.from_pylist(frames, FRAMES))
    write_parquet(pa.Table.from_pylist(hands, HANDS), paths["hands"], HANDS)
    balanced = [{"hand_id": hand["hand_id"], "side": hand["side"], "kept": True, "dropped": ""} for hand in hands]
    write_parquet(pa.Table.from_pylist(balanced, BALANCED), paths["balanced"], BALANCED)
    crop_shard(*paths.values(), settings)
    tables = ShardTables(
        source,
        shard,
        folder / "frames" / source / f"{shard}.status.parquet",
        paths["crops"],
        folder / "keypoints" / source / f"{shard}.parquet",
    )
    found = [
        {"hand_id": hand["hand_id"], "status": "found", "reason": "", "score": 0.9}
        | {"keypoints": keypoints(i).ravel()}
        for i, hand in enumerate(hands, seed + 10 * len(videos))
    ]
    write_parquet(pa.Table.from_pylist(found, KEYPOINTS), tables.keypoints, KEYPOINTS)
    statuses = [{"video_id": v, "status": "ok", "reason": "", "frames": 3} for v in videos]
    write_parquet(pa.Table.from_pylist(statuses, VIDEO_STATUS), tables.statuses, VIDEO_STATUS)
    return tables


_BOXES = ((120.6, 70.3, 180.2, 121.9), (2.5, 1.5, 50.9, 40.2), (270.4, 150.8, 318.9, 199.1), (-4.2, 60.0, 61.7, 140.3))


def _frames_and_hands(source: str, videos: list[str], seed: int) -> tuple[list[dict], list[dict]]:
    frames, hands = [], []
    for video in videos:
        for index in (0, 31, 62):
            key = {"video_id": video, "frame_index": index, "timestamp_s": index / 31}
            frames.append({**key, "jpeg": encode_jpeg(frame(seed + len(frames)), 95)})
            for box, side in _hands_in_frame(len(frames)):
                hands.append(
                    {
                        "hand_id": f"{source}/{video}:{index}:{side}",
                        **key,
                        "frame_row": len(frames) - 1,
                        "frame_width": WIDTH,
                        "frame_height": HEIGHT,
                        **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
                        "score": 0.9,
                        "side": side,
                        "detected_side": side.title(),
                        "side_source": "made up",
                        "contact": None,
                    }
                )
    return frames, hands


def _hands_in_frame(number: int) -> Iterator[tuple[tuple[float, ...], str]]:
    yield _BOXES[number % 4], ("left", "right")[number % 2]
    if number % 3 == 0:
        yield _BOXES[(number + 1) % 4], ("right", "left")[number % 2]
