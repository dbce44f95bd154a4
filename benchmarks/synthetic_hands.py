"""How good the embedded demo's hands are: does MediaPipe take them for hands, and can similar ones be mined?

    python benchmarks/synthetic_hands.py demo

reads a rendered demo (python -m simhand.synthetic demo) at one frame a second. With the default settings it gave:

    797 frames, 1044 visible hands, boxes of [ 83 120 168] px (5, 50, 95 %)
    MediaPipe finds             94.5% of them
    says the right side for     97.1% of those
    2D error, mean and median   0.072 0.064 of the box
    finds a hand in              0.0% of 79 empty frames
    hands that are not there     0.2% of all found
    Top-1 of exact keypoints: 0.235 bones apart in 3D, 0.333 of random pairs
    Top-1 of MediaPipe's keypoints: 0.275 bones apart in 3D, 0.397 of random pairs
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import decord
import numpy as np
import pyarrow as pa

from simhand.files import read_parquet
from simhand.hands.landmarker import LandmarkedHand, Landmarker
from simhand.hands.model import build_task_file
from simhand.synthetic.truth import TRUTH, joints_array

SAME_HAND = 0.35  # mean distance of the keypoints, in units of the true hand's box
SQUARE = 1.3
COMPONENTS = 14


@dataclass(frozen=True)
class Truth:
    """Some of the true hands."""

    video: np.ndarray  # (n,)
    frame: np.ndarray  # (n,)
    side: np.ndarray  # (n,)
    visible: np.ndarray  # (n,)
    pixels: np.ndarray  # (n, 21, 2)
    metres: np.ndarray  # (n, 21, 3)

    def where(self, rows: np.ndarray) -> Truth:
        """A selection of rows."""
        return Truth(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def read_truth(demo: Path) -> Truth:
    """All rows that fall on full seconds."""
    table: pa.Table = read_parquet(demo / "truth" / "hands.parquet", TRUTH)
    times = table["timestamp_s"].to_numpy()
    table = table.filter(pa.array(times == np.round(times)))
    names = ("video_id", "frame_index", "side", "visible")
    joints = (joints_array(table[name]) for name in ("keypoints_px", "keypoints_m"))
    return Truth(*(table[name].to_numpy() for name in names), *joints)


def full_seconds(video: Path) -> Iterator[tuple[int, np.ndarray]]:
    """The frames (h, w, 3) at 0, 1, 2, ... seconds with their numbers."""
    reader = decord.VideoReader(str(video), num_threads=1)
    times = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    for i in np.flatnonzero(np.isclose(times, np.round(times), atol=1e-3)).tolist():
        yield i, reader[i].asnumpy()


def box_side(pixels: np.ndarray) -> np.ndarray:
    """The longer sides (n,) of the boxes around keypoints (n, 21, 2)."""
    return np.asarray((pixels.max(axis=1) - pixels.min(axis=1)).max(axis=1))


def match(true: np.ndarray, found: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of true (t, 21, 2) and found (f, 21, 2) hands, nearest first, each once: (true, found, error)."""
    if not len(true) or not len(found):
        return []
    error = np.linalg.norm(true[:, None] - found[None], axis=-1).mean(axis=-1) / box_side(true)[:, None]
    pairs = []
    while error.min() < SAME_HAND:
        t, f = np.unravel_index(error.argmin(), error.shape)
        pairs.append((int(t), int(f), float(error[t, f])))
        error[t], error[:, f] = np.inf, np.inf
    return pairs


@dataclass
class Score:
    """What MediaPipe made of the frames."""

    counts: Counter[str]
    errors: list[float]
    pixels: list[np.ndarray]  # what MediaPipe found, and which row of the truth it is
    rows: list[int]

    def add(self, truth: Truth, rows: np.ndarray, found: list[LandmarkedHand], width: int, height: int) -> None:
        """One frame's true and found hands."""
        here = truth.where(rows)
        inside = (here.pixels > 0).all(axis=-1) & (here.pixels < (width, height)).all(axis=-1)
        matched = match(here.pixels, np.array([hand.keypoints_px[:, :2] for hand in found]))
        self.counts.update(frames=1, true=int(here.visible.sum()), extra=len(found) - len(matched))
        if not inside.any():
            self.counts.update(empty=1, false=int(bool(found)))
        for t, f, error in matched:
            if here.visible[t]:
                self.counts.update(found=1, same_side=int(found[f].side == here.side[t]))
                self.errors.append(error)
                self.pixels.append(found[f].keypoints_px[:, :2])
                self.rows.append(int(rows[t]))


def run_mediapipe(demo: Path, truth: Truth) -> Score:
    """Looks for hands in the full frames of all videos that can be read."""
    score = Score(Counter(), [], [], [])
    with tempfile.TemporaryDirectory() as folder:
        build_task_file(Path(folder) / "hand.task")
        with Landmarker(Path(folder) / "hand.task", max_hands=4, score_threshold=0.5) as landmarker:
            for video in sorted((demo / "videos").glob("*.mp4")):
                if video.name == "truncated.mp4":
                    continue
                for i, rgb in full_seconds(video):
                    rows = np.flatnonzero((truth.video == video.name) & (truth.frame == i))
                    score.add(truth, rows, landmarker.find(rgb), rgb.shape[1], rgb.shape[0])
    return score


def mining_ratio(truth: Truth, pixels: np.ndarray) -> tuple[float, float]:
    """How far Top-1 hands of other videos are in 3D, and that in units of random hands of other videos.

    Args:
        truth: n hands.
        pixels: (n, 21, 2) the keypoints that are compared.
    """
    left = truth.side == "left"
    flip = np.where(left, -1.0, 1.0)[:, None]
    middle = (pixels.max(axis=1) + pixels.min(axis=1)) / 2
    features = (pixels - middle[:, None]) / (SQUARE * box_side(pixels))[:, None, None]
    features[..., 0] *= flip
    features = features.reshape(len(pixels), -1) - features.reshape(len(pixels), -1).mean(axis=0)
    features = features @ np.linalg.svd(features, full_matrices=False)[2][:COMPONENTS].T
    other = truth.video[:, None] != truth.video[None]
    distance = np.linalg.norm(features[:, None] - features[None], axis=-1)
    nearest = np.where(other, distance, np.inf).argmin(axis=1)
    rng = np.random.default_rng(0)
    random = np.array([rng.choice(np.flatnonzero(row)) for row in other])
    joints = truth.metres - truth.metres[:, :1]
    joints = joints / np.linalg.norm(joints[:, 9], axis=1)[:, None, None]
    joints[..., 0] *= flip
    top, chance = (np.linalg.norm(joints - joints[j], axis=-1).mean() for j in (nearest, random))
    return float(top), float(top / chance)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="a rendered demo")
    demo = parser.parse_args().demo
    decord.logging.set_level(decord.logging.QUIET)
    truth = read_truth(demo)
    score = run_mediapipe(demo, truth)
    n = score.counts
    visible = truth.where(truth.visible)
    again = truth.where(np.array(score.rows))
    sizes = np.percentile(box_side(visible.pixels), [5, 50, 95])
    print(f"{n['frames']} frames, {n['true']} visible hands, boxes of {sizes.round().astype(int)} px (5, 50, 95 %)")
    print(f"MediaPipe finds            {n['found'] / n['true']:6.1%} of them")
    print(f"says the right side for    {n['same_side'] / n['found']:6.1%} of those")
    print(f"2D error, mean and median  {np.mean(score.errors):6.3f} {np.median(score.errors):.3f} of the box")
    print(f"finds a hand in            {n['false'] / n['empty']:6.1%} of {n['empty']} empty frames")
    print(f"hands that are not there   {n['extra'] / (n['found'] + n['extra']):6.1%} of all found")
    for name, rows, pixels in (("exact", visible, visible.pixels), ("MediaPipe's", again, np.array(score.pixels))):
        top, ratio = mining_ratio(rows, pixels)
        print(f"Top-1 of {name} keypoints: {top:.3f} bones apart in 3D, {ratio:.3f} of random pairs")


if __name__ == "__main__":
    main()
