"""A checkout of simhand in a folder of its own, on which real snakemake runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

_PARTS = ("Snakefile", "rules", "workflow_scripts", "simhand", "profiles", "slurm", "envs", "config.yaml")
_JOB = re.compile(r"^(?:local)?rule (\w+):$(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_WILDCARDS = re.compile(r"^    wildcards: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Checkout:
    """Code, configuration and results in one folder."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> Checkout:
        for name in _PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / name)
        return cls(folder)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a Python module here; what it prints on both channels is in `stdout`."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        finished = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check:
            assert finished.returncode == 0, finished.stdout[-5000:]
        return finished

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("snakemake", *arguments, check=check)

    def to_do(self, *arguments: str, target: str = "all") -> set[str]:
        """What `snakemake -n` would run, as "rule wildcard wildcard"."""
        text = self.snakemake("--cores", "2", "-n", target, *arguments).stdout
        jobs = set()
        for rule, body in _JOB.findall(text):
            wildcards = _WILDCARDS.search(body)
            values = [pair.split("=")[1] for pair in wildcards[1].split(", ")] if wildcards else []
            jobs.add(" ".join([rule, *values]))
        assert jobs or "Nothing to be done" in text, text
        return jobs

    def config(self) -> dict[str, Any]:
        return dict(yaml.safe_load((self.folder / "config.yaml").read_text()))

    def write_config(self, config: dict[str, Any]) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))
