"""What a head says about hands."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Prediction(NamedTuple):
    """What a head says about B images."""

    keypoints_px: Tensor  # (B, 21, 2) in the crop
    locations: Tensor  # (B, 21, 3) relative to the wrist, in lengths of the hand's own bone from wrist to joint 9
    absolute: Tensor  # (B, 21, 3) in the camera's frame, in lengths of the hand's own bone from joint 9 to joint 10
