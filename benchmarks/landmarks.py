"""Detection and keypoints with one and with two worker processes, over frames of real videos.

    python -m benchmarks.landmarks

samples the videos of SIMHAND_SHARED at 20 fps, runs stages 3 and 6 on them, and prints frames and hands a second and
core, the ratio of two workers to one (wanted: at least 1.8), and how a worker's memory grows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from benchmarks.shared import shared_folder
from simhand.files import open_arrow, read_parquet
from simhand.frames.images import frame_image
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.hands.balance import balance_shard
from simhand.hands.crops import crop_shard
from simhand.hands.detect import detect_shard
from simhand.hands.landmarker import Landmarker
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.model import build_task_file
from simhand.hands.settings import BalanceSettings, CropSettings, MediaPipeSettings, SelectionSettings
from simhand.keypoints.keypoints import find_keypoints
from simhand.keypoints.settings import LandmarkSettings
from simhand.tables import FRAMES, HANDS
from simhand.videos.index import write_shard_list


def compared(name: str, unit: str, count: int, run: Callable[[int], None]) -> None:
    """Times a stage with one worker and with two."""
    seconds = {}
    for workers in (1, 2):
        started = time.perf_counter()
        run(workers)
        seconds[workers] = time.perf_counter() - started
        rate = count / seconds[workers]
        print(f"{name}, {workers} workers: {rate:.1f} {unit}/s, {rate / workers:.1f} a core, {seconds[workers]:.1f} s")
    print(f"{name}: two workers are {seconds[1] / seconds[2]:.2f} x as fast as one (wanted: 1.8), start-up included")


def print_growth(model: Path, frames: Path, images: int) -> None:
    """How the memory of a landmarker grows, and how many cores it takes."""
    table = open_arrow(frames, FRAMES)
    process = psutil.Process()
    with Landmarker(model, 4, 0.5) as landmarker:
        for i in range(images):
            if i in (images // 10, images - 1):
                private_mb = process.memory_full_info().uss / 2**20
                print(f"one process after {i + 1:,} images: {private_mb:.0f} MB of its own")
            if i == images // 10:
                started, used = time.perf_counter(), time.process_time()
            landmarker.find(frame_image(table, i % len(table), frames))
    cores = (time.process_time() - used) / (time.perf_counter() - started)
    print(f"a landmarker and the decoding of its images take {cores:.2f} cores")


def main(fps: float, images: int) -> None:
    """Prints rates, ratios and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "hand_landmarker.task"
        build_task_file(model)
        videos = sorted((shared_folder() / "videos").glob("*/*.m*"))
        write_shard_list([(path.name, str(path), 0, "") for path in videos], folder / "list.tsv")
        frames, hands, balanced, crops = (
            folder / name for name in ("frames.arrow", "hands.parquet", "balanced.parquet", "crops.arrow")
        )
        settings = SamplingSettings(fps=fps)
        sample_shard(folder / "list.tsv", frames, folder / "status.parquet", settings, workers=os.cpu_count() or 1)
        count = len(open_arrow(frames, FRAMES))
        detector = partial(MediaPipeDetector, MediaPipeSettings(), model)
        compared(
            "detection", "frames", count,
            lambda workers: detect_shard("real", frames, hands, detector, workers=workers),
        )  # fmt: skip
        balance_shard(hands, balanced, BalanceSettings(enabled=False), SelectionSettings())
        crop_shard(frames, hands, balanced, crops, CropSettings())
        found = len(read_parquet(hands, HANDS, ["hand_id"]))
        print(f"{found:,} hands in {count:,} frames of {len(videos)} videos")
        compared(
            "keypoints", "hands", found,
            lambda workers: find_keypoints(
                frames, crops, model, folder / "keypoints.parquet", LandmarkSettings(), workers=workers
            ),
        )  # fmt: skip
        print_growth(model, frames, images)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fps", type=float, default=20.0)
    parser.add_argument("--images", type=int, default=4000, help="how many the memory is watched over")
    args = parser.parse_args()
    main(args.fps, args.images)
