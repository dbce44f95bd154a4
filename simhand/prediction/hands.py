"""The hands in frames: found by the detector, seen by the model, told in the frame's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from simhand.device import choose_device
from simhand.errors import WeightsError
from simhand.finetuning import assemblyhands, dexycb, freihand
from simhand.finetuning.augment import plain_view
from simhand.finetuning.heads import HEADS, Head
from simhand.finetuning.model_file import Card, read_model
from simhand.finetuning.official_views import official_view
from simhand.finetuning.samples import Sample, crop_batch
from simhand.hands.detector import Detection
from simhand.joints import JOINTS, WRIST
from simhand.prediction.settings import PredictionSettings
from simhand.prediction.squares import HandSquare, assumed_camera, square_around

# Sides of the squares that fine-tuning cuts out, in units of the keypoints' extent, by layout (spec: section 10). The
# detector's boxes lie around MediaPipe's keypoints, which are those of the labels: on 200 labelled images in FreiHAND's
# layout the labels' extent is 0.97 times theirs (5th to 95th percentile: 0.92 to 1.04), and training varies it by 0.1.
_SQUARES = {
    "freihand": freihand.CROP_FACTOR,
    "dexycb": dexycb.CROP_FACTOR,
    "assemblyhands": assemblyhands.CROP_FACTOR,
}


@dataclass(frozen=True)
class FoundHand:
    """One hand in a frame. Pixels have the centre of the frame's first one at (0, 0)."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2, px
    side: str  # left or right, as the person would say
    score: float  # the detector's
    keypoints_px: np.ndarray  # (21, 2)
    joints_mm: np.ndarray  # (21, 3) relative to the wrist: x to the right, y down, z away from the camera
    bone_mm: float  # assumed, from the wrist to the middle finger's base
    focal_px: float  # assumed


class Predictor:
    """A fine-tuned model that is shown the hands which a detector finds.

    Args:
        path: a model that fine-tuning wrote.
        settings: what is assumed of hands and camera.

    Raises:
        WeightsError: the model is missing, damaged, or something else.
        ConfigError: a GPU is wanted and there is none.
    """

    def __init__(self, path: Path, settings: PredictionSettings) -> None:
        self.settings = settings
        self._path = path
        self._device = choose_device(settings.device)
        module, self._training, self.card = read_model(path)
        self._module: nn.Module = module.to(self._device)
        self._head: Head = HEADS[self._training.head]

    def hands_in(self, frames: Sequence[np.ndarray], detected: Sequence[Sequence[Detection]]) -> list[list[FoundHand]]:
        """The hands of each frame, from left to right.

        Args:
            frames: uint8 (h, w, 3) RGB each; they may differ in size.
            detected: what the detector found in each.

        Raises:
            WeightsError: the model predicts what is no number.
        """
        chosen = [self._chosen(hands) for hands in detected]
        predicted = iter(self._predict([(f, hand) for f, hands in zip(frames, chosen, strict=True) for hand in hands]))
        return [[next(predicted) for _ in hands] for hands in chosen]

    def _chosen(self, hands: Sequence[Detection]) -> list[Detection]:
        moved = [replace(hand, box=_from_centers(*hand.box)) for hand in hands]
        return sorted(moved, key=lambda hand: hand.box[0] + hand.box[2])

    @torch.inference_mode()
    def _predict(self, hands: Sequence[tuple[np.ndarray, Detection]]) -> list[FoundHand]:
        if not hands:
            return []
        frames = [frame for frame, _ in hands]
        squares = [self._square(frame, hand) for frame, hand in hands]
        cameras = [assumed_camera(frame.shape[1], frame.shape[0], self.settings.focal_px) for frame in frames]
        crops = self._crops(frames, squares).to(self._device)
        seen = np.stack([square.camera(camera) for square, camera in zip(squares, cameras, strict=True)])
        told = self._head.predict(self._module(crops), unlabelled(crops, seen, self.settings.bone_mm))
        keypoints_px, locations = (part.double().cpu().numpy() for part in told[:2])
        if not (np.isfinite(keypoints_px).all() and np.isfinite(locations).all()):
            raise WeightsError("a model predicts what is no number", where=self._path, hint="fine-tune again")
        every = zip((hand for _, hand in hands), squares, cameras, keypoints_px, locations, strict=True)
        return [self._told(*one) for one in every]

    def _told(
        self, hand: Detection, square: HandSquare, camera: np.ndarray, keypoints_px: np.ndarray, locations: np.ndarray
    ) -> FoundHand:
        """What the model says about a hand's crop, of the hand in its frame."""
        joints_mm = square.unmirrored(locations - locations[WRIST]) * self.settings.bone_mm
        focal_px = float(camera[0, 0])
        points = square.to_image(keypoints_px)
        return FoundHand(hand.box, hand.side, hand.score, points, joints_mm, self.settings.bone_mm, focal_px)

    def _square(self, frame: np.ndarray, hand: Detection) -> HandSquare:
        factor = self.settings.square or square_factor(self.card)
        return square_around(hand.box, hand.side == "left", frame.shape[1], factor, self._training.image_size)

    def _crops(self, frames: Sequence[np.ndarray], squares: Sequence[HandSquare]) -> Tensor:
        """(B, 3, size, size) in -0.5..0.5, as the model was trained on."""
        size = self._training.image_size
        images = [_right_hand(frame, square) for frame, square in zip(frames, squares, strict=True)]
        if self._training.behaviour == "paper":
            return crop_batch(images, np.stack([square.affine for square in squares]), size)
        inverted = _layout(self.card) == "freihand"
        views = [plain_view(square.center_px, square.side_px) for square in squares]
        pairs = zip(images, views, strict=True)
        crops = [official_view(image, view, size, inverted=inverted) for image, view in pairs]
        return torch.stack(crops) / 255 - 0.5


def _from_centers(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float, float, float]:
    """The detector's box, whose (0, 0) is the corner of the first pixel."""
    return x1 - 0.5, y1 - 0.5, x2 - 0.5, y2 - 0.5


def _right_hand(frame: np.ndarray, square: HandSquare) -> Tensor:
    """An image, uint8 (3, h, w), mirrored if that makes its hand a right one."""
    image = torch.from_numpy(frame).permute(2, 0, 1)
    return image.flip(2) if square.mirrored else image


def square_factor(card: Card) -> float:
    """Side of the squares that a model was trained on, in units of the hand's extent."""
    return _SQUARES[_layout(card)]


def _layout(card: Card) -> str:
    """Of the labelled set that a model was trained on."""
    return str(card.get("format", "freihand"))


def unlabelled(crops: Tensor, cameras: np.ndarray, bone_mm: float) -> Sample:
    """Crops (B, 3, S, S) as a batch of hands of which nothing is known but cameras (B, 3, 3) and size."""
    count, joints = len(crops), len(JOINTS)
    zeros = crops.new_zeros
    return Sample(
        image=crops,
        keypoints_px=zeros(count, joints, 2),
        locations=zeros(count, joints, 3),
        seen=zeros(count, joints, dtype=torch.bool),
        camera=torch.from_numpy(cameras).to(crops),
        bone_mm=crops.new_full((count,), bone_mm),
        scale_mm=crops.new_full((count,), torch.nan),
        root=zeros(count, 3),
    )
