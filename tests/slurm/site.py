"""A checkout on a cluster, as its user has set it up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflow.checkout import Checkout

NOTED = ("sbatch", "squeue", "scancel", "scontrol", "sacct", "sinfo")


@dataclass(frozen=True)
class Site:
    """A checkout on this cluster, with programs before Slurm's own that note each call of them."""

    checkout: Checkout
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `snakemake --profile slurm ARGUMENTS` as a user types it."""
        folder = self.checkout.folder
        path = [folder / "noting", Path(sys.executable).parent, os.environ["PATH"]]
        process = subprocess.Popen(
            ["snakemake", "--profile", "slurm", *arguments], cwd=folder, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=(folder / "printed").open("a"), stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(folder), "PATH": ":".join(map(str, path))},
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kills what a failed test has left running."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def run(self, *arguments: str, check: bool = True) -> str:
        """The same, to its end; returns what it printed."""
        process = self.start(*arguments)
        code = process.wait(timeout=1200)
        if check:
            assert code == 0, self.printed()[-5000:]
        return self.printed()

    def set_resource(self, rule: str, **resources: Any) -> None:
        """What a user sets for a rule in slurm/config.yaml."""
        path = self.checkout.folder / "slurm" / "config.yaml"
        profile = yaml.safe_load(path.read_text())
        profile["set-resources"][rule] |= resources
        path.write_text(yaml.safe_dump(profile))

    def printed(self) -> str:
        return (self.checkout.folder / "printed").read_text()

    def calls(self, program: str) -> list[str]:
        """The arguments of each call of sbatch, squeue, ... that snakemake has made."""
        path = self.checkout.folder / "noting" / f"{program}.calls"
        return path.read_text().split("\0\n")[:-1] if path.exists() else []


_NOTING = """\
#!/bin/sh
printf '%s\\0\\n' "$*" >> "$0.calls"
exec {program} "$@"
"""


# What a user of this cluster edits in slurm/config.yaml, line by line, to have its GPUs used and not to wait for long.
_EDITS = {
    "# set-resources:": "set-resources:",
    '#   pretrain: {slurm_partition: "gpu"}': '  pretrain: {slurm_partition: "gpu"}',
    '#   finetune: {slurm_partition: "gpu", constraint: "a100|h100"}': '  finetune: {slurm_partition: "gpu"}',
    "latency-wait: 60 ": "latency-wait: 10 ",
}


def _edit_profile(checkout: Checkout, seconds: int) -> None:
    path = checkout.folder / "slurm" / "config.yaml"
    text = path.read_text()
    looks = "slurm-init-seconds-before-status-checks: "
    for old, new in {**_EDITS, f"{looks}40": f"{looks}{seconds}"}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def on_cluster(checkout: Checkout, seconds: int = 3) -> Site:
    """Sets a checkout up for the cluster, with so many seconds from one look at the jobs to the next."""
    _edit_profile(checkout, seconds)
    folder = checkout.folder / "noting"
    folder.mkdir()
    for program in NOTED:
        (folder / program).write_text(_NOTING.format(program=shutil.which(program)))
        (folder / program).chmod(0o755)
    return Site(checkout)
