"""The whole chain on real videos and real labelled images."""

from __future__ import annotations

import csv
import time
from contextlib import chdir
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simhand.config import load_config
from simhand.doctor.estimate import Sample
from tests.real.estimated import TIME, compared, look_at_some, table
from tests.workflow.checkout import Checkout

pytestmark = [pytest.mark.real, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def finished(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout.new(tmp_path_factory.mktemp("real"))
    config = checkout.config()
    config["sources"] = {"wild": {"videos": str(shared / "videos"), "shards": 4}}
    config["sampling"]["fps"] = 5
    config["balance"]["enabled"] = False
    config["pools"] = {"wild": {"sources": ["wild"], "query_shards": 2}}
    config["pretraining"]["defaults"] |= {"pool": "wild", "epochs": 4}
    config["labelled"] = {"freihand": {"path": str(shared / "labelled" / "freihand_format")}}
    config["finetuning"] |= {"epochs": 12, "batch_size": 16}
    config["experiment"] = {"runs": config["experiment"]["runs"], "labelled": ["freihand"]}
    checkout.write_config(config)
    started = time.monotonic()
    checkout.snakemake("--cores", "2", "all")
    print(f"\nthe whole chain: {time.monotonic() - started:.0f} s")
    return checkout


def rows(checkout: Checkout, pattern: str) -> list[dict]:
    return [row for path in sorted(checkout.folder.glob(pattern)) for row in pq.read_table(path).to_pylist()]


def test_most_hands_of_the_manifest_have_keypoints(finished: Checkout) -> None:
    keypoints = rows(finished, "results/keypoints/wild/*.parquet")
    found = sum(row["status"] == "found" for row in keypoints)
    print(f"\nkeypoints of {found} of {len(keypoints)} detected hands (at least 740)")
    assert found >= 740
    members = pq.read_table(finished.folder / "results/pools/wild/members.parquet")
    assert len(members) == found


def test_a_video_without_hands_is_no_failure(finished: Checkout) -> None:
    statuses = {row["video_id"]: row for row in rows(finished, "results/frames/wild/*.status.parquet")}
    assert len(statuses) == 32
    assert {row["status"] for row in statuses.values()} == {"ok"}
    assert statuses["torchcodec/nasa_13013.mp4"]["frames"] > 60
    assert all(row["video_id"] != "torchcodec/nasa_13013.mp4" for row in rows(finished, "results/hands/wild/*.parquet"))


def test_the_chain_ends_with_a_table(finished: Checkout) -> None:
    with (finished.folder / "results/report/table.csv").open() as file:
        table = list(csv.DictReader(file))
    print("\n" + (finished.folder / "results/report/table.md").read_text())
    assert [(row["labelled"], row["run"]) for row in table] == [
        ("freihand", run) for run in ("none", "simclr", "peclr", "simhand")
    ]
    assert all(5 < float(row["mpjpe_mm"]) < 150 for row in table)
    assert {row["images"] for row in table} == {"40"}


@pytest.fixture(scope="module")
def sample(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """What doctor sees of 12 of the 32 videos."""
    with chdir(finished.folder):
        config = load_config(finished.config())
        return look_at_some(finished.folder, config, "wild", 12, tmp_path_factory.mktemp("sample") / "work")


def assert_estimated(finished: Checkout, sample: Sample) -> None:
    """Counts and disk lie in their ranges, CPU time within a factor of 2.

    The truth about time is Snakemake's benchmarks, which look at processes now and then, and miss short ones; and a
    machine that does other things takes up to twice the CPU time for the same. Most of it is starting Python here.
    """
    with chdir(finished.folder):
        rows = compared(finished.folder, load_config(finished.config()), "wild", sample)
    print(f"\n{table(rows)}")
    estimated, truth = rows.pop(TIME)
    assert estimated.low / 2 <= truth <= 2 * estimated.high
    for name, (estimated, truth) in rows.items():
        assert estimated.low <= truth <= estimated.high, name
        assert estimated.high < 2 * truth, name


def test_what_doctor_estimates_from_a_few_videos_came_out(finished: Checkout, sample: Sample) -> None:
    assert_estimated(finished, sample)


def test_balanced_there_are_as_many_left_as_right_and_as_many_as_estimated(finished: Checkout, sample: Sample) -> None:
    config = finished.config()
    config["balance"]["enabled"] = True
    finished.write_config(config)
    shards = [path.stem for path in sorted((finished.folder / "results/hands/wild").glob("*.parquet"))]
    finished.snakemake("--cores", "2", *(f"results/keypoints/wild/{shard}.parquet" for shard in shards))
    assert_estimated(finished, sample)
    kept = [row["side"] for row in rows(finished, "results/balanced/wild/*.parquet") if row["kept"]]
    print(f"\n{kept.count('left')} left and {kept.count('right')} right hands kept")
    assert kept.count("left") == kept.count("right") > 200
