"""Labels that are kept from training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simhand.errors import LabelledSetError
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.held_out import hold_out
from simhand.finetuning.labelled import LabelledSet
from simhand.finetuning.settings import ReadSettings


@pytest.fixture
def hands(labelled: Path) -> LabelledSet:
    """Eight hands in four recordings."""
    return replace(read_freihand(labelled, "training", ReadSettings()), sequences=np.arange(8) % 4)


@pytest.mark.parametrize(("percent", "recordings"), [(10, 1), (50, 2), (30, 1)])
def test_whole_recordings_are_held_out(hands: LabelledSet, percent: int, recordings: int) -> None:
    learnt, held = hold_out(hands, percent, seed=0)
    assert len(np.unique(held.sequences)) == recordings
    assert not set(held.sequences) & set(learnt.sequences)
    assert sorted([*learnt.names, *held.names]) == sorted(hands.names)


def test_the_seed_chooses(hands: LabelledSet) -> None:
    chosen = {tuple(hold_out(hands, 10, seed)[1].names) for seed in range(20)}
    assert len(chosen) == 4
    assert tuple(hold_out(hands, 10, 3)[1].names) == tuple(hold_out(hands, 10, 3)[1].names)


def test_one_recording_cannot_be_split(hands: LabelledSet) -> None:
    with pytest.raises(LabelledSetError, match="nothing can be held out"):
        hold_out(replace(hands, sequences=np.zeros(8, dtype=int)), 10, 0)
