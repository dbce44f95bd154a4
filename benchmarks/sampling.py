"""Sampling at one frame a second, against ffmpeg and other decoders, side by side.

    python -m benchmarks.sampling FOLDER_OF_REAL_VIDEOS [--minutes 10]

repeats real videos without loss (`-c copy`) until each is long enough, some of them re-encoded first so that there are
other codecs than H.264, and samples them as one shard. Printed are wall times, numbers of frames, and ratios to
`ffmpeg -vf fps=1`; then each video by itself. Wanted: at most 1.1 times ffmpeg's time.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

from simhand.files import read_parquet
from simhand.frames.packets import scan
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.tables import VIDEO_STATUS
from simhand.videos.index import write_shard_list

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
WORKERS = 2
# Real videos by what makes them different, and the codec they are re-encoded with, if any.
VIDEOS: dict[str, tuple[str, tuple[str, ...]]] = {
    "long groups": ("dex_retargeting/human_hand_video.mp4", ()),
    "groups of 10": ("intel/one-by-one-person-detection.mp4", ()),
    "no B-frames": ("h_minhminh/hello.mp4", ()),
    "high rate": ("sam2/02_cups.mp4", ()),
    "HEVC": ("sam2/03_blocks.mp4", ("-c:v", "libx265", "-preset", "fast", "-x265-params", "log-level=error")),
    "VP9": ("sam2/04_coffee.mp4", ("-c:v", "libvpx-vp9", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8")),
}


@dataclass(frozen=True)
class Measured:
    """What a way of sampling took, and how many frames it gave."""

    seconds: float
    frames: int


def ffmpeg(*arguments: str | Path) -> None:
    """Runs ffmpeg, quietly."""
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def make_long(folder: Path, shared: Path, minutes: float) -> list[Path]:
    """The videos, repeated to the length wanted."""
    paths = []
    for name, (source, codec) in VIDEOS.items():
        once, path = shared / source, folder / f"{name}.mp4"
        if codec:
            once = folder / f"{name} once.mp4"
            ffmpeg("-i", shared / source, "-an", *codec, once)
        times = int(minutes * 60 / scan(str(once)).duration_s) + 1
        ffmpeg("-stream_loop", str(times - 1), "-i", once, "-an", "-c", "copy", path)
        paths.append(path)
    return paths


def describe(paths: Sequence[Path]) -> None:
    """Prints what the videos are; reads them once, so that none is read from the disk when time counts."""
    for path in paths:
        table = scan(str(path))
        path.read_bytes()
        megabytes = path.stat().st_size / 1e6
        group = len(table.times) / max(sum(table.keys), 1)
        what = f"{table.duration_s:.0f} s, {table.rate:.3g} frames/s, a keyframe every {group:.0f} frames"
        print(f"{path.stem}: {VIDEOS[path.stem][0]}, {what}, {megabytes:.0f} MB")


def by_simhand(paths: Sequence[Path], decoder: str, workers: int = WORKERS) -> Measured:
    """Stage 2."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shard_list([(path.name, str(path), 0, "", 0.0) for path in paths], folder / "list.tsv")
        settings = SamplingSettings(decoder=decoder)  # type: ignore[arg-type]
        started = time.perf_counter()
        sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", settings, workers)
        seconds = time.perf_counter() - started
        statuses = read_parquet(folder / "status.parquet", VIDEO_STATUS).to_pylist()
    failed = [f"{row['video_id']}: {row['reason']}" for row in statuses if row["status"] != "ok"]
    if failed:
        print(f"  {decoder} failed: {'; '.join(failed)}")
    return Measured(seconds, sum(row["frames"] for row in statuses))


def by_ffmpeg(paths: Sequence[Path], *options: str, side_by_side: int = 1) -> Measured:
    """The command that everybody uses; `side_by_side` videos at once."""
    with tempfile.TemporaryDirectory() as name:

        def extract(path: Path) -> None:
            folder = Path(name, path.stem)
            folder.mkdir()
            ffmpeg(*options, "-i", path, "-vf", "fps=1", "-q:v", "2", folder / "%06d.jpg")

        started = time.perf_counter()
        with ThreadPoolExecutor(side_by_side) as pool:
            list(pool.map(extract, paths))
        return Measured(time.perf_counter() - started, sum(1 for _ in Path(name).glob("*/*.jpg")))


def _torchcodec(path: Path) -> int:
    import torch  # noqa: PLC0415
    from torchcodec.decoders import VideoDecoder  # noqa: PLC0415

    torch.set_num_threads(1)
    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1)
    first_s, end_s = decoder.metadata.begin_stream_seconds or 0.0, decoder.metadata.end_stream_seconds or 0.0
    count = int(end_s - first_s)
    for i in range(0, count, 8):
        batch = decoder.get_frames_played_at([first_s + second for second in range(i, min(i + 8, count))])
        for image in batch.data.permute(0, 2, 3, 1).numpy():
            Image.fromarray(image).save(io.BytesIO(), "JPEG", quality=95, subsampling="4:2:0")
    return count


def by_torchcodec(paths: Sequence[Path]) -> Measured | str:
    """Two processes of one thread, as simhand does; or why it is absent."""
    try:
        import torchcodec.decoders  # noqa: F401, PLC0415
    except (ImportError, OSError, RuntimeError) as error:
        return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    started = time.perf_counter()
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        frames = sum(pool.map(_torchcodec, paths))
    return Measured(time.perf_counter() - started, frames)


def main(shared: Path, minutes: float) -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as name:
        paths = make_long(Path(name), shared, minutes)
        describe(paths)
        reference = by_ffmpeg(paths)
        ways: dict[str, Callable[[], Measured | str]] = {
            "ffmpeg, one after another, its own threads": lambda: reference,
            "ffmpeg, two at a time, one thread each": lambda: by_ffmpeg(paths, "-threads", "1", side_by_side=2),
            f"simhand with pyav, {WORKERS} workers": lambda: by_simhand(paths, "pyav"),
            f"simhand with decord, {WORKERS} workers": lambda: by_simhand(paths, "decord"),
            f"torchcodec, {WORKERS} processes": lambda: by_torchcodec(paths),
        }
        print(f"\nall {len(paths)} videos, JPEGs at one frame a second, after the first line as ratios to it:")
        for way, run in ways.items():
            found = run()
            if isinstance(found, str):
                print(f"  {way}: absent ({found})")
            else:
                print(f"  {way}: {found.seconds:.1f} s, {found.frames} frames, {found.seconds / reference.seconds:.2f}")
        print("\neach video by itself: simhand with one worker, ffmpeg with one thread and with its own:")
        for path in paths:
            ours, single, own = by_simhand([path], "pyav", 1), by_ffmpeg([path], "-threads", "1"), by_ffmpeg([path])
            ratio = f"{ours.seconds / single.seconds:.2f} and {ours.seconds / own.seconds:.2f} of their time"
            print(f"  {path.stem}: {ours.seconds:.1f} s, {single.seconds:.1f} s, {own.seconds:.1f} s; {ratio}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("videos", type=Path, help="the folder of real videos")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of each video, at least")
    arguments = parser.parse_args()
    main(arguments.videos, arguments.minutes)
