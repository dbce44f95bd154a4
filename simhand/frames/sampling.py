"""Samples the frames of a shard's videos. A video that cannot be read costs its own row, no more."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from simhand.errors import WorkerError
from simhand.files import arrow_writer, write_parquet
from simhand.frames import decode
from simhand.frames.children import Finished, run_in_order
from simhand.frames.settings import SamplingSettings
from simhand.frames.spool import Frame, read_spool
from simhand.progress import Progress
from simhand.tables import FRAMES, VIDEO_STATUS
from simhand.videos.index import ListedVideo, read_shard_list

log = logging.getLogger(__name__)

_BATCH = 16  # frames to a batch of the table
_OWN_MB = 700  # of this process, and of those that start it on a cluster
_NOT_ITS_FAULT = {decode.FAULT, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}  # somebody ended the decoder


@dataclass
class VideoStatus:
    """How the decoding of one video went; one row of VIDEO_STATUS."""

    video_id: str
    status: str = ""
    reason: str = ""
    fps: float | None = None
    duration_s: float | None = None
    frames: int = 0


def sample_shard(
    list_path: Path | str,
    frames_path: Path | str,
    status_path: Path | str,
    settings: SamplingSettings,
    workers: int = 1,
    *,
    memory_mb: float | None = None,
) -> None:
    """Stage 2: writes the sampled frames of a shard's videos (FRAMES) and how each video went (VIDEO_STATUS).

    Each video is decoded in a process of its own. Frames that come before and after a damage are kept, and so are those
    decoded before a limit was reached; of a video that changed while it was read, none is.

    Args:
        list_path: the list of the shard's videos.
        frames_path: the table of frames, in the order of the list.
        status_path: the table of statuses, in the same order.
        settings: what to take, and the limits of each video.
        workers: videos decoded side by side; the same bytes come out with any number.
        memory_mb: what the queue holds this job to; None: it may take all that there is.

    Raises:
        WorkerError: decoding cannot work here: the disk is full, a library is missing, somebody ended a decoder, or the
            system did and it had less memory than its limit allows.
    """
    room_mb = math.inf if memory_mb is None else (memory_mb - _OWN_MB) / workers
    videos = read_shard_list(list_path)
    statuses: list[VideoStatus] = []
    with arrow_writer(frames_path, FRAMES) as writer, Progress("videos", len(videos)) as progress:
        folder = Path(frames_path).parent
        decoded = run_in_order(
            len(videos),
            lambda i: _command(videos[i], settings),
            workers,
            settings.time_limit_s,
            folder,
            ended=progress.advance,
        )
        for video, finished in zip(videos, decoded, strict=True):
            if finished.code == -signal.SIGKILL and not finished.late and room_mb < settings.memory_limit_mb:
                raise _short_of_memory(video, room_mb, settings)
            status = _take_over(video, finished, settings, writer)
            level = logging.INFO if status.status == "ok" else logging.WARNING
            log.log(level, "%s: %s, %d frames %s", video.video_id, status.status, status.frames, status.reason)
            statuses.append(status)
            progress.advance(0, frames=status.frames)
    write_parquet(pa.Table.from_pylist([vars(one) for one in statuses], VIDEO_STATUS), status_path, VIDEO_STATUS)


def _command(video: ListedVideo, settings: SamplingSettings) -> list[str]:
    request = decode.Request(
        path=video.path,
        fps=settings.fps,
        jpeg_quality=settings.jpeg_quality,
        decoder=settings.decoder,
        frame_rate=video.frame_rate,
        memory_limit_mb=settings.memory_limit_mb,
        parent=os.getpid(),
    )
    return [sys.executable, "-m", decode.__name__, json.dumps(request._asdict())]


def _take_over(
    video: ListedVideo, finished: Finished, settings: SamplingSettings, writer: pa.RecordBatchFileWriter
) -> VideoStatus:
    """Appends a video's frames to the shard's."""
    if finished.code in _NOT_ITS_FAULT:
        raise WorkerError(
            "cannot sample videos",
            where=video.video_id,
            got=finished.last_words or f"its decoder was ended by {signal.Signals(-finished.code).name}",
            hint="mend that (a full disk: make room) and start again; finished shards stay",
        )
    status = VideoStatus(video.video_id)
    for batch in _batches(finished, status):
        _append(video.video_id, batch, writer)
        status.frames += len(batch)
    if not status.status:
        status.status, status.reason = _why_ended(finished, settings)
    return status


def _short_of_memory(video: ListedVideo, room_mb: float, settings: SamplingSettings) -> WorkerError:
    return WorkerError(
        "the system killed a decoder, which it does where memory runs out",
        where=video.video_id,
        expected=f"sampling.memory_limit_mb for each decoder: {settings.memory_limit_mb} MB",
        got=f"{room_mb:.0f} MB",
        hint="another try asks for more memory; or set `mem` of sample_frames in the profile",
    )


def _batches(finished: Finished, status: VideoStatus) -> Iterator[list[Frame]]:
    """A video's frames, some at a time; what else was found out about it goes into `status`."""
    batch: list[Frame] = []
    for entry in read_spool(finished.output):
        if not isinstance(entry, Frame):
            vars(status).update(entry)
            continue
        batch.append(entry)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _append(video_id: str, frames: Sequence[Frame], writer: pa.RecordBatchFileWriter) -> None:
    columns = [[video_id] * len(frames), *map(list, zip(*frames, strict=True))]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, FRAMES, strict=True)]
    writer.write_batch(pa.record_batch(arrays, schema=FRAMES))


def _why_ended(finished: Finished, settings: SamplingSettings) -> tuple[str, str]:
    """The status of a video whose process could not tell it."""
    if finished.late:
        return "timeout", f"not decoded within {settings.time_limit_s:g} s"
    if finished.code == -signal.SIGKILL:
        return "memory", "the system killed its decoder, which it does where memory runs out"
    if finished.code < 0:
        return "corrupt", f"its decoder crashed ({signal.Signals(-finished.code).name})"
    return "corrupt", finished.last_words or f"its decoder ended with {finished.code}"
