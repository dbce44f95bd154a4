"""The colour of each vertex: backs, palms, knuckles, finger tips and nails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simhand.synthetic.creases import N_FIELDS, crease_fields
from simhand.synthetic.forearm import is_sleeve
from simhand.synthetic.person import Person
from simhand.synthetic.shading import vertex_normals

if TYPE_CHECKING:
    from simhand.synthetic.hand_model import HandModel

_RED = np.array([0.03, -0.035, -0.03])
_NAIL = np.array([0.09, 0.06, 0.07])
_END_BONE_M = 0.026
_FIRST_FINGER_BONE, _PALM_OF_WRIST = 2, (-1.0, 0.0, 0.0)  # the bones of the wrist have no palmar axis of their own


@dataclass(frozen=True)
class Skin:
    """How the vertices of a hand and its forearm look, float32."""

    colours: np.ndarray  # (V, 3) RGB in 0..1
    creases: np.ndarray  # (V, 6) as `simhand.synthetic.creases` makes them


def draw_skin(person: Person, model: HandModel) -> Skin:
    """A person's skin and sleeve."""
    palm = _palm_side(model)
    colours = _hand_colours(person, model, palm)
    wrist = colours[model.wrist_ring()]  # (20, 3)
    sleeve = np.broadcast_to(person.sleeve_rgb, wrist.shape)
    rings = [sleeve if cloth else wrist for cloth in is_sleeve(person.bare_forearm_m)]
    creases = np.zeros((len(colours) + len(rings) * len(wrist), N_FIELDS), np.float32)
    creases[: len(colours)] = crease_fields(model, palm)
    return Skin(np.clip(np.concatenate([colours, *rings]), 0, 1).astype(np.float32), creases)


def _hand_colours(person: Person, model: HandModel, palm: np.ndarray) -> np.ndarray:
    along = model.along_bone
    tip = np.where(np.isin(model.bone_of_vertex, model.chains[:, 2]), np.clip(along / _END_BONE_M, 0, 1), 0)
    knuckle = np.where(np.isin(model.bone_of_vertex, model.chains), np.exp(-((along / 0.006) ** 2)) * (1 - palm), 0)
    nail = (tip > 0.55) & (palm < 0.06)
    red = np.maximum(tip * (0.3 + 0.7 * palm), 0.8 * knuckle)
    colours = person.back_rgb + palm[:, None] * (person.palm_rgb - person.back_rgb)
    colours = colours + red[:, None] * _RED + nail[:, None] * _NAIL
    return np.asarray(colours * (1 + _mottling(model.rest_vertices, person.mottling_seed)[:, None]))


def _palm_side(model: HandModel) -> np.ndarray:
    """How much (V,) each vertex belongs to the palm side, in 0..1."""
    facing = model.rest_bones[model.bone_of_vertex, :3, 2]
    facing[model.bone_of_vertex < _FIRST_FINGER_BONE] = _PALM_OF_WRIST
    normals = vertex_normals(model.rest_vertices, model.faces)
    return np.asarray(1 / (1 + np.exp(-5 * (normals * facing).sum(axis=1))))


def _mottling(vertices: np.ndarray, seed: int) -> np.ndarray:
    """Smooth irregularities (V,) of a few per cent, as a sum of random waves."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 1, (3, 24)) * np.geomspace(80, 700, 24)
    return np.asarray(0.011 * np.sin(vertices @ waves + rng.uniform(0, 2 * np.pi, 24)).sum(axis=1))
