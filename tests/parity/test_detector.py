"""The 100DOH detector against numbers recorded from the official code with its compiled operations on a CPU.

f_ops.npz (exact) is shipped; f_detector.npz, its keys and its image are not. Stages agree to 1e-4 of the greatest value
of their arrays, each with what was recorded of the stage before it and, at the end, all in one go.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor
from torchvision.ops import roi_align

from simhand.hands.hundred_doh.anchors import STRIDE, base_anchors, grid_anchors
from simhand.hands.hundred_doh.boxes import clip, decode, enlarge, suppress
from simhand.hands.hundred_doh.detections import contacts_of, look, select
from simhand.hands.hundred_doh.network import HAND, OBJECT, HundredDohNet, fold_batch_norm, pool
from simhand.hands.hundred_doh.preprocessing import blob_scale, make_blob
from simhand.hands.hundred_doh.proposals import propose, with_image
from simhand.hands.hundred_doh.weights import load_network
from tests.devices import DEVICES
from tests.hands.hundred_doh.legacy import overlaps
from tests.parity.closed_form import filled, recorded_seed, shapes_of

GAINS = {
    "RCNN_base.0.": 0.01,
    "RPN_cls_score": 0.2,
    "RPN_bbox_pred": 0.1,
    "RCNN_cls_score": 0.1,
    "RCNN_bbox_pred": 0.2,
    "hand_contact_state_layer": 0.5,
}
PARAMETERS = 47_360_864
TOLERANCE = 1e-4
OVERLAP = 0.3  # of final detections
TIED = 1e-6  # scores that differ by less may change places
ROUNDING = 1e-5  # of final scores
NEAR = 1e-3  # an overlap that is no farther from the limit may be on either side: slivers are a pixel wide


def assert_close(own: Tensor, recorded: np.ndarray, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(own.cpu().numpy(), recorded, rtol=0, atol=tolerance * np.abs(recorded).max(initial=0))


@pytest.fixture(scope="module")
def ops(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("f_ops")


@pytest.fixture(scope="module")
def data(recording: Callable[[str], NpzFile]) -> NpzFile:
    return recording("f_detector")


@pytest.fixture(scope="module")
def frame(recording_file: Callable[[str], Path]) -> Tensor:
    """uint8 (1, h, w, 3) RGB."""
    name = json.loads(recording_file("meta.json").read_text())["detector_image"]
    return torch.from_numpy(cv2.cvtColor(cv2.imread(str(recording_file(name))), cv2.COLOR_BGR2RGB))[None]


@pytest.fixture(scope="module")
def weights(data: NpzFile, recording_file: Callable[[str], Path]) -> dict[str, Tensor]:
    shapes = shapes_of(recording_file("f_detector_keys.json").read_text())
    weights = filled(shapes, recorded_seed(recording_file, "f_detector"), GAINS)
    checks = [key for key in data.files if key.startswith("check/")]
    assert checks
    for key in checks:
        own = weights[key.removeprefix("check/")].flatten()[: data[key].size]
        np.testing.assert_allclose(own, data[key].reshape(-1), rtol=1e-6)
    return weights


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> HundredDohNet:
    """Through a file, as a user's weights come."""
    path = tmp_path_factory.mktemp("weights") / "faster_rcnn.pth"
    torch.save({"session": 1, "epoch": 8, "model": weights, "pooling_mode": "align", "class_agnostic": False}, path)
    return load_network(path)


@pytest.fixture(scope="module")
def blob_size(data: NpzFile) -> tuple[int, int]:
    height, width, _ = data["im_info"][0].astype(int).tolist()
    return height, width


@pytest.fixture(scope="module")
def blob(frame: Tensor) -> Tensor:
    return make_blob(frame)


@pytest.fixture(scope="module")
def features(network: HundredDohNet, blob: Tensor) -> Iterator[Tensor]:
    with torch.inference_mode():
        yield network.features(blob)


@pytest.fixture(scope="module")
def recorded_regions(data: NpzFile) -> Tensor:
    return torch.from_numpy(data["rois"])


@pytest.fixture(scope="module")
def region_features(network: HundredDohNet, features: Tensor, recorded_regions: Tensor) -> Tensor:
    with torch.inference_mode():
        return network.region_features(features, recorded_regions)


def test_suppression_is_exact(ops: NpzFile) -> None:
    boxes, scores = torch.from_numpy(ops["boxes"]), torch.from_numpy(ops["scores"])
    thresholds = [key.removeprefix("keep_") for key in ops.files if key.startswith("keep_")]
    assert thresholds
    for threshold in thresholds:
        kept = suppress(boxes, scores, float(threshold))
        assert np.array_equal(kept.sort().values, ops[f"keep_{threshold}"])
        assert (scores[kept].diff() <= 0).all()


def test_pooling_is_exact(ops: NpzFile) -> None:
    features, regions = torch.from_numpy(ops["feat"]), torch.from_numpy(ops["rois"])
    assert np.array_equal(pool(features, regions), ops["roi_align_7_s16_sr0"])
    two = roi_align(features, regions, 7, 1 / STRIDE, sampling_ratio=2, aligned=False)
    assert np.array_equal(two, ops["roi_align_7_s16_sr2"])


def test_decoding_and_clipping_are_exact(ops: NpzFile) -> None:
    boxes, deltas = torch.from_numpy(ops["bt_boxes"]), torch.from_numpy(ops["bt_deltas"])
    decoded = decode(boxes[:, :, None], deltas.unflatten(2, (-1, 4)))
    assert np.array_equal(decoded.flatten(2), ops["bt_out"])
    clipped = clip(torch.from_numpy(ops["bt_out"]).unflatten(2, (-1, 4)), 400, 450)
    assert np.array_equal(clipped.flatten(2), ops["bt_clipped"])


def test_the_network_has_the_published_tensors(recording_file: Callable[[str], Path]) -> None:
    keys = json.loads(recording_file("f_detector_keys.json").read_text())
    own = HundredDohNet().state_dict()
    assert {(key, tuple(t.shape), str(t.dtype).removeprefix("torch.")) for key, t in own.items()} == {
        (key, tuple(shape), dtype) for key, shape, dtype in keys
    }
    parameters = [value.numel() for value in HundredDohNet().parameters()]
    assert (len(own), sum(parameters)) == (642, PARAMETERS)


def test_the_blob(frame: Tensor, blob: Tensor, blob_size: tuple[int, int], data: NpzFile) -> None:
    assert blob_scale(*frame.shape[1:3]) == data["im_scale"][0]
    assert (1, *blob_size, 3) == tuple(data["blob_shape"])
    assert blob.shape[2:] == blob_size
    assert_close(blob[0].permute(1, 2, 0)[::40, ::40], data["blob_sub_40"])
    rounding = 1e-6 * blob.double().abs().sum().item()
    assert blob.double().sum().item() == pytest.approx(float(data["blob_sum"]), abs=rounding)


def test_features(features: Tensor, data: NpzFile) -> None:
    assert_close(features[0, ::64], data["base_feat_ch_step64"])


def test_the_region_proposal_network(network: HundredDohNet, features: Tensor, data: NpzFile) -> None:
    with torch.inference_mode():
        scores, deltas = network.RCNN_rpn(features)
    assert_close(scores[0], data["rpn_cls_score"])
    assert_close(deltas[0], data["rpn_bbox_pred"])


def test_anchors_are_exact(data: NpzFile) -> None:
    assert np.array_equal(base_anchors(), data["anchors"])


@pytest.mark.parametrize("from_recorded", [True, False], ids=["recorded maps", "own maps"])
def test_proposals_and_their_order(
    from_recorded: bool, network: HundredDohNet, features: Tensor, blob_size: tuple[int, int], data: NpzFile
) -> None:
    if from_recorded:
        scores, deltas = (torch.from_numpy(data[name])[None] for name in ("rpn_cls_score", "rpn_bbox_pred"))
    else:
        with torch.inference_mode():
            scores, deltas = network.RCNN_rpn(features)
    own, recorded = with_image(propose(scores, deltas, *blob_size)).numpy(), data["rois"]
    assert own.shape == recorded.shape
    valid = int(data["n_valid_rois"])
    assert not own[valid:].any()
    places = np.abs(own[None, :valid] - recorded[:valid, None]).max(axis=2)  # (recorded, own)
    assert (places.min(axis=1) < TOLERANCE * recorded.max()).all()
    moved = np.flatnonzero(places.diagonal() >= TOLERANCE * recorded.max())
    scores = recorded_scores(data, blob_size)
    assert np.abs(scores[moved] - scores[places[moved].argmin(axis=1)]).max(initial=0) <= TIED


def recorded_scores(data: NpzFile, blob_size: tuple[int, int]) -> np.ndarray:
    """The score of each recorded region: that of the anchor which became it."""
    maps = torch.from_numpy(data["rpn_cls_score"])
    scores = maps.unflatten(0, (2, -1)).softmax(dim=0)[1].permute(1, 2, 0).flatten()
    deltas = torch.from_numpy(data["rpn_bbox_pred"]).permute(1, 2, 0).reshape(-1, 4)
    boxes = clip(decode(grid_anchors(*maps.shape[1:], maps.device), deltas), *blob_size)
    same = torch.cdist(torch.from_numpy(data["rois"][:, 1:]), boxes, p=float("inf")) < 1e-2  # (regions, anchors)
    assert same.any(dim=1)[: int(data["n_valid_rois"])].all()
    found = torch.where(same, scores, -1).max(dim=1).values.numpy()  # of anchors clipped to one box the best
    assert (np.diff(found) <= TIED).all()
    return found


def test_regions_are_enlarged_with_the_swapped_clip(
    recorded_regions: Tensor, blob_size: tuple[int, int], data: NpzFile
) -> None:
    own = enlarge(recorded_regions[:, 1:], *blob_size)
    assert_close(own, data["rois_padded"][:, 1:], 1e-6)


def test_pooled_features(features: Tensor, recorded_regions: Tensor, blob_size: tuple[int, int], data: NpzFile) -> None:
    first = recorded_regions[:5]
    assert_close(pool(features, first)[:, ::64], data["pooled_first5_ch_step64"])
    wider = torch.cat([first[:, :1], enlarge(first[:, 1:], *blob_size)], dim=1)
    assert_close(pool(features, wider)[:, ::64], data["pooled_padded_first5_ch_step64"])


def test_region_features(network: HundredDohNet, region_features: Tensor, features: Tensor, data: NpzFile) -> None:
    assert_close(region_features[:10], data["fc7_first10"])
    with torch.inference_mode():
        wider = network.region_features(features, torch.from_numpy(data["rois_padded"][:10]))
    assert_close(wider, data["fc7_padded_first10"])


def test_classes_boxes_and_sides(
    network: HundredDohNet, region_features: Tensor, recorded_regions: Tensor, blob_size: tuple[int, int], data: NpzFile
) -> None:
    with torch.inference_mode():
        probabilities, deltas = network.classify(region_features)
        sides = network.sides(region_features)
    assert_close(probabilities, data["cls_prob"])
    assert_close(deltas.flatten(1), data["bbox_pred"] * np.tile([0.1, 0.1, 0.2, 0.2], 3).astype(np.float32))
    assert_close(sides[:, None], data["side_logit"])
    boxes = clip(decode(recorded_regions[:, None, 1:], deltas), *blob_size) / data["im_scale"][0]
    assert_close(boxes.flatten(1), data["pred_boxes"])


def test_contacts_and_offsets(
    network: HundredDohNet, features: Tensor, recorded_regions: Tensor, blob_size: tuple[int, int], data: NpzFile
) -> None:
    with torch.inference_mode():
        states, offsets = network.contacts(features, recorded_regions, *blob_size)
    assert_close(states, data["contact_logits"])
    for column in range(3):  # a magnitude, and a direction that is much smaller
        assert_close(offsets[:, column], data["offset"][:, column])


CLASSES = {HAND: ("hand", "thresh_hand"), OBJECT: ("targetobject", "thresh_obj")}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", CLASSES, ids=["hands", "objects"])
def test_final_detections(kind: int, device: str, network: HundredDohNet, frame: Tensor, data: NpzFile) -> None:
    """From the image to the rows of the official demo, in the form that runs fastest: batch norms folded."""
    name, threshold_key = CLASSES[kind]
    threshold = between_scores(data["cls_prob"][:, kind], float(data[threshold_key]))
    recorded = data[f"det_{name}"]
    folded = copy.deepcopy(network).to(device)
    fold_batch_norm(folded)
    with torch.inference_mode():
        regions = look(folded, frame.to(device), torch.float32)
        every = torch.arange(regions.right.shape[1], device=device)
        (contacts,), (offsets,) = contacts_of(folded, regions, [every], torch.float32)
        kept = select(regions, 0, kind, threshold, OVERLAP).rows.cpu().numpy()
    boxes, scores = regions.boxes[0, :, kind], regions.probabilities[0, :, kind, None]
    right = (regions.right[0, :, None] > 0).float()
    candidates = torch.cat([boxes, scores, contacts[:, None], offsets, right], dim=1).cpu().numpy()
    for left in (recorded, candidates[kept]):
        assert_follows_from(candidates, left, threshold)
    if is_clear(candidates[candidates[:, 4] > threshold]):
        same = is_same(candidates[kept][:, None], recorded)  # (own, recorded)
        assert (same.sum(axis=0) == 1).all()
        assert (same.sum(axis=1) == 1).all()


def between_scores(scores: np.ndarray, threshold: float) -> float:
    """A threshold that leaves the same scores, none of which is near: a recorded threshold is one of the scores."""
    return (threshold + float(scores[scores > threshold].min(initial=1.0))) / 2


def is_same(own: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Whether rows (..., 10) of the demo say the same: box, score, contact state, offset, side."""
    greatest = np.abs(recorded.reshape(-1, 10)).max(axis=0, initial=1e-9)
    greatest[:4], greatest[7:9] = greatest[:4].max(), greatest[7:9].max()
    greatest[[5, 9]] = 1.0  # states and sides are whole numbers
    return (np.abs(own - recorded) <= TOLERANCE * greatest).all(axis=-1)


def is_clear(above: np.ndarray) -> bool:
    """Whether rounding cannot change what suppression leaves of rows above the threshold.

    It may where scores of overlapping boxes are nearly equal. Regions smaller than a cell of the features are pooled
    alike, so that theirs are equal; the official order of equal scores is that of an unstable sort.
    """
    overlap = np.triu(overlaps(above[:, :4]), 1)
    apart = np.abs(np.subtract.outer(above[:, 4], above[:, 4]))
    return not ((overlap >= OVERLAP - NEAR) & (apart <= ROUNDING)).any()


def assert_follows_from(candidates: np.ndarray, left: np.ndarray, threshold: float) -> None:
    """That rows are what suppression leaves of the candidates, whatever the order of nearly equal scores."""
    assert is_same(candidates, left[:, None]).any(axis=1).all()
    assert (np.diff(left[:, 4]) <= ROUNDING).all()
    above = candidates[candidates[:, 4] > threshold]
    overlap = overlaps(np.concatenate([left, above])[:, :4])
    count = len(left)
    assert (np.triu(overlap[:count, :count], 1) < OVERLAP + NEAR).all()
    better = left[:, None, 4] >= above[:, 4] - ROUNDING  # (left, above)
    assert (better & (overlap[:count, count:] >= OVERLAP - NEAR)).any(axis=0).all()
