"""Label files in FreiHAND's layout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from simhand.files import whole_file


def write_labels(folder: Path, split: str, parts: Iterable[Path]) -> None:
    """Gathers what `render_person` wrote into FreiHAND's {split}_K.json, {split}_xyz.json and {split}_scale.json."""
    labels = [json.loads(part.read_text()) for part in parts]
    K, xyz = ([row for part in labels for row in part[name]] for name in ("K", "xyz"))
    bones = np.array(xyz)[:, 9] - np.array(xyz)[:, 10]  # FreiHAND's scale: the first bone of the middle finger
    for name, values in (("K", K), ("xyz", xyz), ("scale", np.linalg.norm(bones, axis=1).tolist())):
        _write_row(folder / f"{split}_{name}.json", values)


def _write_row(path: Path, values: list[Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(values))
