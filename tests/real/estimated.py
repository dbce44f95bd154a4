"""What `simhand doctor` estimates of a finished run, beside what came out."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq

from simhand.config import Config
from simhand.doctor.bootstrap import Range
from simhand.doctor.drawing import draw
from simhand.doctor.estimate import Sample, estimate, sum_of
from simhand.doctor.measuring import measure
from simhand.videos.index import Video, read_index

TIME = "CPU, s"
Rows = dict[str, tuple[Range, float]]
_STAGES = ("sample_frames", "detect_hands", "balance_hands", "crop_hands", "find_keypoints")


def look_at_some(folder: Path, config: Config, source: str, count: int, work: Path) -> Sample:
    """What `count` videos of a source give, drawn as doctor draws them."""
    drawn = draw({source: _index(folder, source)}, count)[source]
    return Sample(drawn, *measure(source, drawn.videos, config, work))


def compared(folder: Path, config: Config, source: str, sample: Sample) -> Rows:
    """Estimates of counts, MB and CPU seconds, and the truth, by name."""
    found = estimate({source: sample}, {source: _index(folder, source)}, config)
    sizes = {f"{name}, MB": size for name, size in found.disk_mb.items() if name != "pools"}
    time = sum_of([each for name, each in found.cpu_s.items() if name != "pools"])
    truth = {**_counts(folder, source), **_megabytes(folder, source), TIME: _cpu_s(folder, source)}
    return _beside({**found.counts, **sizes, TIME: time}, truth)


def _index(folder: Path, source: str) -> list[Video]:
    return read_index(folder / "results" / "videos" / source / "index.tsv")


def _beside(estimates: dict[str, Range], truth: dict[str, float]) -> Rows:
    assert estimates.keys() == truth.keys()
    return {name: (estimates[name], truth[name]) for name in estimates}


def table(rows: Rows) -> str:
    """For people."""
    lines = [
        f"{name:<34} {truth:9.1f}, estimated {one.expected:9.1f} ({one.low:.1f} to {one.high:.1f})"
        for name, (one, truth) in rows.items()
    ]
    return "\n".join(lines)


def _tables(folder: Path, stage: str, source: str, suffix: str = ".parquet") -> list[Path]:
    return sorted((folder / "results" / stage / source).glob(f"*{suffix}"))


def _counts(folder: Path, source: str) -> dict[str, float]:
    statuses = [pq.read_table(path) for path in _tables(folder, "frames", source, ".status.parquet")]
    kept = [value for path in _tables(folder, "balanced", source) for value in pq.read_table(path)["kept"].to_pylist()]
    found = [row for path in _tables(folder, "keypoints", source) for row in pq.read_table(path)["status"].to_pylist()]
    return {
        "frames": sum(sum(table["frames"].to_pylist()) for table in statuses),
        "hands": len(kept),
        "hands kept": sum(kept),
        "with keypoints": found.count("found"),
    }


def _megabytes(folder: Path, source: str) -> dict[str, float]:
    def of(stage: str, suffix: str) -> float:
        return sum(path.stat().st_size for path in _tables(folder, stage, source, suffix)) / 1e6

    rows = sum(of(stage, ".parquet") for stage in ("hands", "balanced", "keypoints"))
    return {"frames, MB": of("frames", ".arrow"), "hands and keypoints, MB": rows, "crops, MB": of("crops", ".arrow")}


def _cpu_s(folder: Path, source: str) -> float:
    """By the benchmarks of the jobs."""
    total = 0.0
    for path in (path for stage in _STAGES for path in (folder / "results" / "benchmarks" / stage / source).iterdir()):
        with path.open() as file:
            total += sum(float(row["cpu_time"]) for row in csv.DictReader(file, delimiter="\t"))
    return total
