"""Annotation files in AssemblyHands' layout, which hold what is known of all recordings of a split."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simhand.files import whole_file

SPLITS = {"training": "train", "evaluation": "test"}


def write_annotations(root: Path, split: str, parts: Iterable[Path]) -> None:
    """Gathers what `assemblyhands_recording.render_recording` wrote into the annotation files of a split."""
    entries = [json.loads(part.read_text()) for part in parts]
    images, annotations = ([row for entry in entries for row in entry[kind]] for kind in ("images", "annotations"))
    calibration, joints = (
        {name: of for entry in entries for name, of in entry[kind].items()} for kind in ("calibration", "joints")
    )
    for kind, value in (
        ("ego_data", {"images": images, "annotations": annotations}),
        ("ego_calib", {"calibration": calibration}),
        ("joint_3d", {"annotations": joints}),
    ):
        _write(root, split, kind, value)


def _write(root: Path, split: str, kind: str, value: dict[str, Any]) -> None:
    path = root / "annotations" / SPLITS[split] / f"assemblyhands_{SPLITS[split]}_{kind}_v1-1.json"
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value))


def write_skeleton(root: Path) -> None:
    """Writes what the joints are called, in the layout's order."""
    names = [f"{finger}{4 - joint}" for finger in ("thumb", "index", "middle", "ring", "pinky") for joint in range(4)]
    lines = [f"{side}_{name}" for side in ("right", "left") for name in (*names, "wrist")]
    with whole_file(root / "annotations" / "skeleton.txt") as temporary:
        temporary.write_text("".join(f"{name} {i}\n" for i, name in enumerate(lines)))
