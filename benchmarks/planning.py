"""What planning costs at the paper's scale: `snakemake -n all` for 28,000 indexed videos in 256 shards.

    python -m benchmarks.planning

makes a folder with 28,000 tiny files for videos (8,000 and 20,000 in two sources), plans once to index them, then plans
again and prints time and peak memory of that. What it is measured against: importing Snakemake and planning nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def main(videos: int, shards: int) -> None:
    """Prints seconds and megabytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("Snakefile", "rules", "workflow_scripts", "simhand", "profiles", "envs"):
            (folder / part).symlink_to(ROOT / part)
        _write_sources(folder, videos)
        _write_config(folder, shards)
        _write_labels(folder / "labelled")
        base = _measured(folder, "snakemake", "--version")
        print(f"snakemake --version: {base[0]:.1f} s, {base[1]:.0f} MB")
        first = _measured(folder, "snakemake", "-n", "-q", "all", "--cores", "2")
        print(f"the first plan, which indexes {videos:,} videos: {first[0]:.1f} s, {first[1]:.0f} MB")
        again = _measured(folder, "snakemake", "-n", "-q", "all", "--cores", "2")
        print(f"the next plan: {again[0]:.1f} s (wanted: 10), {again[1]:.0f} MB (wanted: 500)")
        _pretend_finished(folder)
        done = _measured(folder, "snakemake", "-n", "all", "--cores", "2")
        assert "Nothing to be done" in done[2], done[2][-2000:]
        print(f"when all is done: {done[0]:.1f} s, {done[1]:.0f} MB")


def _pretend_finished(folder: Path) -> None:
    """Empty files in the place of all outputs, recorded as made."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    run = partial(subprocess.run, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    for line in run([*command, "--summary", "all"]).stdout.splitlines()[1:]:
        output = folder / line.split("\t")[0]
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()
    run([*command, "--touch", "--quiet", "--", "all"], stderr=subprocess.DEVNULL)


def _write_sources(folder: Path, videos: int) -> None:
    for i in range(videos):
        path = folder / ("ego4d" if i % 7 < 2 else "100doh") / f"{i % 100:02d}" / f"{i:06d}-a-name-of-usual-length.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not a video: %d" % i)


def _write_config(folder: Path, shards: int) -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    ego = max(round(shards * 2 / 7), 1)
    config["sources"] = {
        "ego4d": {"videos": "ego4d", "shards": ego},
        "100doh": {"videos": "100doh", "shards": max(shards - ego, 1)},
    }
    pool = config["pools"].pop("demo")
    config["pools"] = {"ego_exo": pool | {"sources": ["ego4d", "100doh"], "query_shards": 16}}
    config["pretraining"]["defaults"]["pool"] = "ego_exo"
    config["labelled"]["demo"]["path"] = "labelled"
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def _write_labels(folder: Path) -> None:
    for split in ("training", "evaluation"):
        (folder / split / "rgb").mkdir(parents=True)
        for kind in ("K", "xyz"):
            (folder / f"{split}_{kind}.json").write_text("[]")


def _measured(folder: Path, *command: str) -> tuple[float, float, str]:
    """Seconds, the peak memory of the process in MB, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(printed)
    return time.perf_counter() - started, usage.ru_maxrss / 1024, printed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=28_000)
    parser.add_argument("--shards", type=int, default=256)
    args = parser.parse_args()
    main(args.videos, args.shards)
