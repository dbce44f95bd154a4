"""A pool of the demo as official annotations, and back through the workflow: the same hands and the same pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from simhand.files import open_arrow
from simhand.tables import CROPS
from tests.workflow.checkout import Checkout


def neighbours(checkout: Checkout, pool: str) -> pd.DataFrame:
    table = pq.read_table(sorted((checkout.folder / "results" / "pools" / pool / "neighbours").iterdir())).to_pandas()
    return table.sort_values(["row", "rank"]).reset_index(drop=True)


def members(checkout: Checkout, pool: str) -> pd.DataFrame:
    return pq.read_table(checkout.folder / "results" / "pools" / pool / "members.parquet").to_pandas()


def in_frame_px(checkout: Checkout, hands: pd.DataFrame) -> np.ndarray:
    """Keypoints (n, 21, 2) in pixels of the frame: the official square is another one than ours."""
    points = np.empty((len(hands), 21, 2))
    for i, hand in enumerate(hands.itertuples()):
        crops = open_arrow(checkout.folder / "results" / "crops" / hand.source / f"{hand.shard}.arrow", CROPS)
        crop = crops.slice(hand.shard_row, 1).to_pylist()[0]
        xy = hand.keypoints.reshape(21, 3)[:, :2].astype(float)
        if crop["flipped"]:
            xy[:, 0] = 1 - xy[:, 0]
        x1, y1, x2, y2 = (crop[f"square_{name}"] for name in ("x1", "y1", "x2", "y2"))
        points[i] = xy * [x2 - x1, y2 - y1] + [x1, y1]
    return points


@pytest.mark.slow
def test_a_pool_goes_out_as_annotations_and_comes_back(finished: Checkout, tmp_path: Path) -> None:
    out = tmp_path / "released"
    parts = sorted((finished.folder / "results/pools/demo/neighbours").iterdir())
    finished.run(
        "simhand.hand100m", "export", "--members", "results/pools/demo/members.parquet",
        "--neighbours", *map(str, parts), "--crops", "results/crops", "--frames", "results/frames", "--out", str(out),
    )  # fmt: skip
    (tmp_path / "again").mkdir()
    checkout = Checkout.new(tmp_path / "again")
    config = finished.config()
    checkout.write_config(
        {
            "sources": {"released": {"annotations": str(out / "annotations.json"), "images": str(out), "shards": 2}},
            "pools": {
                "theirs": {"sources": ["released"], "similar": "annotated", "neighbours": 3},
                "ours": config["pools"]["demo"] | {"sources": ["released"], "normalisation": "centred_scaled"},
            },
        }
    )
    checkout.snakemake("--cores", "2", "all")
    before, after = members(finished, "demo"), members(checkout, "theirs")
    assert len(after) == len(before)
    assert after["side"].tolist() == before["side"].tolist()
    assert after["frame_index"].tolist() == before["frame_index"].tolist()
    apart_px = in_frame_px(checkout, after) - in_frame_px(finished, before)
    assert np.abs(apart_px).max() < 0.01
    pd.testing.assert_frame_equal(neighbours(checkout, "theirs"), neighbours(finished, "demo"), rtol=1e-6)
    mined = neighbours(checkout, "ours")
    assert (after["video_id"].to_numpy()[mined["row"]] != after["video_id"].to_numpy()[mined["neighbour"]]).all()
    assert checkout.to_do() == set()
    page = (checkout.folder / "results/report/index.html").read_text()  # without training there is the data in it
    shown = json.loads(page.split('id="gallery-data">')[1].split("</script>")[0])
    assert {pool["name"] for pool in shown["pools"]} == {"theirs", "ours"}
    assert all("frame" in hand for hand in shown["hands"])  # their images
