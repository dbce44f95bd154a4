"""The memory of stages 2 to 6 does not depend on the length of a video: their peaks for 1 minute and for 60 minutes.

    python -m benchmarks.memory REAL_VIDEO [--minutes 1 60] [--workers 2]

repeats a real video without loss, and runs the stages on it, each in a process of its own. The peak is of that process
with all its children, sampled 20 times a second: resident memory without the pages of files, which the system takes
back when it needs them, and, in brackets, with them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import psutil

from simhand.frames.packets import scan
from simhand.videos.index import write_shard_list

ROOT = Path(__file__).parent.parent
# Each stage as a program; `folder` and `workers` are set before it.
STAGES = {
    "sample frames": """
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", SamplingSettings(), workers)
""",
    "detect hands": """
from functools import partial
from simhand.hands.detect import detect_shard
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.model import build_task_file
from simhand.hands.settings import MediaPipeSettings
build_task_file(folder / "hand.task")
detector = partial(MediaPipeDetector, MediaPipeSettings(), folder / "hand.task")
detect_shard("real", folder / "frames.arrow", folder / "hands.parquet", detector, workers=workers)
""",
    "balance and crop hands": """
from simhand.hands.balance import balance_shard
from simhand.hands.crops import crop_shard
from simhand.hands.settings import BalanceSettings, CropSettings, SelectionSettings
files = [folder / name for name in ("frames.arrow", "hands.parquet", "balanced.parquet", "crops.arrow")]
balance_shard(files[1], files[2], BalanceSettings(enabled=False), SelectionSettings())
crop_shard(*files, CropSettings())
""",
    "find keypoints": """
from simhand.keypoints.keypoints import find_keypoints
from simhand.keypoints.settings import LandmarkSettings
files = [folder / name for name in ("frames.arrow", "crops.arrow", "hand.task", "keypoints.parquet")]
find_keypoints(*files, LandmarkSettings(), workers=workers)
""",
}


def peak_mb(program: str, folder: Path, workers: int) -> tuple[float, float, float]:
    """Runs a stage: its peak without and with the pages of files, in MB, and the seconds it took."""
    start = f"from pathlib import Path\nfolder, workers = Path({str(folder)!r}), {workers}\n"
    started = time.monotonic()
    stage = subprocess.Popen([sys.executable, "-c", start + program], cwd=ROOT, stderr=subprocess.DEVNULL)
    own = both = 0.0
    while stage.poll() is None:
        found = _tree_mb(stage.pid)
        own, both = max(own, found[0]), max(both, found[1])
        time.sleep(0.05)
    if stage.returncode:
        raise SystemExit(f"a stage failed with {stage.returncode}")
    return own, both, time.monotonic() - started


def _tree_mb(pid: int) -> tuple[float, float]:
    own = both = 0
    with suppress(psutil.NoSuchProcess):
        stage = psutil.Process(pid)
        for process in (stage, *stage.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                memory = process.memory_info()
                own, both = own + memory.rss - memory.shared, both + memory.rss
    return own / 1e6, both / 1e6


def make(video: Path, minutes: float, folder: Path) -> Path:
    """The video, repeated; and the list of a shard that has it alone."""
    path = folder / "video.mp4"
    times = int(minutes * 60 / scan(str(video)).duration_s) + 1
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-stream_loop", str(times - 1)]
    subprocess.run([*command, "-i", str(video), "-t", str(minutes * 60), "-an", "-c", "copy", str(path)], check=True)
    write_shard_list([("video", str(path), 0, "", 0.0)], folder / "list.tsv")
    return path


def main(video: Path, minutes: list[float], workers: int) -> None:
    """Prints the table."""
    peaks: dict[str, list[str]] = {stage: [] for stage in STAGES}
    for length in minutes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = make(video, length, folder)
            print(f"{length:g} minutes: {path.stat().st_size / 1e6:.0f} MB of video", flush=True)
            for stage, program in STAGES.items():
                own, both, seconds = peak_mb(program, folder, workers)
                peaks[stage].append(f"{own:.0f} MB ({both:.0f} MB)")
                print(f"  {stage}: {own:.0f} MB ({both:.0f} MB), {seconds:.0f} s", flush=True)
    print("\n| stage | " + " | ".join(f"{length:g} minutes" for length in minutes) + " |")
    print("| --- |" + " --- |" * len(minutes))
    for stage, found in peaks.items():
        print(f"| {stage} | " + " | ".join(found) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("video", type=Path, help="a real video")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 60.0])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    main(arguments.video, arguments.minutes, arguments.workers)
