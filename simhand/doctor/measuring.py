"""Runs the stages on a few videos, by the stages' own functions, and measures what comes out and what it takes."""

from __future__ import annotations

import logging
import resource
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from simhand.config import Config
from simhand.files import arrow_writer, open_arrow
from simhand.frames.sampling import sample_shard
from simhand.hands.balance import balance_shard
from simhand.hands.crops import crop_shard
from simhand.hands.detect import detect_shard
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.model import build_task_file, copy_task_file
from simhand.hands.settings import HundredDohExecution, HundredDohSettings, MediaPipeSettings
from simhand.keypoints.keypoints import find_keypoints
from simhand.keypoints.settings import LandmarkSettings
from simhand.tables import CROPS, FRAMES
from simhand.videos.index import LIST_COLUMNS, Video, write_shard_list

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # what the stages say of themselves is not of interest here

_FRAMES = {"mediapipe": 400, "hundred_doh": 20}  # of a video, in which hands are looked for; of longer ones some
_BATCH = 64


@dataclass(frozen=True)
class Measured:
    """What one video gave; hands are those of the frames in which they were looked for.

    Args:
        video: of its source's index.
        frames: sampled.
        frames_mb: of the table of frames.
        decoding_s: CPU time of sampling.
        problem: why it was not read in full; empty: it was.
        looked: the share of its frames in which hands were looked for.
        hands: detected.
        wanted: of them, by `selection`; how many of these stay is a matter of the whole shard.
        left: of those, left ones.
        found: of the wanted ones, with keypoints.
        deviation: standard deviation of `hands` in a frame.
    """

    video: Video
    frames: int
    frames_mb: float
    decoding_s: float
    problem: str
    looked: float
    hands: float
    wanted: float
    left: float
    found: float
    deviation: float

    def in_all_frames(self) -> Measured:
        """With as many hands as to expect of all its frames."""
        return self._times(1 / self.looked)

    def with_more(self) -> Measured:
        """With a standard deviation more hands in all its frames than to expect, for those that were not looked at.

        Frames are taken as if drawn at random, without replacement. Where no hand was seen there may still be some: as
        if one had been.
        """
        seen = max(1.0, self.looked * self.frames)
        of_a_frame = max(self.deviation, seen**-0.5)
        more = self.frames * of_a_frame * ((1 - self.looked) / seen) ** 0.5
        every = self.in_all_frames()
        if self.hands:
            return every._times(1 + more / every.hands)
        return replace(every, hands=more, wanted=more, left=more / 2, found=more)

    def _times(self, factor: float) -> Measured:
        scaled = {name: factor * getattr(self, name) for name in ("hands", "wanted", "left", "found")}
        return replace(self, **scaled)


@dataclass(frozen=True)
class Rates:
    """What the stages took of a core, beyond what starting them takes.

    Args:
        job_s: to start a job, with what the stages import.
        start_s: to start a job's worker that looks for hands.
        detection_s: a frame.
        crop_s: a hand.
        keypoints_s: a hand.
        rows_mb: of the tables of hands, for each hand.
        keypoints_mb: of the table of keypoints, for each hand in it.
        crop_mb: of the table of crops, for each hand in it.
    """

    job_s: float
    start_s: float
    detection_s: float
    crop_s: float
    keypoints_s: float
    rows_mb: float
    keypoints_mb: float
    crop_mb: float


def measure(source: str, videos: Sequence[Video], config: Config, folder: Path) -> tuple[list[Measured], Rates]:
    """Samples, detects, selects, crops and finds keypoints, on one core; left and right are not balanced.

    Args:
        source: its name.
        videos: of it, that were drawn.
        config: the configuration.
        folder: for what the stages write; made here, removed by the caller.

    Raises:
        SimhandError: a stage cannot work here.
    """
    folder.mkdir()
    sampled = []
    for i, video in enumerate(videos):
        sampled.append(_sampled(video, config, folder / str(i)))
        log.info("%s, %d of %d: %d frames", source, i + 1, len(videos), sampled[-1][0])
    log.info("looking for hands in their frames")
    frames = folder / "frames.arrow"
    shares = _gather([folder / str(i) / "frames.arrow" for i in range(len(videos))], frames, config)
    model = folder / "hand_landmarker.task"
    _write_model(config, model)
    tables = {name: folder / f"{name}.{kind}" for name, kind in _TABLES.items()}
    seconds = _run_stages(source, frames, model, tables, config)
    counts, hands_of_frames = _counts(tables), _hands_of_frames(tables["hands"])
    measured = [
        Measured(
            video,
            *of_video,
            looked=looked,
            hands=counts["hands"][video.video_id],
            wanted=counts["wanted"][video.video_id],
            left=counts["left"][video.video_id],
            found=counts["found"][video.video_id],
            deviation=_deviation(looked * of_video[0], hands_of_frames[video.video_id]),
        )
        for video, of_video, looked in zip(videos, sampled, shares, strict=True)
    ]
    return measured, _rates(seconds, tables, len(open_arrow(frames, FRAMES)))


_TABLES = {"hands": "parquet", "balanced": "parquet", "crops": "arrow", "keypoints": "parquet"}


def _sampled(video: Video, config: Config, folder: Path) -> tuple[int, float, float, str]:
    """Frames, their MB, CPU seconds, and what went wrong with a video."""
    folder.mkdir()
    row = [getattr(video, name) for name in LIST_COLUMNS]
    write_shard_list([row], folder / "list.tsv")
    with _cpu_time() as taken:
        sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", config.sampling)
    (status,) = pq.read_table(folder / "status.parquet").to_pylist()
    said = "" if status["status"] in {"ok", "empty"} else f"{status['status']}: {status['reason']}"
    size_mb = (folder / "frames.arrow").stat().st_size / 1e6
    return status["frames"], size_mb if status["frames"] else 0.0, taken[0], said


def _gather(paths: Sequence[Path], out: Path, config: Config) -> list[float]:
    """One table of the frames in which hands are looked for; returns the share of each video's frames that they are."""
    most = _FRAMES[config.detection.detector]
    shares = []
    with arrow_writer(out, FRAMES) as writer:
        for path in paths:
            frames = open_arrow(path, FRAMES)
            step = -(-len(frames) // most) or 1
            rows = list(range(0, len(frames), step))
            for first in range(0, len(rows), _BATCH):
                writer.write_table(frames.take(rows[first : first + _BATCH]))
            shares.append(len(rows) / len(frames) if len(frames) else 1.0)
    return shares


def _write_model(config: Config, path: Path) -> None:
    if config.keypoints.model is None:
        build_task_file(path)
    else:
        copy_task_file(config.keypoints.model, path, config.keypoints.sha256)


def _run_stages(source: str, frames: Path, model: Path, tables: dict[str, Path], config: Config) -> dict[str, float]:
    """CPU seconds of each stage, of starting a job, and of starting a worker."""
    detect = _detector(source, model, config)
    nothing = frames.with_name("nothing.arrow")
    with arrow_writer(nothing, FRAMES) as writer:
        writer.write_table(open_arrow(frames, FRAMES).slice(0, 1))
    landmarks = LandmarkSettings(**config.keypoints.values(LandmarkSettings))
    unbalanced = config.balance.model_copy(update={"enabled": False})
    stages: dict[str, Callable[[], Any]] = {
        "job": partial(subprocess.run, start_of_a_job(), check=True, capture_output=True),
        "start": partial(detect, nothing, nothing.with_suffix(".parquet")),
        "hands": partial(detect, frames, tables["hands"]),
        "balanced": partial(balance_shard, tables["hands"], tables["balanced"], unbalanced, config.selection),
        "crops": partial(crop_shard, frames, tables["hands"], tables["balanced"], tables["crops"], config.crops),
        "keypoints": partial(find_keypoints, frames, tables["crops"], model, tables["keypoints"], landmarks),
    }
    seconds = {}
    for name, stage in stages.items():
        with _cpu_time() as taken:
            stage()
        seconds[name] = taken[0]
    return seconds


def start_of_a_job() -> list[str]:
    """A command that imports what a job does; where Snakemake is not installed no job starts, and the rest is told."""
    modules = ["simhand.keypoints.keypoints", *(["snakemake.script"] if find_spec("snakemake") else [])]
    return [sys.executable, "-c", f"import {', '.join(modules)}"]


def _detector(source: str, model: Path, config: Config) -> Callable[[Path, Path], None]:
    if config.detection.detector == "mediapipe":
        settings = MediaPipeSettings(**config.detection.values(MediaPipeSettings))
        opened = partial(MediaPipeDetector, settings, model)
        return lambda frames, hands: detect_shard(source, frames, hands, opened)
    from simhand.hands.hundred_doh.detector import detect_shard_100doh  # noqa: PLC0415 - imports PyTorch

    assert config.detection.weights is not None  # the configuration was checked
    return partial(
        detect_shard_100doh,
        source,
        weights=config.detection.weights,
        settings=HundredDohSettings(**config.detection.values(HundredDohSettings)),
        execution=HundredDohExecution(**config.detection.values(HundredDohExecution)),
    )


def _counts(tables: dict[str, Path]) -> dict[str, Counter[str]]:
    """Hands, those wanted, left ones of these, and those found, of each video."""
    hands = pq.read_table(tables["hands"], columns=["hand_id", "video_id"])
    of_hand = dict(zip(*(hands[name].to_pylist() for name in ("hand_id", "video_id")), strict=True))
    wanted = [row for row in pq.read_table(tables["balanced"]).to_pylist() if row["kept"]]
    keypoints = pq.read_table(tables["keypoints"], columns=["hand_id", "status"]).to_pylist()
    return {
        "hands": Counter(of_hand.values()),
        "wanted": Counter(of_hand[row["hand_id"]] for row in wanted),
        "left": Counter(of_hand[row["hand_id"]] for row in wanted if row["side"] == "left"),
        "found": Counter(of_hand[row["hand_id"]] for row in keypoints if row["status"] == "found"),
    }


def _hands_of_frames(table: Path) -> dict[str, list[int]]:
    """Of each video how many hands its frames have, of those that have any."""
    rows = pq.read_table(table, columns=["video_id", "frame_index"]).to_pylist()
    found: dict[str, list[int]] = defaultdict(list)
    for (video, _), count in Counter((row["video_id"], row["frame_index"]) for row in rows).items():
        found[video].append(count)
    return found


def _deviation(frames: float, hands: Sequence[int]) -> float:
    """Standard deviation of the hands in a frame: of so many frames some have these hands, the others none."""
    if frames < 2:
        return 0.0
    squares, mean = sum(count**2 for count in hands), sum(hands) / frames
    return float(max(0.0, (squares - frames * mean**2) / (frames - 1)) ** 0.5)


def _rates(seconds: dict[str, float], tables: dict[str, Path], frames: int) -> Rates:
    hands = pq.read_metadata(tables["hands"]).num_rows
    crops = len(open_arrow(tables["crops"], CROPS))
    size_mb = {name: path.stat().st_size / 1e6 for name, path in tables.items()}
    start_s = seconds["start"]
    return Rates(
        job_s=seconds["job"],
        start_s=start_s,
        detection_s=max(0.0, seconds["hands"] - start_s) / max(1, frames),
        crop_s=(seconds["balanced"] + seconds["crops"]) / max(1, crops),
        keypoints_s=max(0.0, seconds["keypoints"] - start_s) / max(1, crops),
        rows_mb=(size_mb["hands"] + size_mb["balanced"]) / max(1, hands),
        keypoints_mb=size_mb["keypoints"] / max(1, crops),
        crop_mb=size_mb["crops"] / crops if crops else 0.0,
    )


@contextmanager
def _cpu_time() -> Iterator[list[float]]:
    """After the block the list holds its CPU seconds, those of processes that it started and that ended included."""
    before = _used()
    taken: list[float] = []
    yield taken
    taken.append(_used() - before)


def _used() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
