"""Annotated similar hands as neighbours of a pool."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import PoolError, TableError
from simhand.files import keypoints_column, read_parquet, write_parquet
from simhand.hand100m.reading import read_annotations
from simhand.hand100m.released import released_neighbours
from simhand.hand100m.settings import ReleasedSettings
from simhand.pretraining.pool import read_positives
from simhand.tables import MEMBERS, NEIGHBOURS
from tests.hand100m.made_up import annotation, image, write_json

IMAGES = [image(i, f"v{i}/frame_000000.jpg") for i in range(3)]
POSITIVES = {  # hand: its similar hands; hand k lies in image k % 3
    "0": ["1", "2", "4"],
    "1": ["2", "0", "3"],
    "2": ["4", "3", "1"],
    "3": ["1", "0", "2"],  # 0 is of the same video
    "4": ["3", "2", "0"],
}


def write_annotations(folder: Path, name: str, positives: dict[str, list[str]]) -> Path:
    hands = [
        annotation(hand, int(hand) % 3, positive_sample=others, distance=[0.125 * (i + 1) for i in range(len(others))])
        for hand, others in positives.items()
    ]
    read_annotations(write_json(folder / f"{name}.json", IMAGES, hands), folder / f"{name}.arrow")
    return folder / f"{name}.arrow"


def write_members(path: Path, hands: list[tuple[str, str]]) -> Path:
    """Members (source, hand_id of the annotations), in this order."""
    count = len(hands)
    columns: dict[str, Any] = {
        "row": range(count),
        "hand_id": [f"{source}/{hand}" for source, hand in hands],
        "source": [source for source, _ in hands],
        "shard": ["0of1"] * count,
        "shard_row": range(count),
        "video_id": [f"v{int(hand) % 3}" for _, hand in hands],
        "frame_index": [0] * count,
        "timestamp_s": [0.0] * count,
        "side": ["right"] * count,
        "visible": [1.0] * count,
        "keypoints": keypoints_column(np.zeros((count, 21, 3))),
    }
    write_parquet(pa.table(columns).select(MEMBERS.names), path, MEMBERS)
    return path


def run(members: Path, annotations: dict[str, Path], **settings: Any) -> list[tuple[int, int, int, float]]:
    out = members.with_name("released.parquet")
    released_neighbours(members, annotations, ReleasedSettings(**settings), out, pool="p")
    table = read_parquet(out, NEIGHBOURS)
    return list(zip(*(table[name].to_pylist() for name in NEIGHBOURS.names), strict=True))


def test_rows_ranks_and_distances_by_hand(tmp_path: Path) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES)
    members = write_members(tmp_path / "m", [("s", hand) for hand in ("4", "1", "0", "3", "2")])
    # rows: hand 4 is 0, 1 is 1, 0 is 2, 3 is 3, 2 is 4
    assert run(members, {"s": annotations}) == [
        *((0, 1, 3, 0.125), (0, 2, 4, 0.25), (0, 3, 2, 0.375)),
        *((1, 1, 4, 0.125), (1, 2, 2, 0.25), (1, 3, 3, 0.375)),
        *((2, 1, 1, 0.125), (2, 2, 4, 0.25), (2, 3, 0, 0.375)),
        *((3, 1, 1, 0.125), (3, 2, 2, 0.25), (3, 3, 4, 0.375)),
        *((4, 1, 0, 0.125), (4, 2, 3, 0.25), (4, 3, 1, 0.375)),
    ]
    positives = read_positives([members.with_name("released.parquet")], 1, 5)
    assert positives.tolist() == [3, 4, 1, 1, 0]


def test_at_most_so_many(tmp_path: Path) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES)
    members = write_members(tmp_path / "m", [("s", hand) for hand in POSITIVES])
    assert [row[:2] for row in run(members, {"s": annotations}, neighbours=2)] == [
        (hand, rank) for hand in range(5) for rank in (1, 2)
    ]


def test_those_after_an_absent_hand_move_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES)
    members = write_members(tmp_path / "m", [("s", hand) for hand in ("0", "2", "3", "4")])  # without hand 1
    with caplog.at_level(logging.INFO):
        found = run(members, {"s": annotations}, neighbours=2)
    assert found == [
        *((0, 1, 1, 0.25), (0, 2, 3, 0.375)),
        *((1, 1, 3, 0.125), (1, 2, 2, 0.25)),
        *((2, 1, 0, 0.25), (2, 2, 1, 0.375)),
        *((3, 1, 2, 0.125), (3, 2, 1, 0.25)),
    ]
    assert "3 similar hands are not in the pool" in caplog.text
    assert "3 pairs are of one video, 0 of a hand with itself" not in caplog.text
    assert "1 pairs are of one video, 0 of a hand with itself" in caplog.text  # hand 3 and hand 0


def test_a_hand_without_any_stops_and_is_named(tmp_path: Path) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES | {"1": ["2"], "5": []})
    members = write_members(tmp_path / "m", [("s", hand) for hand in ("0", "1", "4", "5")])
    message = r"2 of 4 hands have none(.|\n)*pool p; the first: s/1\n(.|\n)*without_similar"
    with pytest.raises(PoolError, match=message):
        run(members, {"s": annotations})
    assert not members.with_name("released.parquet").exists()


def test_or_becomes_its_own_positive_if_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES | {"1": ["2"], "5": []})
    members = write_members(tmp_path / "m", [("s", hand) for hand in ("0", "1", "4", "5")])
    with caplog.at_level(logging.INFO):
        found = run(members, {"s": annotations}, without_similar="self")
    assert found == [
        *((0, 1, 1, 0.125), (0, 2, 2, 0.375)),
        (1, 1, 1, 0.0),
        (2, 1, 0, 0.375),
        (3, 1, 3, 0.0),
    ]
    assert "2 of a hand with itself" in caplog.text
    assert read_positives([members.with_name("released.parquet")], 1, 4).tolist() == [1, 1, 0, 3]


def test_each_source_has_its_own_hand_ids(tmp_path: Path) -> None:
    one = write_annotations(tmp_path, "one", {"0": ["1"], "1": ["0"]})
    two = write_annotations(tmp_path, "two", {"0": ["2"], "1": ["0"], "2": ["1"]})
    members = write_members(tmp_path / "m", [("x", "0"), ("x", "1"), ("y", "0"), ("y", "1"), ("y", "2")])
    found = run(members, {"x": one, "y": two})
    assert [row[:3] for row in found] == [(0, 1, 1), (1, 1, 0), (2, 1, 4), (3, 1, 2), (4, 1, 3)]


def test_a_source_without_annotations_is_refused(tmp_path: Path) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES)
    members = write_members(tmp_path / "m", [("s", "0"), ("films", "1")])
    with pytest.raises(PoolError, match=r"no annotated similar hands(.|\n)*films"):
        run(members, {"s": annotations})


def test_a_pool_of_other_annotations_is_refused(tmp_path: Path) -> None:
    annotations = write_annotations(tmp_path, "a", POSITIVES)
    members = write_members(tmp_path / "m", [("s", "0"), ("s", "1"), ("s", "77")])
    with pytest.raises(TableError, match=r"1 of 3 hands of the pool are not in the annotations(.|\n)*77"):
        run(members, {"s": annotations})


def test_more_hands_than_one_batch_holds(tmp_path: Path) -> None:
    count = 9000
    annotations = write_annotations(
        tmp_path, "a", {str(i): [str((i + 1) % count), str((i + 5000) % count)] for i in range(count)}
    )
    members = write_members(tmp_path / "m", [("s", str(i)) for i in range(count)])
    found = run(members, {"s": annotations})
    assert [row[2] for row in found[::2]] == [(i + 1) % count for i in range(count)]
    assert [row[2] for row in found[1::2]] == [(i + 5000) % count for i in range(count)]
