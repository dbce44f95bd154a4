"""From frames to hands and the objects they touch (spec: section 12)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from simhand.errors import WeightsError
from simhand.hands.hundred_doh.boxes import clip, decode, suppress
from simhand.hands.hundred_doh.network import HAND, OBJECT, HundredDohNet
from simhand.hands.hundred_doh.preprocessing import blob_scale, make_blob
from simhand.hands.hundred_doh.proposals import propose, with_image
from simhand.hands.settings import HundredDohSettings

_TOUCH_PX = 10_000  # a magnitude times a direction is in units of so many px
_TOUCHES_NOTHING = 0  # contact state


class Regions(NamedTuple):
    """What the network says about the regions of a batch of B frames of one size, R = 300 of each."""

    features: Tensor  # (B, 1024, h, w)
    numbered: Tensor  # (B * R, 5): number of the frame, box in px of the blob
    blob_size: tuple[int, int]  # height and width, px
    probabilities: Tensor  # (B, R, 3) of background, object and hand
    boxes: Tensor  # (B, R, 3, 4): for each of these, px of the frame
    right: Tensor  # (B, R) logits of a right hand


class Found(NamedTuple):
    """Detections of one class in one frame, best first."""

    boxes: Tensor  # (N, 4) px of the frame
    scores: Tensor  # (N,)
    rows: Tensor  # (N,) of the frame's regions


class Hands(NamedTuple):
    """The hands of one frame, best first, with what they touch; on the CPU."""

    boxes: Tensor  # (N, 4) px of the frame
    scores: Tensor  # (N,)
    right: Tensor  # (N,) bool
    contacts: Tensor  # (N,) int64, of simhand.tables.CONTACT_STATES
    offsets: Tensor  # (N, 3): magnitude, and a direction of length 0.1
    objects: Tensor  # (N, 5): box and score of the touched object; NaN where there is none


def find_hands(network: HundredDohNet, frames: Tensor, settings: HundredDohSettings, dtype: torch.dtype) -> list[Hands]:
    """The hands in each of some frames of one size.

    Args:
        network: for evaluation, on the device of the frames.
        frames: uint8 (B, h, w, 3) RGB.
        settings: thresholds, and how many hands there are at most.
        dtype: float32, or what autocast takes where it may.

    Raises:
        WeightsError: the network answers with what is no number.
    """
    regions = look(network, frames, dtype)
    found = [_hands(regions, frame, settings) for frame in range(len(frames))]
    contacts, offsets = contacts_of(network, regions, [hands.rows for hands in found], dtype)
    hands = []
    for frame, (best, states, offset) in enumerate(zip(found, contacts, offsets, strict=True)):
        objects = select(regions, frame, OBJECT, settings.object_threshold, settings.nms_threshold)
        touched = touched_objects(best.boxes, states, offset, objects)
        right = regions.right[frame, best.rows] > 0
        hands.append(Hands(*(part.cpu() for part in (best.boxes, best.scores, right, states, offset, touched))))
    return hands


def look(network: HundredDohNet, frames: Tensor, dtype: torch.dtype) -> Regions:
    """All regions of frames of one size, uint8 (B, h, w, 3) RGB, and their classes, boxes and sides.

    Raises:
        WeightsError: as of `find_hands`.
    """
    blob = make_blob(frames).contiguous(memory_format=torch.channels_last)
    size = (blob.shape[2], blob.shape[3])
    with _arithmetic(frames.device, dtype):
        features = network.features(blob)
        scores, deltas = network.RCNN_rpn(features)
        numbered = with_image(propose(scores, deltas, *size))
        _check(dtype, scores, numbered)  # before regions are pooled, which fails at others
        seen = network.region_features(features, numbered)
        probabilities, deltas = network.classify(seen)  # (B * R, 3), (B * R, 3, 4)
        right = network.sides(seen)
    boxes = clip(decode(numbered[:, None, 1:], deltas), *size) / blob_scale(*frames.shape[1:3])
    _check(dtype, probabilities, boxes, right)
    by_frame = (part.unflatten(0, (len(frames), -1)) for part in (probabilities, boxes, right))
    return Regions(features, numbered, size, *by_frame)


def select(regions: Regions, frame: int, kind: int, threshold: float, overlap: float) -> Found:
    """The detections of one class in one frame: above a score, and no two that overlap by `overlap` or more (IoU)."""
    scores, boxes = regions.probabilities[frame, :, kind], regions.boxes[frame, :, kind]
    rows = (scores > threshold).nonzero()[:, 0]
    rows = rows[suppress(boxes[rows], scores[rows], overlap)]
    return Found(boxes[rows], scores[rows], rows)


def _hands(regions: Regions, frame: int, settings: HundredDohSettings) -> Found:
    found = select(regions, frame, HAND, settings.score_threshold, settings.nms_threshold)
    return Found(*(part[: settings.max_hands] for part in found))


def contacts_of(
    network: HundredDohNet, regions: Regions, rows: list[Tensor], dtype: torch.dtype
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Contact states (N,) and offsets (N, 3) of some regions of each frame.

    They cost as much as all else that is done with regions, and each is its own region's alone: they are asked of
    those regions only that became hands.
    """
    count = regions.probabilities.shape[1]
    chosen = torch.cat([frame * count + part for frame, part in enumerate(rows)])
    with _arithmetic(chosen.device, dtype):
        states, offsets = network.contacts(regions.features, regions.numbered[chosen], *regions.blob_size)
    _check(dtype, states, offsets)
    counts = [len(part) for part in rows]
    return states.argmax(dim=1).split(counts), offsets.split(counts)


@contextmanager
def _arithmetic(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Autocast to `dtype`; or float32, where GPUs take fewer digits for convolutions (TF32) unless they are told."""
    mixed = dtype != torch.float32
    with (
        torch.autocast(device.type, dtype, enabled=mixed),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=mixed),
    ):
        yield


def _check(dtype: torch.dtype, *answers: Tensor) -> None:
    if not all(answer.isfinite().all() for answer in answers):
        hint = "take detection: {precision: float32}; where that is so, the weights are damaged"
        raise WeightsError("the hand detector answers with what is no number", got=str(dtype), hint=hint)


def touched_objects(boxes: Tensor, contacts: Tensor, offsets: Tensor, objects: Found) -> Tensor:
    """The object that each hand touches: the one whose centre is nearest to where the hand's offset points.

    Args:
        boxes: (N, 4) of hands, px of the frame.
        contacts: (N,) contact states.
        offsets: (N, 3).
        objects: M of the same frame.

    Returns:
        (N, 5) box and score; NaN of hands that touch nothing, and of all where no object was found.
    """
    touched = torch.cat([objects.boxes, objects.scores[:, None]], dim=1)  # (M, 5)
    if len(touched) == 0:
        return boxes.new_full((len(boxes), 5), torch.nan)
    points = _centres(boxes) + _TOUCH_PX * offsets[:, :1] * offsets[:, 1:]  # (N, 2)
    # By products of matrices, as it is from 26 points on, a distance below a pixel would be lost in rounding.
    distances = torch.cdist(points, _centres(objects.boxes), compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.argmin(dim=1)
    return torch.where((contacts == _TOUCHES_NOTHING)[:, None], torch.nan, touched[nearest])


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2
