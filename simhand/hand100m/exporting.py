"""Writes a pool and its neighbours as annotations in the official layout."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simhand.errors import TableError
from simhand.files import keypoints_array, read_parquet, whole_file
from simhand.hand100m.annotations import SIDES, pool_hand_id
from simhand.hand100m.frame_files import AnnotatedImages, file_name, write_frames
from simhand.hand100m.geometry import change_units, has_area, mirrored, official_square
from simhand.hand100m.located import Located, locate
from simhand.hand100m.positives import Positives, read_positives
from simhand.hand100m.settings import ExportSettings
from simhand.progress import Progress
from simhand.tables import MEMBERS

log = logging.getLogger(__name__)

_BATCH = 4096  # hands in memory with their keypoints
_COLUMNS = ["row", "hand_id", "source", "shard", "shard_row", "video_id", "frame_index", "side"]
_NUMBER = re.compile("[0-9]+")
_WORDS = {side: word for word, side in SIDES.items()}


@dataclass(frozen=True)
class PoolFiles:
    """Where a pool and what it was made from lie."""

    members: Path
    neighbours: Sequence[Path]
    crops: Path  # folder of {source}/{shard}.arrow
    frames: Path  # folder of {source}/{shard}.arrow
    annotated: Mapping[str, AnnotatedImages] = field(default_factory=dict)  # by source, where there are no such tables


def export_pool(files: PoolFiles, out: Path, settings: ExportSettings) -> None:
    """Writes one JSON with all hands of a pool and the frames that it names, so that the official loader reads them.

    All sources of a pool go into one JSON: the official code looks for a hand's positive in the file that holds the
    hand, so pairs across sources could not be told in a file a source.

    The official loader wants `hand_id` to be a number as text. A pool that was imported from one source of annotations
    keeps its ids; other hands get the number of their row, and their own id stands in a further key, `simhand_id`.
    Boxes are truncated to whole pixels, as the loader does; keypoints are in units of its clipped square, left hands
    unmirrored. Existing files of the same name are replaced.

    Args:
        files: the pool.
        out: the folder to write: `settings.annotations` and images/{source}/{video_id}/frame_{index:06d}.jpg.
        settings: what to write.

    Raises:
        PoolError: a hand has no neighbour.
        TableError: a table is missing, damaged, or belongs to another pool; a box shows nothing of its frame.
    """
    members = read_parquet(files.members, MEMBERS, _COLUMNS)
    if not np.array_equal(members["row"].to_numpy(), np.arange(len(members))):
        raise TableError("rows are not numbered from 0 on", where=files.members, hint="draw the pool again")
    positives = read_positives(files.neighbours, len(members), settings.top_k)
    located = locate(members, files.crops)
    squares = np.array([_square(located, row) for row in range(len(members))])
    if settings.with_images:
        write_frames(members, located.frame_rows, files.frames, files.annotated, out)
    image_ids, firsts = _images_of(members)
    path = out / settings.annotations
    with whole_file(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.write('{"images": [\n')
        _write_items(file, _images(members, located, firsts))
        file.write('\n],\n"annotations": [\n')
        _write_items(
            file, _annotations(files.members, members, located, positives, squares=squares, image_ids=image_ids)
        )
        file.write("\n]}\n")
    log.info("%s: %d hands, %d images, %d pairs", path, len(members), len(firsts), len(positives.rows))


def _images_of(members: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The number of each hand's image (n,), and the first hand of each image (m,)."""
    codes = [members[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in ("source", "video_id")]
    frames = np.stack([*codes, members["frame_index"].to_numpy()], axis=1)
    _, firsts, images = np.unique(frames, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    return np.argsort(order)[images.reshape(-1)], firsts[order]


def _images(members: pa.Table, located: Located, firsts: np.ndarray) -> Iterator[dict[str, Any]]:
    for image, row in enumerate(firsts.tolist()):
        hand = {name: members[name][row].as_py() for name in ("source", "video_id", "frame_index")}
        width, height = located.sizes[row].tolist()
        yield {"id": image, "file_name": file_name(**hand), "width": width, "height": height}


def _annotations(
    members_path: Path,
    members: pa.Table,
    located: Located,
    positives: Positives,
    *,
    squares: np.ndarray,
    image_ids: np.ndarray,
) -> Iterator[dict[str, Any]]:
    names = _official_ids(members)
    with Progress("hands", len(members)) as progress:
        for rows, keypoints in _keypoints(members_path, located, squares):
            sides, own = (members[name][rows.start : rows.stop].to_pylist() for name in ("side", "hand_id"))
            for i, row in enumerate(rows):
                similar = positives.of(row)
                yield {
                    "hand_id": names[row],
                    "image_id": int(image_ids[row]),
                    "boxes": json.dumps([int(value) for value in located.boxes[row]]),
                    "keypoint_25d": keypoints[i],
                    "left_right": _WORDS[sides[i]],
                    "positive_sample": [names[other] for other in positives.rows[similar].tolist()],
                    "distance": _short(positives.distances[similar]),
                    "simhand_id": own[i],
                }
                progress.advance()


def _official_ids(members: pa.Table) -> list[str]:
    """What the hands are called in the JSON: numbers as text, each only once."""
    sources = members["source"].unique().to_pylist()
    prefix = pool_hand_id(sources[0], "")
    ids = members["hand_id"].to_pylist()
    if len(sources) == 1 and all(name.startswith(prefix) and _NUMBER.fullmatch(name, len(prefix)) for name in ids):
        return [name.removeprefix(prefix) for name in ids]
    width = len(str(len(members) - 1))
    return [f"{row:0{width}d}" for row in range(len(members))]  # of one width, so that their order is that of the rows


def _keypoints(members_path: Path, located: Located, squares: np.ndarray) -> Iterator[tuple[range, list[list[float]]]]:
    """Keypoints in units of the official squares, a batch of rows at a time."""
    start = 0
    with pq.ParquetFile(members_path) as file:
        for batch in file.iter_batches(_BATCH, columns=["keypoints"]):
            rows = range(start, start + len(batch))
            part = slice(rows.start, rows.stop)
            unmirrored = mirrored(keypoints_array(pa.chunked_array([batch["keypoints"]])), located.flipped[part])
            keypoints = change_units(unmirrored, located.squares[part], squares[part])
            yield rows, _short(keypoints.reshape(len(rows), -1))
            start = rows.stop


def _square(located: Located, row: int) -> tuple[int, int, int, int]:
    square = official_square(located.boxes[row].tolist(), *located.sizes[row].tolist())
    if not has_area(square):
        raise TableError(
            "a box shows nothing of its frame",
            where=f"row {row} of the pool",
            expected=f"a box of more than a pixel within {located.sizes[row].tolist()}",
            got=located.boxes[row].tolist(),
            hint="the official loader would fail on it: draw the pool without this hand",
        )
    return square


def _short(values: np.ndarray) -> Any:
    """As lists of the shortest decimal numbers that are these numbers in float32."""
    return values.astype(np.float32).astype(str).astype(np.float64).tolist()


def _write_items(file: TextIO, items: Iterator[dict[str, Any]]) -> None:
    for number, item in enumerate(items):
        file.write(("" if number == 0 else ",\n") + json.dumps(item))
