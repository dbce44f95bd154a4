"""Samples the frames of a shard's videos. A video that cannot be read costs its own row, no more."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

import pyarrow as pa
from tqdm import tqdm

from simhand.files import arrow_writer, write_parquet
from simhand.frames import decode
from simhand.frames.settings import SamplingSettings
from simhand.tables import FRAMES, VIDEO_STATUS
from simhand.videos.index import read_shard_list

log = logging.getLogger(__name__)


@dataclass
class VideoStatus:
    """How the decoding of one video went; one row of VIDEO_STATUS."""

    video_id: str
    status: str = "ok"
    reason: str = ""
    fps: float | None = None
    duration_s: float | None = None
    frames: int = 0


def sample_shard(
    list_path: Path | str, frames_path: Path | str, status_path: Path | str, settings: SamplingSettings
) -> None:
    """Stage 2: writes the sampled frames of a shard's videos (FRAMES) and how each video went (VIDEO_STATUS).

    Frames that were decoded before a video's damage begins are kept; its status is still "corrupt" (or "timeout").
    """
    videos = read_shard_list(list_path)
    statuses = []
    with arrow_writer(frames_path, FRAMES) as writer:
        for video_id, path in tqdm(videos, desc="videos", unit="video", disable=None):
            status = _sample_video(video_id, path, writer, settings)
            log.info("%s: %s, %d frames %s", video_id, status.status, status.frames, status.reason)
            statuses.append(vars(status))
    write_parquet(pa.Table.from_pylist(statuses, VIDEO_STATUS), status_path, VIDEO_STATUS)


def _sample_video(
    video_id: str, path: str, writer: pa.RecordBatchFileWriter, settings: SamplingSettings
) -> VideoStatus:
    status = VideoStatus(video_id)
    with tempfile.TemporaryFile() as errors, _decoder(path, settings, errors) as (process, killed):
        try:
            for batch in _stream(process, status):
                names = pa.array([video_id] * len(batch), pa.string())
                writer.write_batch(pa.record_batch([names, *batch.columns], schema=FRAMES))
                status.frames += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            status.status, status.reason = "corrupt", str(error)
        code = process.wait()
        if killed:
            status.status, status.reason = "timeout", f"not decoded within {settings.time_limit_s:g} s"
        elif code != 0:
            status.status, status.reason = "corrupt", _last_line(errors) or f"the decoder ended with {code}"
    if status.status == "ok" and status.frames == 0:
        status.status, status.reason = "empty", "no frame"
    return status


@contextmanager
def _decoder(
    path: str, settings: SamplingSettings, errors: IO[bytes]
) -> Iterator[tuple[subprocess.Popen[bytes], list[bool]]]:
    """A decoding process, and a list that is filled when the time limit killed it."""
    arguments = [path, str(settings.fps), str(settings.jpeg_quality)]
    command = [sys.executable, "-m", decode.__name__, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
    killed: list[bool] = []

    def kill() -> None:
        killed.append(True)
        process.kill()

    timer = Timer(settings.time_limit_s, kill)
    timer.start()
    try:
        yield process, killed
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _stream(process: subprocess.Popen[bytes], status: VideoStatus) -> Iterator[pa.RecordBatch]:
    """The batches of frames as they come; fills in what the container says about the video."""
    with pa.ipc.open_stream(pa.PythonFile(process.stdout, "r")) as reader:
        metadata = reader.schema.metadata
        status.fps, status.duration_s = float(metadata[b"fps"]), float(metadata[b"duration_s"])
        yield from reader


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
