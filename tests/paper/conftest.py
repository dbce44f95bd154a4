from __future__ import annotations

from typing import Any

import pytest

from simhand.mining.settings import NeighbourSettings
from simhand.paper.planning import Configured
from simhand.paper.settings import PaperSettings
from simhand.pretraining.settings import PretrainingSettings

PAPER: dict[str, Any] = {
    "methods": {"SimCLR": "simclr", "PeCLR": "peclr", "SiMHand": "simhand"},
    "pools": {"Ego-100K": "half", "Ego-1M": "all"},
    "labelled": {"FreiHAND": "x", "DexYCB": "y", "AssemblyHands": "z"},
    "ranks": (1, 2, 5),
}


def run(method: str, **settings: Any) -> PretrainingSettings:
    return PretrainingSettings.model_validate({"method": method, "pool": "all", **settings})


@pytest.fixture
def configured() -> Configured:
    """Three methods on two pools, which mine five neighbours and the hundredth."""
    runs = {"simclr": run("simclr"), "peclr": run("peclr", epochs=30), "simhand": run("simhand", weighting="linear")}
    pools = {name: NeighbourSettings(neighbours=5, further_ranks=(100,)) for name in ("half", "all")}
    return Configured(PaperSettings(**PAPER), runs, pools)
