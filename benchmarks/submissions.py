"""How often Slurm is asked: calls of its programs for a stage of many shards, with the shipped profile.

    python -m benchmarks.submissions --shards 256

Brings up a Slurm on this machine (`tests/slurm/cluster.py`: root, and Debian's packages), where snakemake submits and
follows the job of each shard. The jobs themselves only sleep and leave empty files, as two cores are too few for all.
What two snakemakes in each job ask of Slurm is not counted: `scontrol show config`, once each.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from simhand.stable import shard_of
from tests.slurm.cluster import reason_to_skip, slurm
from tests.slurm.site import NOTED, on_cluster
from tests.workflow.checkout import Checkout

_SLEEPING = """\
#!/bin/sh
printf '%s\\0\\n' "$*" >> "$0.calls"
shard=$(printf '%s' "$*" | sed 's/.*many_\\([0-9]*of[0-9]*\\) .*/\\1/')
for argument; do
  shift
  case "$argument" in --wrap=*) ;; *) set -- "$@" "$argument" ;; esac
done
frames=results/frames/many benchmarks=results/benchmarks/sample_frames/many
exec {sbatch} "$@" --wrap="sleep {seconds}; mkdir -p $frames $benchmarks; \
  touch $frames/$shard.arrow $frames/$shard.status.parquet $benchmarks/$shard.tsv"
"""


def write_videos(folder: Path, count: int) -> list[str]:
    """One short video a shard; returns the names of the shards."""
    folder.mkdir(parents=True)
    filled: set[str] = set()
    number = 0
    while len(filled) < count:
        name = f"video_{number}.mp4"
        number += 1
        if (shard := shard_of(name, count)) in filled:
            continue
        filled.add(shard)
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream("h264", rate=Fraction(1))
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number % 256, np.uint8), "rgb24")
            container.mux([*stream.encode(frame), *stream.encode()])
    return sorted(filled)


def main() -> None:
    """Prints jobs, calls and seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=40, help="from one look at the jobs to the next (default: 40)")
    parser.add_argument("--job-seconds", type=int, default=60, help="that each job takes (default: 60)")
    count = parser.parse_args()
    if reason := reason_to_skip():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="simhand-slurm-") as state, tempfile.TemporaryDirectory() as place:
        checkout = Checkout.new(Path(place))
        shards = write_videos(Path(place, "videos"), count.shards)
        sources = {"many": {"videos": "videos", "shards": count.shards}}
        checkout.write_config({"sources": sources, "pools": {"many": {"sources": ["many"]}}})
        with slurm(Path(state)) as cluster:
            site = on_cluster(checkout, count.seconds)
            sleeping = _SLEEPING.format(sbatch=shutil.which("sbatch"), seconds=count.job_seconds)
            Path(place, "noting", "sbatch").write_text(sleeping)
            started = time.monotonic()
            site.run(*(f"results/frames/many/{shard}.arrow" for shard in shards))
            seconds = time.monotonic() - started
            ended = [job.state for job in cluster.jobs()].count("COMPLETED")
            print(f"{ended} jobs of {count.job_seconds} s in {seconds:.0f} s, {count.seconds} s or more between looks")
        for program in NOTED:
            calls = len(site.calls(program))
            print(f"{program}: {calls} calls, {calls / len(shards):.2f} a job, {60 * calls / seconds:.1f} a minute")


if __name__ == "__main__":
    main()
