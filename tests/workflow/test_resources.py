"""What jobs ask for is what docs/resources.md says, whatever they work on."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from simhand.finetuning.settings import PartSettings, label_files
from simhand.videos.index import read_index
from tests.conftest import ROOT, WriteVideo
from tests.workflow.checkout import Checkout
from tests.workflow.test_lint import RULES
from tests.workflow.test_plan import checkout  # noqa: F401

_ROW = re.compile(r"^\| (`.*) \| (.*) \| (.*) \| (both|memory|time)(?:; .*?)? \| (.*) \| (.*?) ?\|$", re.MULTILINE)
_SNAKEMAKE_MB = 500


def table() -> dict[str, tuple[str, ...]]:
    """The lines of the table, by rule; where there are two of a rule, with what makes the difference."""
    lines = {}
    for names, *cells in _ROW.findall((ROOT / "docs" / "resources.md").read_text()):
        *_, condition = names.split("`")
        for name in re.findall(r"`(\w+)`", names):
            lines[name + condition] = tuple(cells)
    return lines


def number(text: str, sizes: Mapping[str, float]) -> float:
    """What a cell says: "800 + 700 a CPU + 1 a MB of frames", given the sizes of "CPU" and "MB of frames"."""
    first, *further = text.split(" + ")
    terms = [re.split(" an? ", each, maxsplit=1) for each in further]
    return float(first.replace(",", "")) + sum(float(n.replace(",", "")) * sizes[unit] for n, unit in terms)


def documented(rule: str, attempt: int, sizes: Mapping[str, float]) -> tuple[int, int]:
    """Memory in MB and time in minutes by the table."""
    memory, time, growth, *_ = table()[rule]
    if rule == "sample_frames":  # its decoders have a rule of their own
        sizes = {**sizes, "MB of decoders": 2 * [500, 1_500, 4_096][attempt - 1]}
    of_memory, of_time = (attempt if growth in {"both", what} else 1 for what in ("memory", "time"))
    own = number(memory, sizes) - _SNAKEMAKE_MB
    mb = 100 * math.ceil(round(_SNAKEMAKE_MB + of_memory * own, 6) / 100)
    return mb, 10 * math.ceil(round(of_time * number(time, sizes), 6) / 10)


def asked(folder: Path, jobs: list[tuple[str, dict[str, str], int]]) -> list[dict[str, Any]]:
    """The resources of jobs (rule, wildcards, attempt) in a checkout."""
    finished = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("asked.py"))],
        cwd=folder, env={"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}, input=json.dumps(jobs),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-5000:]
    return list(json.loads(finished.stdout.splitlines()[-1]))


def sparse(path: Path, mb: float) -> None:
    """A file that is so large, and takes no room on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(round(mb * 1e6))


@pytest.fixture
def large(tmp_path: Path, write_video: WriteVideo) -> Checkout:
    """A checkout with hours of video, ten thousand megabytes of frames, and large tables, none of them real."""
    made = Checkout.new(tmp_path)
    for name, hours in (("a", 3), ("b", 1), ("c", 1)):
        video = write_video(tmp_path / "demo" / "videos" / f"{name}.mp4", [0, hours * 3600.0])
        os.truncate(video, hours * 2 * 10**9)
    config = made.config()
    config["sources"] = {
        "demo": {"videos": "demo/videos", "shards": 1},
        "released": {"annotations": "released.json", "images": "demo", "shards": 4},
    }
    config["pools"] = {
        "demo": {"sources": ["demo"], "neighbours": 10, "further_ranks": [100, 5000], "query_shards": 2},
        "theirs": {"sources": ["released"], "similar": "annotated"},
    }
    defaults = {"pool": "demo", "encoder": "resnet50", "batch_size": 64, "epochs": 20}
    config["pretraining"] = {
        "defaults": defaults,
        "plain": {"method": "peclr"},
        "four": {"method": "peclr", "processes": 4, "workers": 10},
        "slow": {"method": "peclr", "device": "cpu", "image_size": 256, "micro_batch": 16},
    }
    config["finetuning"] |= {"encoder": "resnet50", "batch_size": 32, "processes": 2, "workers": 3}
    config["experiment"] = {"runs": ["none", "plain"], "labelled": ["demo", "demo_dexycb"]}
    standing = {"FreiHAND": "demo", "DexYCB": "demo_dexycb"}
    config["experiment"]["paper"] = {"methods": {"PeCLR": "plain"}, "pools": {"Ego-1M": "demo"}, "labelled": standing}
    made.write_config(config)
    sizes = {
        "frames/demo/0of1.arrow": 10_000, "hands/demo/0of1.parquet": 70, "balanced/demo/0of1.parquet": 30,
        "crops/demo/0of1.arrow": 4_000, "keypoints/demo/0of1.parquet": 500, "models/hand_landmarker.task": 8,
        "models/hundred_doh.pt": 400, "pools/demo/members.parquet": 600, "pools/demo/embeddings.npy": 112,
        "pools/demo/neighbours/0of2.parquet": 200, "pools/demo/neighbours/1of2.parquet": 200,
        "pools/theirs/members.parquet": 600, "pools/theirs/embeddings.npy": 112, "annotations/released.arrow": 900,
        "pools/theirs/neighbours/released.parquet": 100,
    }  # fmt: skip
    sizes |= {f"keypoints/released/{i}of4.parquet": 25 for i in range(4)}
    for name, mb in sizes.items():
        sparse(tmp_path / "results" / name, mb)
    status = pa.table({"frames": pa.array([10_800, 3_600, 3_600], pa.int32())})
    parquet.write_table(status, tmp_path / "results" / "frames" / "demo" / "0of1.status.parquet")
    for run, mb in (("none", 40), ("plain", 100)):
        models = ["demo_dexycb/{}/100/0", *(f"demo/{{}}/{percent}/0" for percent in (10, 20, 40, 80, 100))]
        for model in models:
            sparse(tmp_path / "results" / "finetuning" / model.format(run) / "predictions.parquet", mb)
    sparse(tmp_path / "released.json", 3_000)
    for labelled in config["labelled"].values():
        for path in label_files(tmp_path / labelled["path"], labelled["format"], PartSettings()):
            sparse(path, 100)
    return made


SHARD = {"source": "demo", "shard": "0of1"}
MODEL = {"labelled": "demo", "run": "plain", "percent": "100", "seed": "0"}
PAIR_MB, IMAGE_MB = 2 * 3 * 224**2 / 1e6, 3 * 400**2 / 1e6
# Of each rule a job of `large`, and in units of the table what it works on; see also `of_videos`.
JOBS: dict[str, tuple[dict[str, str], dict[str, float]]] = {
    "sample_frames": (SHARD, {"CPU": 2}),
    "hand_model": ({}, {}),
    "detect_hands": (SHARD, {"CPU": 2, "MB of frames": 10_000}),
    "balance_hands": (SHARD, {"MB of hands": 70}),
    "crop_hands": (SHARD, {"MB of frames": 10_000}),
    "find_keypoints": (SHARD, {"CPU": 2, "MB of frames and crops": 14_000}),
    "read_annotations": ({"annotated": "released"}, {"MB of JSON": 3_000}),
    "import_hands": (
        {"annotated": "released", "shard": "1of4"}, {"MB of annotations": 900, "MB of annotations a shard": 225},
    ),
    "draw_pool": ({"pool": "demo"}, {"MB of keypoints": 500}),
    "embed_pool": ({"pool": "demo"}, {"MB of members": 600}),
    "mine_neighbours": (  # 2 million hands of 14 numbers of 4 bytes
        {"pool": "demo", "query": "1of2"},
        {
            "CPU": 8, "MB of members and embeddings": 712,
            "million neighbours kept": 12, "million neighbours looked at": 5000,
        },
    ),
    "released_neighbours": ({"pool": "theirs"}, {"MB of members and annotations": 1_500}),
    "write_data_report": ({}, {"MB of tables": 70 + 500 + 4 * 25 + 2 * 600 + 2 * 112 + 2 * 200 + 100}),
    "pretrain": (
        {"run": "plain"},
        {"process with a GPU": 1, "process without": 0, "worker": 0, "MB of members a process": 600,
         "MB held ready": 2 * 64 * PAIR_MB, "MB of activations": 0},
    ),
    "finetune": (
        MODEL,
        {"process with a GPU": 2, "process without": 0, "worker": 6, "MB of labels a process": 2 * 400,
         "MB held ready": 2 * 3 * 32 * IMAGE_MB, "MB of activations": 0},
    ),
    "evaluate": (MODEL, {"MB of predictions": 100}),
    "draw_hands": ({"labelled": "demo"}, {"MB of the largest predictions": 100}),
    "write_paper_table": ({"table": "table1"}, {"MB of the largest predictions": 100, "MB of predictions": 2 * 140}),
    "write_paper_figure": ({"table": "figure4"}, {"MB of the largest predictions": 100, "MB of predictions": 5 * 140}),
    "write_report": ({}, {"MB of the largest predictions": 100, "MB of predictions": 2 * 2 * 140}),  # with Table 1's
}  # fmt: skip
FURTHER_RUNS = {
    "four": {"process with a GPU": 4, "process without": 0, "worker": 40, "MB of members a process": 4 * 600,
             "MB held ready": 2 * 10 * 64 * PAIR_MB, "MB of activations": 0},
    "slow": {"process with a GPU": 0, "process without": 1, "worker": 0, "MB of members a process": 600,
             "MB held ready": 2 * 64 * PAIR_MB,
             "MB of activations": 2 * 16 * 45 * 2**2},
}  # fmt: skip


def of_videos(checkout: Checkout, cpus: int) -> dict[str, float]:  # noqa: F811
    """In units of the table; the longest video is more than half of all."""
    videos = read_index(checkout.folder / "results/videos/demo/index.tsv")
    hours = [video.duration_s / 3600 for video in videos]
    assert sum(hours) / 2 < max(hours) == pytest.approx(3, rel=0.01)
    return {
        "hour of video a CPU": max(hours),
        "GB of video a CPU": 6,
        "hanging video a CPU": 1,
        "thousand frames": 18,
        "thousand frames a CPU": 18 / cpus,
    }


def test_jobs_ask_for_what_the_table_says(large: Checkout) -> None:
    jobs = [(rule, job, attempt) for rule, (job, _) in JOBS.items() for attempt in (1, 2, 3)]
    runs: list[tuple[str, dict[str, str], int]] = [("pretrain", {"run": run}, 1) for run in FURTHER_RUNS]
    answers = asked(large.folder, jobs + runs)
    of_all = of_videos(large, 2)
    for (rule, _, attempt), answer in zip(jobs, answers, strict=False):
        expected = documented(rule, attempt, JOBS[rule][1] | of_all)
        assert (answer["mem_mb"], answer["runtime"]) == expected, (rule, attempt)
    for (run, sizes), answer in zip(FURTHER_RUNS.items(), answers[len(jobs) :], strict=True):
        assert (answer["mem_mb"], answer["runtime"]) == documented("pretrain", 1, sizes), run
    first = {rule: answer for (rule, _, attempt), answer in zip(jobs, answers, strict=False) if attempt == 1}
    assert first["hand_model"]["mem_mb"] == 600
    assert first["draw_pool"]["mem_mb"] == 1_000 + 8 * 500
    assert [answer["_cores"] for answer in first.values()] == [
        {"pretrain": 8, "finetune": 16}.get(rule) or int(table()[rule][3]) for rule in first
    ]
    gpus = {rule: answer.get("gpu", 0) for rule, answer in first.items()}
    processes = {"pretrain": 1, "finetune": 2}
    assert gpus == {rule: processes[rule] if table()[rule][4] == "1 a process" else 0 for rule in first}
    four, slow = answers[len(jobs) :]
    assert (four["_cores"], four["gpu"], four["cpus_per_gpu"], four["nodes"]) == (44, 4, 11, 1)
    assert (slow["_cores"], slow["gpu"], slow["cpus_per_gpu"]) == (8, 0, 0)


@pytest.mark.parametrize(("device", "condition", "cpus"), [("auto", ", with a GPU", 4), ("cpu", ", without", 2)])
def test_the_100doh_detector_asks_by_its_device(large: Checkout, device: str, condition: str, cpus: int) -> None:
    (large.folder / "weights.pth").touch()
    config = large.config()
    config["detection"] = {"detector": "hundred_doh", "weights": "weights.pth", "device": device}
    large.write_config(config)
    weights, *detections = asked(
        large.folder,
        [("hundred_doh_weights", {}, 1), *[("detect_hands_hundred_doh", SHARD, attempt) for attempt in (1, 2)]],
    )
    assert (weights["mem_mb"], weights["runtime"]) == documented("hundred_doh_weights", 1, {})
    sizes = of_videos(large, cpus) | {"CPU": cpus, "MB of frames": 10_000}
    for attempt, answer in enumerate(detections, 1):
        expected = documented(f"detect_hands_hundred_doh{condition}", attempt, sizes)
        assert (answer["mem_mb"], answer["runtime"]) == expected
        assert answer["_cores"] == cpus
        assert (answer["gpu"], answer["cpus_per_gpu"]) == ((1, 4) if device == "auto" else (0, 0))


def test_a_container_that_states_a_hundred_hours_asks_for_no_more_than_its_limit(
    checkout: Checkout,  # noqa: F811
    write_video: WriteVideo,
) -> None:
    """Of 50 videos on two CPUs three may hang, two of them one after the other."""
    videos = checkout.folder / "films"
    write_video(videos / "lies.mkv", [0, 100 * 3600.0])
    for i in range(49):
        sparse(videos / f"{i}.mp4", 0.001)
    config = checkout.config()
    config["sources"] = {"demo": {"videos": "films", "shards": 1}}
    config["sampling"] = {"time_limit_s": 1_800}
    checkout.write_config(config)
    gone = ("sample_frames", {"source": "demo", "shard": "7of9"}, 1)
    first, second, of_removed = asked(
        checkout.folder, [*(("sample_frames", SHARD, attempt) for attempt in (1, 2)), gone]
    )
    assert (first["runtime"], second["runtime"]) == (20 + 30 + 2 * 30, 2 * (20 + 30 + 2 * 30))
    assert of_removed["runtime"] == 20


def test_an_option_takes_the_place_of_all_that_the_profile_sets(checkout: Checkout) -> None:  # noqa: F811
    """As docs/resources.md warns."""
    profile = checkout.folder / "slurm" / "config.yaml"
    profile.write_text(profile.read_text() + "set-resources:\n  embed_pool: {slurm_partition: big}\n")
    asks = ["--profile", "slurm", "-n", "data"]
    assert "slurm_partition=big" in checkout.snakemake(*asks).stdout
    assert "slurm_partition=big" not in checkout.snakemake(*asks, "--set-resources", "draw_pool:mem=64GB").stdout


def test_each_rule_has_its_line_in_the_table() -> None:
    lines = {name.split(",")[0] for name in table()}
    assert lines == {name for name, body in RULES if "resources:" in body}
    # The first test has another detector.
    assert lines - JOBS.keys() == {
        "hundred_doh_weights", "detect_hands_hundred_doh",
    }  # fmt: skip


def test_a_job_is_asked_for_anew_once_its_inputs_are_there_and_asks_for_more_when_it_failed(
    checkout: Checkout,  # noqa: F811
) -> None:
    config = checkout.config()
    config["keypoints"] |= {"model": "model.task", "sha256": "0" * 64}
    checkout.write_config(config)
    sparse(checkout.folder / "model.task", 1)
    planned = checkout.snakemake("--cores", "8", "-n", "data").stdout
    jobs = {part.split(":")[0]: part for part in re.split(r"^rule ", planned, flags=re.MULTILINE)[1:]}
    assert "mem_mb=<TBD>" in jobs["draw_pool"]
    assert "runtime=90, mem_mb=1700" in jobs["sample_frames"]
    assert "threads: 8" in jobs["mine_neighbours"]
    failed = checkout.snakemake("--cores", "2", "--retries", "2", "results/models/hand_landmarker.task", check=False)
    assert failed.returncode != 0
    assert re.findall(r"runtime=(\d+), mem_mb=(\d+)", failed.stdout) == [("10", "600"), ("20", "700"), ("30", "800")]


def test_what_jobs_ask_for_is_no_reason_to_run_them_again(finished: Checkout) -> None:
    functions = finished.folder / "rules" / "resources.smk"
    before = functions.read_text()
    functions.write_text(before.replace("SNAKEMAKE_MB = 500", "SNAKEMAKE_MB = 900"))
    try:
        assert "900" in functions.read_text()
        assert finished.to_do("--set-threads", "pretrain=1", "--set-resources", "finetune:mem=1GB") == set()
    finally:
        functions.write_text(before)


def test_what_jobs_took_is_compared_with_what_they_asked_for(finished: Checkout) -> None:
    command = [sys.executable, "-m", "benchmarks.resources", str(finished.folder)]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = {cells[0].strip(): cells[1:] for line in text.splitlines() if len(cells := line.strip("| ").split("|")) > 2}
    assert {"sample_frames", "pretrain", "finetune", "write_report"} < lines.keys()
    assert "list_videos" not in lines  # no job of Slurm
    assert int(lines["sample_frames"][2]) == 1_700
    assert 0 < float(lines["sample_frames"][1]) < 1_200
