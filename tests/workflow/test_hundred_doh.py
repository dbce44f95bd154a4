"""Real snakemake with the 100DOH detector: weights in closed form in a file like its authors', three small frames."""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch

from simhand.files import open_arrow, read_parquet
from simhand.frames.images import frame_image
from simhand.hands.hundred_doh.detector import open_on_one_thread
from simhand.hands.hundred_doh.network import HundredDohNet
from simhand.hands.settings import HundredDohExecution, HundredDohSettings
from simhand.tables import CROPS, FRAMES, HANDS, OBJECT, OFFSET
from tests.conftest import WriteVideo
from tests.parity.closed_form import filled
from tests.parity.test_detector import GAINS
from tests.workflow.checkout import Checkout

pytestmark = pytest.mark.slow

WEIGHTS = "faster_rcnn_1_8_132028.pth"
SHARD = "demo/0of1"
CROPPED = f"results/crops/{SHARD}.arrow"
SETTINGS = {"score_threshold": 0.4, "object_threshold": 0.2, "max_hands": 3}  # with these weights there are such


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, write_video: WriteVideo) -> Checkout:
    """A checkout in which the crops of one video have been made."""
    checkout = Checkout.new(tmp_path_factory.mktemp("hundred_doh"))
    write_video(checkout.folder / "demo" / "videos" / "a.mp4", [0, 1, 2])
    shapes = {key: tuple(tensor.shape) for key, tensor in HundredDohNet().state_dict().items()}
    content = {"session": 1, "epoch": 8, "model": filled(shapes, 106, GAINS), "pooling_mode": "align"}
    torch.save(content, checkout.folder / WEIGHTS)
    config = checkout.config()
    config["sources"]["demo"]["shards"] = 1
    config["detection"] = {
        "detector": "hundred_doh",
        "weights": WEIGHTS,
        "device": "cpu",
        **SETTINGS,
    }
    config["balance"] = {"enabled": False}
    config["pools"] = {"demo": {"sources": ["demo"]}}
    checkout.write_config({key: config[key] for key in ("sources", "detection", "balance", "pools")})
    checkout.snakemake("--cores", "2", CROPPED)
    return checkout


def changed(checkout: Checkout, block: str, **values: object) -> set[str]:
    """What would run after a change of the configuration, which is then undone."""
    text = (checkout.folder / "config.yaml").read_text()
    config = checkout.config()
    config[block] = {**config.get(block, {}), **values}
    checkout.write_config(config)
    jobs = {job.split()[0] for job in checkout.to_do(target=CROPPED)}
    (checkout.folder / "config.yaml").write_text(text)
    return jobs


def test_the_table_of_hands_is_what_the_detector_says(checkout: Checkout) -> None:
    path = checkout.folder / "results" / "frames" / f"{SHARD}.arrow"
    frames = open_arrow(path, FRAMES)
    detector = open_on_one_thread(
        HundredDohSettings(**SETTINGS),
        HundredDohExecution(device="cpu"),
        checkout.folder / WEIGHTS,
    )
    found = detector.detect([frame_image(frames, row, path) for row in range(len(frames))])
    rows = read_parquet(checkout.folder / "results" / "hands" / f"{SHARD}.parquet", HANDS).to_pylist()
    assert [row["hand_id"] for row in rows] == [f"demo/a.mp4#{i}.{k}" for i in range(3) for k in range(len(found[i]))]
    assert len(rows) >= 3
    for row, hand in zip(rows, [hand for hands in found for hand in hands], strict=True):
        assert [row[name] for name in ("x1", "y1", "x2", "y2")] == pytest.approx(hand.box, abs=1e-3)
        assert row["score"] == pytest.approx(hand.score, abs=1e-5)
        assert (row["side"], row["detected_side"]) == (hand.side, hand.detected_side)
        assert (row["contact"], row["side_source"]) == (hand.contact, "hundred_doh")
        assert [row[name] for name in OFFSET] == pytest.approx(hand.offset, abs=1e-4)
        touched = (
            [None] * 5 if hand.touched is None else pytest.approx([*hand.touched.box, hand.touched.score], abs=1e-3)
        )
        assert [row[name] for name in OBJECT] == touched


def test_the_hands_are_cropped(checkout: Checkout) -> None:
    hands = read_parquet(checkout.folder / "results" / "hands" / f"{SHARD}.parquet", HANDS)
    crops = open_arrow(checkout.folder / CROPPED, CROPS)
    assert crops["hand_id"].to_pylist() == hands["hand_id"].to_pylist()
    assert set(crops["side_source"].to_pylist()) == {"hundred_doh"}


def test_only_what_changes_hands_detects_them_anew(checkout: Checkout) -> None:
    digest = hashlib.sha256((checkout.folder / WEIGHTS).read_bytes()).hexdigest()
    assert changed(checkout, "detection", batch_size=2, sha256=digest, max_overlap=0.9) == set()
    shutil.copyfile(checkout.folder / WEIGHTS, checkout.folder / "moved.pth")
    assert changed(checkout, "detection", weights="moved.pth") == set()
    torch.save(torch.load(checkout.folder / WEIGHTS) | {"epoch": 9}, checkout.folder / "moved.pth")
    again = {"hundred_doh_weights", "detect_hands_hundred_doh", "balance_hands", "crop_hands"}
    assert changed(checkout, "detection", weights="moved.pth") == again
    assert changed(checkout, "detection", nms_threshold=0.4) == again - {"hundred_doh_weights"}
    assert changed(checkout, "selection", contact=["portable"]) == {"balance_hands", "crop_hands"}
    assert "detect_hands" in changed(checkout, "detection", detector="mediapipe", weights=None)


def test_the_logs_tell_which_weights_and_where_they_ran(checkout: Checkout) -> None:
    digest = hashlib.sha256((checkout.folder / WEIGHTS).read_bytes()).hexdigest()
    logs = checkout.folder / "results" / "logs"
    assert f"{WEIGHTS}: 642 tensors, sha256 {digest}" in (logs / "hundred_doh_weights.log").read_text()
    assert "runs on the CPU in float32" in (logs / "detect_hands" / f"{SHARD}.log").read_text()
