"""Videos whose pictures say which frame they are: the left half tells the number modulo 25, the right half the rest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa

from simhand.files import open_arrow, read_parquet
from simhand.frames.images import decode_jpeg
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.tables import FRAMES, VIDEO_STATUS
from simhand.videos.index import write_shard_list

MILLISECONDS = Fraction(1, 1000)


def picture(number: int, width: int = 96, height: int = 64) -> np.ndarray:
    """The picture of a frame, uint8 (height, width, 3)."""
    image = np.full((height, width, 3), number // 25 * 10, np.uint8)
    image[:, : width // 2] = number % 25 * 10
    return image


def number_of(image: np.ndarray) -> int:
    """Which frame a picture shows."""
    middle = image.shape[1] // 2
    return round(image[:, : middle - 8].mean() / 10) + 25 * round(image[:, middle + 8 :].mean() / 10)


def write_numbered(
    path: Path,
    times_s: Sequence[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (96, 64),
    pixels: str = "yuv420p",
    rotation: int | None = None,
    mirrored: bool = False,
    muxing: dict[str, str] | None = None,
) -> Path:
    """Writes a video whose frame i, shown from times_s[i], is `picture(i)`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=muxing or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if codec not in ("mpeg4", "mpeg2video") and path.suffix != ".avi":
            stream.time_base = stream.codec_context.time_base = MILLISECONDS
        unit = stream.codec_context.time_base or Fraction(1, 30)
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for i, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(i, *size), "rgb24")
            frame.pts, frame.time_base = round(time_s / unit), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def at_thirty(count: int) -> list[float]:
    """The times of so many frames, 30 a second."""
    return [i / 30 for i in range(count)]


def sample(
    folder: Path, paths: Sequence[Path], settings: SamplingSettings, *, workers: int = 1, frame_rate: float = 0.0
) -> tuple[dict[str, list[dict]], dict[str, dict]]:
    """Samples files as one shard: by name, the frames (with `image`) and the status."""
    write_shard_list([(path.name, str(path), 0, "", frame_rate) for path in paths], folder / "list.tsv")
    sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", settings, workers)
    frames = open_arrow(folder / "frames.arrow", FRAMES)
    rows: dict[str, list[dict]] = {path.name: [] for path in paths}
    for row in frames.to_pylist():
        rows[row["video_id"]].append({**row, "image": decode_jpeg_bytes(row["jpeg"])})
    statuses = read_parquet(folder / "status.parquet", VIDEO_STATUS).to_pylist()
    assert [status["video_id"] for status in statuses] == [path.name for path in paths]
    return rows, {status["video_id"]: status for status in statuses}


def decode_jpeg_bytes(jpeg: bytes) -> np.ndarray:
    """A JPEG to RGB."""
    return decode_jpeg(pa.scalar(jpeg, pa.binary()))


def numbers(rows: Sequence[dict]) -> list[int]:
    """Which frames the pictures show."""
    return [number_of(row["image"]) for row in rows]


EACH_SECOND = SamplingSettings(fps=1)


def sample_among_neighbours(
    path: Path, settings: SamplingSettings = EACH_SECOND, *, workers: int = 1
) -> tuple[list[dict], dict]:
    """The frames and the status of a file between two good ones, which are checked."""
    before = write_numbered(path.parent / "neighbours" / "before.mp4", at_thirty(70))
    after = write_numbered(path.parent / "neighbours" / "after.mp4", at_thirty(40))
    rows, statuses = sample(path.parent, [before, path, after], settings, workers=workers)
    assert numbers(rows["before.mp4"]) == [0, 30, 60]
    assert numbers(rows["after.mp4"]) == [0, 30]
    for name in ("before.mp4", "after.mp4"):
        assert (statuses[name]["status"], statuses[name]["reason"]) == ("ok", "")
    assert statuses[path.name]["frames"] == len(rows[path.name])
    return rows[path.name], statuses[path.name]
