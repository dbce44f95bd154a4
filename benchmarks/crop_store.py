"""Random pairs of crops a second and core: from the Arrow store that training reads, against loose JPEG files.

    python -m benchmarks.crop_store

cuts squares of 224 px out of real frames (SIMHAND_SHARED), writes each both ways, and reads the same random pairs from
both, decoded and as bytes, on one thread. The files are in the system's cache, which favours loose files: on the file
system of a cluster each of them costs a look-up of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import torch
from torchvision.io import ImageReadMode, decode_jpeg, read_file

from benchmarks.shared import shared_folder
from benchmarks.stores import write_store
from simhand.frames.images import encode_jpeg
from simhand.pretraining.crops import Pairs

SIDE = 224


def real_squares(count: int) -> list[bytes]:
    """JPEGs of squares cut at random from the frames of real videos."""
    rng = np.random.default_rng(0)
    frames = []
    for path in sorted((shared_folder() / "videos").glob("*/*.mp4")):
        with av.open(str(path)) as container:
            frames += [
                frame.to_ndarray(format="rgb24") for i, frame in enumerate(container.decode(video=0)) if i % 60 == 0
            ]
    frames = [frame for frame in frames if min(frame.shape[:2]) > SIDE]
    squares = []
    for _ in range(count):
        frame = frames[rng.integers(len(frames))]
        y, x = (rng.integers(size - SIDE) for size in frame.shape[:2])
        squares.append(encode_jpeg(frame[y : y + SIDE, x : x + SIDE], 95))
    return squares


def write_loose(folder: Path, jpegs: list[bytes]) -> list[Path]:
    """A file each, a thousand a folder."""
    paths = [folder / f"{i // 1000:04d}" / f"{i:07d}.jpg" for i in range(len(jpegs))]
    for path, jpeg in zip(paths, jpegs, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg)
    return paths


def pairs_per_second(read: Callable[[int], object], pairs: np.ndarray) -> float:
    """Reads both hands of each pair; (p, 2) rows."""
    started = time.perf_counter()
    for one, other in pairs.tolist():
        read(one)
        read(other)
    return len(pairs) / (time.perf_counter() - started)


def main(count: int, draws: int) -> None:
    """Prints rates and ratios."""
    torch.set_num_threads(1)
    jpegs = real_squares(count)
    print(f"{count:,} crops of {np.mean([len(jpeg) for jpeg in jpegs]) / 1024:.1f} KiB")
    with tempfile.TemporaryDirectory() as name:
        pool, loose = write_store(Path(name), jpegs), write_loose(Path(name, "loose"), jpegs)
        before_mb = psutil.Process().memory_info().rss / 2**20
        store = Pairs(pool, None)
        rows = np.random.default_rng(1).integers(count, size=(draws, 2))
        ways: dict[str, dict[str, Callable[[int], object]]] = {
            "decoded": {
                "store": store.crop,
                "loose": lambda row: decode_jpeg(read_file(str(loose[row])), mode=ImageReadMode.RGB),
            },
            "as bytes": {"store": store.jpeg, "loose": lambda row: loose[row].read_bytes()},
        }
        for what, readers in ways.items():
            for read in readers.values():
                pairs_per_second(read, rows)  # once for the cache
            rates = {where: pairs_per_second(read, rows) for where, read in readers.items()}
            print(
                f"{what}: {rates['store']:,.0f} pairs/s from the store, {rates['loose']:,.0f} from loose files,"
                f" ratio {rates['store'] / rates['loose']:.2f}"
            )
        print(
            f"memory that the open store takes: {psutil.Process().memory_info().rss / 2**20 - before_mb:.0f} MB,"
            " the crops themselves included where the system keeps them mapped"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=5_000)
    args = parser.parse_args()
    main(args.crops, args.pairs)
