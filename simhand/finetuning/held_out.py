"""Labels that are kept from training, to tell when to stop."""

from __future__ import annotations

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import LabelledSet


def hold_out(hands: LabelledSet, percent: int, seed: int) -> tuple[LabelledSet, LabelledSet]:
    """Splits a set at random into what is learnt from and what is held out: whole recordings, never parts of one.

    Frames of one recording resemble each other too much to tell learning from learning by heart.

    Args:
        hands: a labelled set.
        percent: of its recordings, at least one.
        seed: of the choice.

    Raises:
        LabelledSetError: there is only one recording.
    """
    recordings = np.unique(hands.sequences)
    if len(recordings) < 2:
        hint = "leave patience_epochs empty, or take more labels"
        raise LabelledSetError("nothing can be held out", where=hands.root, got="labels of one recording", hint=hint)
    count = max(1, round(len(recordings) * percent / 100))
    chosen = np.random.default_rng((seed, 1)).permutation(recordings)[:count]  # 1: not the choice of the labels again
    held = np.isin(hands.sequences, chosen)
    return hands.subset(np.flatnonzero(~held)), hands.subset(np.flatnonzero(held))
