"""Does pre-training learn what it should: do nearest neighbours by encoder features have similar true 3D poses?

    python -m benchmarks.retrieval                  with the demo of this checkout (`make demo` first)
    python -m benchmarks.retrieval --help           other folders, methods, epochs ...

The demo tells the exact 3D joints of every rendered hand. Its persons (a video each) are cut into as many parts as
there are seeds. Seed i holds out the persons of part i: the pool is drawn, similar hands are mined and encoders are
trained without them, so each person is held out once. Then every held-out hand (query) looks for the hand whose encoder
features have the largest cosine similarity, among the hands of the other held-out persons, and again among those of the
training persons; never among its own person's, whose skin and room would give it away. What is told is the mean
distance of the 21 true joints of the two hands, wrists aligned, in the camera's frame, mirrored where the crop is.

An encoder sees a hand as fine-tuning would: upright, in the middle of a square of 1.25 times the farthest keypoint's
distance. Features are the encoder's output, before the projection head. All methods share seed, initial weights, order
of hands and settings; `random weights` are those very initial weights. Each encoder is measured twice: with the
statistics of batch norm that it comes with (random weights: 0 and 1, those of no images; trained ones: of augmented
hands), and with those of the un-augmented training hands.

The learning rate is 1e-4 times the root of the batch size (PeCLR's rule), for all methods. 50 epochs of batches of 32
are 700 to 850 steps; the demo's own 10 epochs of 64 (70 or 80 steps here) are too few, see README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
import torchvision
from torch import Tensor, nn
from torchvision.transforms.functional import normalize, resized_crop

from simhand.files import open_arrow, read_parquet, write_parquet
from simhand.mining.knn import mine_neighbours
from simhand.mining.pca import embed_pool
from simhand.mining.settings import EmbeddingSettings, NeighbourSettings
from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD
from simhand.pretraining.card import training_code
from simhand.pretraining.crops import Pairs
from simhand.pretraining.pool import Pool, read_pool
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.train import Outputs, train
from simhand.synthetic.truth import TRUTH, joints_array
from simhand.tables import CROPS, MEMBERS

MARGIN = 1.25  # half side of a view, in units of the farthest keypoint's distance from the centroid
SAME_HAND = 0.25  # a true hand is the detected one if their boxes' middles are nearer, in units of the true one's side
CHANCE, BEST, RANDOM = "any hand (chance)", "nearest in 3D (best)", "random weights"
STORED, ANEW = "stored", "set anew"  # the statistics of batch norm

Row = tuple[str, str, str, int, float]  # gallery, statistics of batch norm, method, seed, mm


@dataclass(frozen=True)
class Hands:
    """The hands of a pool, row by row."""

    members: pa.Table  # of schema MEMBERS
    persons: np.ndarray  # int64 (n,)
    joints_mm: np.ndarray  # float32 (n, 21, 3), true, of right hands, the wrist at zero; nan where it is not known
    views: Tensor  # float32 (n, 3, s, s), un-augmented, normalised as in training

    @property
    def known(self) -> np.ndarray:
        """Whether the true joints of each hand are known, bool (n,)."""
        return np.isfinite(self.joints_mm).all(axis=(1, 2))


@dataclass(frozen=True)
class Run:
    """What all trainings share, and where they lie."""

    crops: Path  # folder of {source}/{shard}.arrow
    folder: Path
    settings: dict[str, Any]  # of pre-training, without method, weighting and seed


def read_hands(demo: Path, results: Path, pool: str, size: int) -> Hands:
    """The hands of the demo's pool with their truth."""
    path = results / "pools" / pool / "members.parquet"
    members = read_parquet(path, MEMBERS)
    persons = np.unique(members["video_id"].to_numpy(zero_copy_only=False), return_inverse=True)[1]
    joints_mm = true_joints(members, results / "crops", demo / "truth" / "hands.parquet")
    return Hands(members, persons, joints_mm, plain_views(read_pool(path, results / "crops"), size))


def true_joints(members: pa.Table, crops: Path, truth_path: Path) -> np.ndarray:
    """The true joints of the members as their crops show them, the wrist at zero, mm (n, 21, 3); nan where unknown."""
    columns = ["hand_id", "flipped", "x1", "y1", "x2", "y2"]
    boxes = pa.concat_tables([open_arrow(path, CROPS).select(columns) for path in sorted(crops.glob("*/*.arrow"))])
    hands = members.select(["row", "hand_id", "video_id", "frame_index"]).to_pandas()
    truth = read_parquet(truth_path, TRUTH)
    found = nearest_true_hands(hands.merge(boxes.to_pandas(), on="hand_id"), truth)
    joints = joints_array(truth["keypoints_m"])[found.true]
    mirror = np.where(found.flipped.to_numpy()[:, None, None], [-1.0, 1.0, 1.0], 1.0)
    all_joints = np.full((len(members), *joints.shape[1:]), np.nan, dtype=np.float32)
    all_joints[found.row] = 1000 * mirror * (joints - joints[:, :1])
    return all_joints


def nearest_true_hands(hands: pd.DataFrame, truth: pa.Table) -> pd.DataFrame:
    """Adds `true`, the row of the frame's true hand whose box's middle is nearest; hands without one are left out."""
    pixels = joints_array(truth["keypoints_px"])  # (t, 21, 2)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    middle, side = (low + high) / 2, (high - low).max(axis=1)
    true = truth.select(["video_id", "frame_index"]).to_pandas()
    true = true.assign(true=np.arange(len(true)), x=middle[:, 0], y=middle[:, 1], size=side)
    pairs = hands.merge(true, on=["video_id", "frame_index"])
    apart = np.hypot((pairs["x1"] + pairs["x2"]) / 2 - pairs["x"], (pairs["y1"] + pairs["y2"]) / 2 - pairs["y"])
    pairs = pairs.assign(apart=apart / pairs["size"]).sort_values("apart").drop_duplicates("row")
    return pairs[pairs["apart"] < SAME_HAND]


def plain_views(pool: Pool, size: int) -> Tensor:
    """Un-augmented views (n, 3, size, size): the hand's keypoints in the middle, black beyond the stored crop."""
    pairs = Pairs(pool, None)
    mean, std = list(IMAGENET_MEAN), list(IMAGENET_STD)
    views = []
    for row, keypoints in enumerate(pool.keypoints):
        crop = pairs.crop(row).float() / 255  # (3, S, S)
        points = keypoints * crop.shape[-1]
        centre = points.mean(axis=0)
        half = MARGIN * np.linalg.norm(points - centre, axis=1).max()
        left, top, side = (round(float(number)) for number in (*(centre - half), 2 * half))
        views.append(normalize(resized_crop(crop, top, left, side, side, [size, size], antialias=True), mean, std))
    return torch.stack(views)


def draw_training_pool(hands: Hands, training: np.ndarray, folder: Path) -> tuple[Path, Path]:
    """Writes the members among `training` (bool (n,)), and their nearest hands, mined among them alone."""
    members = hands.members.filter(pa.array(training))
    members = members.set_column(0, "row", pa.array(np.arange(len(members))))
    folder.mkdir(parents=True, exist_ok=True)
    names = ("members.parquet", "embeddings.npy", "neighbours.parquet")
    members_path, embeddings, neighbours = (folder / name for name in names)
    write_parquet(members, members_path, MEMBERS)
    embed_pool(members_path, EmbeddingSettings(), folder / "pca.npz", embeddings, pool="training persons")
    mine_neighbours(embeddings, members_path, NeighbourSettings(neighbours=1), 0, neighbours, pool="training persons")
    return members_path, neighbours


def initial_encoder(name: str, seed: int) -> nn.Module:
    """The encoder that a training of this seed starts from, without its classifier."""
    torch.manual_seed(seed)
    encoder = torchvision.models.get_model(name, weights=None)
    encoder.fc = nn.Identity()
    return encoder


def pretrained_encoder(method: str, seed: int, run: Run, members: Path, neighbours: Path) -> nn.Module:
    """Trains, unless the run's folder has the encoder of the same settings, hands and code already."""
    weighting = "linear" if method == "simhand" else "none"
    settings = PretrainingSettings(method=method, weighting=weighting, seed=seed, pool="training", **run.settings)
    made_of = (
        f"{settings.model_dump_json()} {training_code()}".encode() + members.read_bytes() + neighbours.read_bytes()
    )
    folder = run.folder / f"{method}_{seed}_{hashlib.blake2b(made_of, digest_size=6).hexdigest()}"
    outputs = Outputs(folder / "encoder.pt", folder / "metrics.jsonl", folder / "checkpoints")
    if not outputs.encoder.is_file():
        train(settings, members, [neighbours], run.crops, outputs)
    encoder = initial_encoder(settings.encoder, seed)
    encoder.load_state_dict(torch.load(outputs.encoder, weights_only=True))
    return encoder


@torch.no_grad()
def set_batch_norm(encoder: nn.Module, views: Tensor) -> None:
    """Makes the statistics of every batch norm those of these views."""
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a mean over all batches
    encoder.train()
    for batch in views.split(128):
        encoder(batch)


@torch.no_grad()
def features_of(encoder: nn.Module, views: Tensor) -> Tensor:
    """Features (n, d) of unit length."""
    encoder.eval()
    return nn.functional.normalize(torch.cat([encoder(batch) for batch in views.split(128)]), dim=1)


def pose_distances(hands: Hands) -> np.ndarray:
    """Mean distance of the true joints of any two hands, mm (n, n)."""
    joints = torch.from_numpy(hands.joints_mm).transpose(0, 1).contiguous()  # (21, n, 3)
    return torch.cdist(joints, joints).mean(dim=0).numpy()


def mean_distance(similarity: np.ndarray, allowed: np.ndarray, distances_mm: np.ndarray) -> float:
    """Mean distance from each query to its most similar hand, mm.

    Args:
        similarity: (n, n).
        allowed: bool (n, n), which hands (columns) a query (row) may find; rows without any are no queries.
        distances_mm: (n, n).
    """
    queries = np.flatnonzero(allowed.any(axis=1))
    found = np.where(allowed, similarity, -np.inf)[queries].argmax(axis=1)
    return float(distances_mm[queries, found].mean())


def galleries(hands: Hands, held_out: np.ndarray) -> dict[str, np.ndarray]:
    """Which hands each query may find, bool (n, n)."""
    other = hands.persons[:, None] != hands.persons[None]
    known = (held_out & hands.known)[:, None] & hands.known[None]
    return {"other held-out persons": known & held_out & other, "training persons": known & ~held_out}


def references(allowed: np.ndarray, distances_mm: np.ndarray) -> dict[str, float]:
    """What a random and the best possible choice give, mm."""
    counts = allowed.sum(axis=1)
    means = np.where(allowed, distances_mm, 0).sum(axis=1)[counts > 0] / counts[counts > 0]
    return {CHANCE: float(means.mean()), BEST: mean_distance(-distances_mm, allowed, distances_mm)}


def encoders(
    methods: Sequence[str], seed: int, run: Run, training: tuple[Path, Path]
) -> Iterator[tuple[str, nn.Module]]:
    """The encoders that are compared, random weights first."""
    yield RANDOM, initial_encoder(run.settings["encoder"], seed)
    for method in methods:
        started = time.perf_counter()
        encoder = pretrained_encoder(method, seed, run, *training)
        print(f"seed {seed}, {method}: {time.perf_counter() - started:.0f} s", flush=True)
        yield method, encoder


def measure_seed(hands: Hands, methods: Sequence[str], seed: int, held_out: np.ndarray, run: Run) -> list[Row]:
    """The figures of all encoders of one seed."""
    distances = pose_distances(hands)
    allowed = galleries(hands, held_out)
    rows: list[Row] = []
    for gallery, mask in allowed.items():
        rows += [(gallery, "", name, seed, mm) for name, mm in references(mask, distances).items()]
    training = draw_training_pool(hands, ~held_out, run.folder / f"pool_{seed}")
    for method, encoder in encoders(methods, seed, run, training):
        for statistics in (STORED, ANEW):
            if statistics == ANEW:
                set_batch_norm(encoder, hands.views[torch.from_numpy(~held_out)])
            features = features_of(encoder, hands.views)
            similarity = (features @ features.T).numpy()
            for gallery, mask in allowed.items():
                rows.append((gallery, statistics, method, seed, mean_distance(similarity, mask, distances)))
    return rows


def report(rows: list[Row]) -> None:
    """Prints a table for each gallery, and whether SiMHand finds nearer poses than the others."""
    figures = pd.DataFrame(rows, columns=["gallery", "batch norm", "method", "seed", "mm"])
    for gallery, part in figures.groupby("gallery", sort=False):
        table = part.pivot_table(index=["batch norm", "method"], columns="seed", values="mm", sort=False)
        table = table.rename(columns="seed {}".format).assign(mean=table.mean(axis=1))
        print(f"\nmean distance of the hands found among {gallery}, mm\n")
        print(table.reset_index().to_markdown(index=False, floatfmt=".1f"))
    compared = figures[figures["batch norm"] != ""]
    by_method = compared.pivot_table(index=["gallery", "batch norm", "seed"], columns="method", values="mm")
    if "simhand" in by_method:
        print(f"\n{verdict(by_method)}")


def verdict(by_method: pd.DataFrame) -> str:
    """In how many rows (galleries, statistics, seeds) simhand's figure is below each other column's."""
    parts = []
    for other in by_method.columns.drop("simhand"):
        below = by_method["simhand"] < by_method[other]
        seeds = below.groupby("seed").all()
        answer = "yes" if seeds.all() else "NO"
        parts.append(
            f"simhand < {other}: {answer} ({seeds.sum()} of {len(seeds)} seeds, {below.sum()} of {len(below)} figures)"
        )
    return "; ".join(parts)


def main() -> None:
    """Trains and prints."""
    args = parse_arguments()
    names = ("encoder", "image_size", "epochs", "batch_size", "precision")
    settings: dict[str, Any] = {name: getattr(args, name) for name in names}
    settings |= {"warmup_epochs": args.epochs / 10, "learning_rate": 1e-4 * args.batch_size**0.5}
    hands = read_hands(args.demo, args.results, args.pool, args.image_size)
    count = len(hands.persons)
    print(f"{count} hands of {hands.persons.max() + 1} persons, the true joints of {hands.known.mean():.1%} are known")
    print(", ".join(f"{name} {value}" for name, value in settings.items()))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        run = Run(args.results / "crops", args.runs or Path(temporary), settings)
        for part, seed in enumerate(args.seeds):
            held_out = hands.persons % len(args.seeds) == part
            rows += measure_seed(hands, args.methods, seed, held_out, run)
    report(rows)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("demo"), help="the rendered demo")
    parser.add_argument("--results", type=Path, default=Path("results"), help="what the workflow made of it")
    parser.add_argument("--pool", default="demo")
    parser.add_argument("--methods", nargs="+", default=["simclr", "simhand"])
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="two or more, as many as there are parts"
    )
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--runs", type=Path, help="keep the encoders in this folder, and take those that lie there")
    args = parser.parse_args()
    if len(args.seeds) < 2:
        parser.error("--seeds must be two or more: they cut the persons into parts")
    return args


if __name__ == "__main__":
    main()
