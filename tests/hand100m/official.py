"""The official loader, restated from its description and independently of simhand (spec: crop, left hands, output)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

CROP_SIZE = 224


def official_crop(image: np.ndarray, box: list[float]) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The crop of CROP_SIZE x CROP_SIZE and the part of the image that it shows."""
    left, top, right, bottom = (int(value) for value in box)
    grow_x = int((int((right - left) * 1.3) - (right - left)) / 2)
    grow_y = int((int((bottom - top) * 1.3) - (bottom - top)) / 2)
    wide = (left - grow_x, top - grow_y, right + grow_x, bottom + grow_y)
    half = max(wide[2] - wide[0], wide[3] - wide[1]) // 2
    middle_x, middle_y = (wide[0] + wide[2]) / 2, (wide[1] + wide[3]) / 2
    part = (
        max(0, int(middle_x - half)),
        max(0, int(middle_y - half)),
        min(image.shape[1], int(middle_x + half)),
        min(image.shape[0], int(middle_y + half)),
    )
    crop = image[part[1] : part[3], part[0] : part[2]]
    return cv2.resize(crop, (CROP_SIZE, CROP_SIZE)), part


class OfficialLoader:
    """What the official code makes of a JSON: crops as right hands, joints in pixels of the crop, positives."""

    def __init__(self, root: Path, annotations: str) -> None:
        self.root = root
        whole = json.loads((root / annotations).read_text())
        self.annotations = whole["annotations"]
        self.images = {image["id"]: image for image in whole["images"]}
        self.index = {annotation["hand_id"]: i for i, annotation in enumerate(self.annotations)}
        assert len(self.index) == len(self.annotations)

    def __getitem__(self, i: int) -> dict[str, Any]:
        annotation = self.annotations[i]
        described = self.images[annotation["image_id"]]
        image = cv2.cvtColor(cv2.imread(str(self.root / described["file_name"])), cv2.COLOR_BGR2RGB)
        assert image.shape[:2] == (described["height"], described["width"])
        crop, part = official_crop(image, json.loads(annotation["boxes"]))
        joints = np.array(annotation["keypoint_25d"], np.float32).reshape(21, 3)
        raw, joints_px = joints.copy(), joints[:, :2] * np.float32(CROP_SIZE)
        if annotation["left_right"] == "Left":
            crop = cv2.flip(crop, 1)
            joints_px[:, 0] = CROP_SIZE - joints_px[:, 0]
            raw[:, 0] = 1 - raw[:, 0]
        return {
            "image": crop,
            "part": part,
            "joints_px": joints_px,
            "joints_raw": raw,
            "hand_id": int(annotation["hand_id"]),
            "positive": self.index[str(annotation["positive_sample"][0])],
            "distance": annotation["distance"][0],
        }
