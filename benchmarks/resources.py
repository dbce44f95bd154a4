"""What the jobs of a finished run took, and what they would ask Slurm for: a line a rule.

    python -m benchmarks.resources [CHECKOUT]

reads results/benchmarks. Memory is that of the job's own processes, resident, the most of all jobs of a rule, with that
of Snakemake's two processes on a cluster added in the share.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

SNAKEMAKE_MB = 420
_COLUMNS = "| {:24} | {:>4} | {:>8} | {:>9} | {:>5} | {:>7} | {:>10} | {:>6} |"


class Job(NamedTuple):
    """What one job took and would ask for."""

    rule: str
    used_mb: float
    asked_mb: int
    seconds: float
    asked_minutes: int

    def shares(self) -> tuple[float, float]:
        """Of memory and of time."""
        return (self.used_mb + SNAKEMAKE_MB) / self.asked_mb, self.seconds / 60 / self.asked_minutes


def jobs(workflow: Any) -> Iterator[Job]:
    """All jobs that have left a file of what they took."""
    for rule in workflow.rules:
        if not rule.benchmark or rule.norun or rule.name in rule.workflow._localrules:  # Slurm is asked for nothing
            continue
        pattern = rule.benchmark.regex()
        for path in sorted(Path("results/benchmarks").rglob("*.tsv")):
            if match := pattern.fullmatch(str(path)):
                yield job(rule, match.groupdict(), path)


def job(rule: Any, wildcards: dict[str, str], path: Path) -> Job:
    """The job of a rule that left this file. What it asks for is told by Snakemake."""
    with path.open(newline="") as file:
        used = next(csv.DictReader(file, delimiter="\t"))
    inputs = rule.expand_input(Wildcards(fromdict=wildcards))[0]
    asked = rule.expand_resources(wildcards, inputs, attempt=1)
    return Job(rule.name, float(used["max_rss"]), asked.mem_mb, float(used["s"]), asked.runtime)


def main(checkout: Path) -> None:
    """Prints the table."""
    os.chdir(checkout)
    with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
        planned = api.workflow(ResourceSettings(cores=1000), ConfigSettings(), snakefile=Path("Snakefile").resolve())
        found = list(jobs(planned._workflow))
    print(_COLUMNS.format("rule", "jobs", "MB", "asked, MB", "share", "s", "asked, min", "share"))
    print("| --- |" + " ---: |" * 7)
    for name in dict.fromkeys(one.rule for one in found):
        own = [one for one in found if one.rule == name]
        most, longest = max(own, key=lambda one: one.shares()[0]), max(own, key=lambda one: one.seconds)
        memory, time = f"{most.shares()[0]:.2f}", f"{longest.shares()[1]:.4f}"
        used_mb, seconds = f"{most.used_mb:.0f}", f"{longest.seconds:.1f}"
        print(_COLUMNS.format(name, len(own), used_mb, most.asked_mb, memory, seconds, longest.asked_minutes, time))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout", type=Path, nargs="?", default=Path())
    main(parser.parse_args().checkout)
