"""Labelled sets in the layout of AssemblyHands (Ohkawa et al., 2023), its egocentric images, version 1-1.

    annotations/skeleton.txt                                        (not read)
    annotations/train/assemblyhands_train_ego_data_v1-1.json        images; of each hand in them a box, joint_valid
    annotations/train/assemblyhands_train_ego_calib_v1-1.json       intrinsics; of each frame extrinsics, from world
    annotations/train/assemblyhands_train_joint_3d_v1-1.json        joints of each frame, in millimetres in the world
    annotations/val/..., annotations/test/...                       the same
    images/ego_images_rectified/{train,val,test}/{recording}/{camera}_mono10bit/{frame:06d}.jpg     grey

The layout's joints are 42, those of the right hand first, of each hand from the tip of the thumb to its base, the other
fingers likewise, and the wrist last. Each hand with a box and enough joints is one of the set: an image may give two.
Evaluation is on `test`, or where its joints are not at hand on `val`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import LabelledSet, Split, names_of, project
from simhand.finetuning.reading import (
    inside,
    mirror_axis,
    mirror_cameras,
    mirror_joints,
    mirror_pixels,
    read_json,
    require_files,
    tell_left_out,
    usable,
)
from simhand.finetuning.settings import Behaviour, ReadSettings
from simhand.joints import JOINTS

ORDER = (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16)
"""Of each joint, its place among the layout's 21 of a hand."""
CROP_FACTOR = 1.75  # spec: section 10
_SMALLEST_PX = 100
_HINT = "unpack annotations and images of AssemblyHands v1-1; where test has no joints, set evaluation_split: val"


class Found(NamedTuple):
    """What the label files say of one hand in one image."""

    name: str
    image: str  # below the root
    size_px: tuple[int, int]
    recording: str
    frame: str
    side: str
    view: str
    box_px: list[float]  # x0, y0, x1, y1
    world_mm: list[list[float]]  # (21, 3) in the layout's order
    valid: np.ndarray  # bool (21,)
    intrinsics: list[list[float]]
    extrinsics: list[list[float]]  # (3, 4)


class Places(NamedTuple):
    """Where the joints of n hands are, in the common order."""

    joints_mm: np.ndarray  # float64 (n, 21, 3) in the camera's frame; NaN where not known
    keypoints_px: np.ndarray  # float64 (n, 21, 2)
    cameras: np.ndarray  # float64 (n, 3, 3)


def read_assemblyhands(root: Path, split: Split, settings: ReadSettings) -> LabelledSet:
    """Reads the labels of one split, and checks that its images are there.

    Officially a joint counts as seen wherever it lies, because of a slip in the test whether it is in the crop.

    Raises:
        LabelledSetError: a file is missing or has other content, or no hand is left.
    """
    part = "train" if split == "training" else settings.evaluation_split
    hands, places = _found(root, part)
    require_files(root, sorted({hand.image for hand in hands}), f"{part} images", _HINT)
    squares = hand_boxes_squares(np.array([hand.box_px for hand in hands], dtype=np.float64).reshape(-1, 4))
    seen = _seen(hands, places, *squares, settings.behaviour)
    rows = np.flatnonzero(usable(seen))
    if len(rows) == 0:
        raise LabelledSetError(f"no hand of {part} has a box and enough joints", where=root, hint=_HINT)
    hands = [hands[row] for row in rows]
    places = Places(*(values[rows] for values in places))
    corners, sides = (values[rows] for values in squares)
    return _labelled_set(
        root, hands, places, corners + sides[:, None] / 2, sides, seen=seen[rows], behaviour=settings.behaviour
    )


def hand_boxes_squares(boxes_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The squares around boxes (n, 4) of x0, y0, x1, y1: first pixels (n, 2) and sides (n,), whole numbers.

    1.75 times the longer side, 100 pixels at least; rounded towards zero as officially (spec: section 10).
    """
    low, high = boxes_px[:, :2], boxes_px[:, 2:]
    sides = np.maximum((CROP_FACTOR * (high - low).max(axis=1)).astype(np.int64), _SMALLEST_PX)
    return np.trunc((low + high) / 2 - sides[:, None] / 2).astype(np.int64), sides


def _found(root: Path, part: str) -> tuple[list[Found], Places]:
    """All hands with a box in the images of a part, and where their joints are."""
    images, calibrations, joints = (_read(root, part, kind) for kind in ("ego_data", "ego_calib", "joint_3d"))
    unlabelled: list[str] = []
    try:
        by_id = {image["id"]: image for image in images["images"]}
        hands = [
            hand
            for annotation in images["annotations"]
            for hand in _hands_of(
                by_id[annotation["image_id"]],
                annotation,
                calibrations["calibration"],
                joints["annotations"],
                unlabelled,
            )
        ]
        places = _places(hands)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = root / "annotations" / part
        raise LabelledSetError("labels of another layout", where=where, got=repr(error), hint=_HINT) from error
    tell_left_out("images", unlabelled, "left out, they have no 3D joints or no camera")
    return hands, places


def _read(root: Path, part: str, kind: str) -> Any:
    path = root / "annotations" / part / f"assemblyhands_{part}_{kind}_v1-1.json"
    return read_json(path, f"annotations/{part}/assemblyhands_{part}_{{ego_data,ego_calib,joint_3d}}_v1-1.json", _HINT)


def _hands_of(
    image: dict[str, Any],
    annotation: dict[str, Any],
    calibrations: dict[str, Any],
    joints: dict[str, Any],
    unlabelled: list[str],
) -> Iterator[Found]:
    """The hands of one image; one without joints or camera is added to the unlabelled."""
    recording, frame, camera = str(image["seq_name"]), f"{int(image['frame_idx']):06d}", f"{image['camera']}_mono10bit"
    known = joints.get(recording, {}).get(frame)
    extrinsics = calibrations.get(recording, {}).get("extrinsics", {}).get(frame, {}).get(camera)
    if known is None or extrinsics is None:
        unlabelled.append(image["file_name"])
        return
    valid = np.ravel(annotation["joint_valid"]).astype(bool) & np.ravel(known["joint_valid"]).astype(bool)  # (42,)
    for side, begin in (("right", 0), ("left", len(JOINTS))):
        if annotation["bbox"].get(side):
            yield Found(
                name=f"{image['file_name']}#{side}",
                image=f"images/{image['file_name']}",
                size_px=(int(image["width"]), int(image["height"])),
                recording=recording,
                frame=frame,
                side=side,
                view=image["camera"],
                box_px=annotation["bbox"][side],
                world_mm=known["world_coord"][begin : begin + len(JOINTS)],
                valid=valid[begin : begin + len(JOINTS)],
                intrinsics=calibrations[recording]["intrinsics"][camera],
                extrinsics=extrinsics,
            )


def _places(hands: list[Found]) -> Places:
    """Where the hands' joints are in their cameras' frames and images."""
    world_mm = np.array([hand.world_mm for hand in hands], dtype=np.float64).reshape(-1, len(JOINTS), 3)[:, ORDER]
    extrinsics = np.array([hand.extrinsics for hand in hands], dtype=np.float64).reshape(-1, 3, 4)
    cameras = np.array([hand.intrinsics for hand in hands], dtype=np.float64).reshape(-1, 3, 3)
    joints_mm = world_mm @ extrinsics[:, :, :3].transpose(0, 2, 1) + extrinsics[:, None, :, 3]
    known = np.array([hand.valid for hand in hands], dtype=bool).reshape(-1, len(JOINTS))[:, ORDER] & (
        joints_mm[..., 2] > 0
    )
    joints_mm[~known] = np.nan
    return Places(joints_mm, project(joints_mm, cameras), cameras)


def _seen(
    hands: list[Found], places: Places, corners: np.ndarray, sides: np.ndarray, behaviour: Behaviour
) -> np.ndarray:
    """Which joints (n, 21) are known and, except officially, in the image and in its square."""
    known = np.isfinite(places.keypoints_px).all(axis=-1)
    if behaviour == "official":
        return known
    sizes = np.array([hand.size_px for hand in hands], dtype=np.float64).reshape(-1, 1, 2)
    within = inside(places.keypoints_px - corners[:, None], sides[:, None, None])
    return known & inside(places.keypoints_px, sizes) & within


def _labelled_set(
    root: Path,
    hands: list[Found],
    places: Places,
    centers_px: np.ndarray,
    sides_px: np.ndarray,
    *,
    seen: np.ndarray,
    behaviour: Behaviour,
) -> LabelledSet:
    flipped = np.array([hand.side == "left" for hand in hands])
    axis = mirror_axis(np.array([hand.size_px[0] for hand in hands]), behaviour)
    return LabelledSet(
        root=root,
        names=names_of([hand.name for hand in hands]),
        images=names_of([hand.image for hand in hands]),
        flipped=flipped,
        labels=_numbered([(hand.recording, hand.frame, hand.side) for hand in hands]),
        sequences=_numbered([(hand.recording,) for hand in hands]),
        views=names_of([hand.view for hand in hands]),
        joints_mm=mirror_joints(places.joints_mm, flipped),
        seen=seen,
        keypoints_px=mirror_pixels(places.keypoints_px, flipped, axis),
        cameras=mirror_cameras(places.cameras, flipped, axis),
        centers_px=mirror_pixels(centers_px, flipped, axis),
        sides_px=sides_px.astype(np.float64),
        hidden=np.full(len(hands), np.nan),
    )


def _numbered(keys: list[tuple[str, ...]]) -> np.ndarray:
    """A number for each different key, in the order of their first place: int64 (n,)."""
    numbers: dict[tuple[str, ...], int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
