"""The lines of the palm and of the fingers' inner sides: finer than the mesh, so they are drawn pixel by pixel.

Each vertex knows how far it lies from each line. Between vertices that changes evenly, so each pixel knows it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simhand.synthetic.hand_model import HandModel

# Arcs across the palm of the hand at rest, in metres: (y along the fingers, z to the thumb) of the centre, and radius.
_ARCS = ((0.132, -0.045, 0.060), (-0.050, 0.060, 0.132), (0.030, 0.045, 0.051))
_PALM_BEGINS_M = 0.012  # from the wrist
_OFF_PALM_M, _OFF_FINGERS_M = 1.0, -0.05
_WIDTH_M = 0.0012
_DARKNESS = 0.3
N_FIELDS = 1 + 2 + len(_ARCS)


def crease_fields(model: HandModel, palm: np.ndarray) -> np.ndarray:
    """What the lines are drawn from, float32 (V, 6): how far lines show at a vertex, and its distances from them.

    Args:
        model: the hand.
        palm: (V,) how much a vertex belongs to the palm side, in 0..1.
    """
    y, z = model.rest_vertices[:, 1], model.rest_vertices[:, 2]
    on_palm = ~np.isin(model.bone_of_vertex, model.chains[1:]) & (y > _PALM_BEGINS_M)
    arcs = [np.where(on_palm, np.hypot(y - cy, z - cz) - radius, _OFF_PALM_M) for cy, cz, radius in _ARCS]
    return np.column_stack([np.clip(3 * palm - 1.5, 0, 1), *_past_joints(model), *arcs]).astype(np.float32)


def crease_light(fields: np.ndarray) -> np.ndarray:
    """The share of light (n, 1) that pixels with these fields (n, 6) keep."""
    nearest = np.minimum.reduce(list(np.abs(fields[:, 1:]).T))
    return np.asarray(1 - _DARKNESS * fields[:, 0] * np.exp(-np.square(nearest / _WIDTH_M)))[:, None]


def _past_joints(model: HandModel) -> tuple[np.ndarray, np.ndarray]:
    """How far (V,) each vertex lies beyond its finger's middle and its end joint, in metres along the finger."""
    middle, end = (np.full(len(model.bone_of_vertex), _OFF_FINGERS_M) for _ in range(2))
    heads = model.rest_bones[:, :3, 3]
    for first, second, third in model.chains:
        lengths = np.linalg.norm(heads[[second, third]] - heads[[first, second]], axis=1)
        for bone, before in ((first, 0.0), (second, lengths[0]), (third, lengths.sum())):
            own = model.bone_of_vertex == bone
            along = before + model.along_bone[own]
            middle[own], end[own] = along - lengths[0], along - lengths.sum()
    return middle, end
