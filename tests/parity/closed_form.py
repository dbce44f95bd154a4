"""The closed-form weights that networks had when they were recorded (the recordings' README, fill rule)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


def filled(shapes: Shapes, seed: int, gains: Mapping[str, float]) -> dict[str, Tensor]:
    """A state_dict with tensors of these names and shapes.

    Args:
        shapes: by name.
        seed: of the recording.
        gains: factors of tensors of two and more dimensions, by a part of their name; the first that fits counts.
    """
    return {key: torch.from_numpy(_tensor(key, shapes[key], seed, i, gains)) for i, key in enumerate(sorted(shapes))}


def recorded_seed(recording_file: Callable[[str], Path], name: str) -> int:
    return json.loads(recording_file("meta.json").read_text())["fill_seeds"][name]


def shapes_of(keys_json: str) -> Shapes:
    """Of a list of [name, shape, ...]."""
    return {key: tuple(shape) for key, shape, *_ in json.loads(keys_json)}


def _tensor(key: str, shape: tuple[int, ...], seed: int, place: int, gains: Mapping[str, float]) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    v = 2 * _uniform(seed, place, int(np.prod(shape))).reshape(shape) - 1
    if len(shape) >= 2:
        gain = next((gain for part, gain in gains.items() if part in key), 1.0)
        v *= np.sqrt(6 / np.prod(shape[1:])) * gain
    elif key.endswith("running_var"):
        v = 1 + 0.2 * v
    elif key.endswith(("running_mean", ".bias")):
        v = 0.1 * v
    else:
        v = 0.25 + 0.05 * v if key.endswith("bn3.weight") else 1 + 0.1 * v
    return v.astype(np.float32)


def _uniform(seed: int, place: int, count: int) -> np.ndarray:
    """Numbers in [0, 1): float64 (count,)."""
    step = np.uint64(0x9E3779B97F4A7C15)

    def mix(x: np.ndarray) -> np.ndarray:
        z = x + step
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    base = mix(np.array([seed * 1000003 + place], dtype=np.uint64))
    return (mix(base + np.arange(count, dtype=np.uint64) * step) >> np.uint64(11)) * 2.0**-53
