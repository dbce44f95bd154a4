"""The colour of each vertex: backs, palms, knuckles, finger tips and nails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simhand.synthetic.forearm import is_sleeve
from simhand.synthetic.person import Person
from simhand.synthetic.shading import vertex_normals

if TYPE_CHECKING:
    from simhand.synthetic.hand_model import HandModel

_RED = np.array([0.03, -0.035, -0.03])
_NAIL = np.array([0.08, 0.05, 0.06])


def vertex_colours(person: Person, model: HandModel) -> np.ndarray:
    """RGB in 0..1 of the hand's and the forearm's vertices (V + R * 20, 3), float32."""
    palm, tip, knuckle = _regions(model)
    colours = person.back_rgb + palm[:, None] * (person.palm_rgb - person.back_rgb)
    colours = colours + np.maximum(tip * (0.3 + 0.7 * palm), 0.8 * knuckle)[:, None] * _RED
    colours = colours + (((tip > 0.55) & (palm < 0.06))[:, None] * _NAIL)
    colours *= 1 + _mottling(model.rest_vertices, person.mottling_seed)[:, None]
    wrist = colours[model.wrist_ring()]  # (20, 3)
    sleeve = np.broadcast_to(person.sleeve_rgb, wrist.shape)
    rings = [sleeve if cloth else wrist for cloth in is_sleeve(person.bare_forearm_m)]
    return np.clip(np.concatenate([colours, *rings]), 0, 1).astype(np.float32)


def _regions(model: HandModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much (V,), in 0..1, each vertex belongs to the palm side, to a finger tip, to the back of a joint."""
    bones = model.rest_bones[model.bone_of_vertex]  # (V, 4, 4)
    normals = vertex_normals(model.rest_vertices, model.faces)
    facing = np.where(
        model.bone_of_vertex[:, None] < 2, [-1.0, 0.0, 0.0], bones[:, :3, 2]
    )  # the two bones at the wrist have no palmar axis of their own
    palm = 1 / (1 + np.exp(-5 * (normals * facing).sum(axis=1)))
    along = np.einsum("vji,vj->vi", bones[:, :3, :3], model.rest_vertices - bones[:, :3, 3])[:, 1]
    is_end = np.isin(model.bone_of_vertex, model.end_bones)
    tip = np.where(is_end, np.clip(along / 0.026, 0, 1), 0)
    knuckle = np.where(model.bone_of_vertex > 1, np.exp(-((along / 0.006) ** 2)) * (1 - palm), 0)
    return palm, tip, knuckle


def _mottling(vertices: np.ndarray, seed: int) -> np.ndarray:
    """Smooth irregularities (V,) of a few per cent, as a sum of random waves."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 1, (3, 24)) * np.geomspace(80, 700, 24)
    return np.asarray(0.011 * np.sin(vertices @ waves + rng.uniform(0, 2 * np.pi, 24)).sum(axis=1))
