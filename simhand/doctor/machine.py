"""What jobs run on: GPUs here, Slurm, and the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from simhand.doctor import amounts
from simhand.doctor.finding import Finding, ok, problem, warning
from simhand.finetuning.settings import FinetuningSettings
from simhand.hands.settings import DetectionSettings
from simhand.pretraining.settings import PretrainingSettings

_PROFILE = Path("slurm/config.yaml")
_SITE = {"slurm_account", "slurm_partition", "constraint", "qos"}
_GPU_RULES = ("pretrain", "finetune")
_LITTLE_MB = 10_000.0

Trained = PretrainingSettings | FinetuningSettings


def check_machine(trained: dict[str, Trained], detection: DetectionSettings | None, results: Path) -> Iterator[Finding]:
    """GPUs, Slurm and disk.

    Args:
        trained: the settings of what is trained, by their keys in the configuration.
        detection: of the detector; None: not known.
        results: where results are written, whether it is there yet or not.
    """
    yield from _gpus(trained, detection)
    yield from _slurm()
    yield _disk(results)


def check_load() -> Iterator[Finding]:
    """Whether the machine does other things, so that times measured on it are too long."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        text = f"this machine is busy: a load of {load:.1f} on {cores} cores"
        yield warning(text, "the times below are too long then; ask again when it is idle")


def _gpus(trained: dict[str, Trained], detection: DetectionSettings | None) -> Iterator[Finding]:
    import torch  # noqa: PLC0415 - takes seconds, which --help need not wait for

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        yield ok(f"{count} GPU{'s' if count > 1 else ''} here: {torch.cuda.get_device_name(0)}")
    else:
        yield ok("no GPU here: what runs on this machine runs on its CPUs (estimates below say how long)")
    wanting = [key for key, settings in trained.items() if settings.device == "cuda"]
    if detection is not None and detection.detector == "hundred_doh" and detection.device == "cuda":
        wanting.append("detection")
    if wanting and not count:
        advice = "run them on Slurm nodes that have one, or set device: auto"
        yield warning(f"device: cuda in {', '.join(wanting)}, and no GPU here", advice)
    more = [key for key, settings in trained.items() if settings.processes // settings.nodes > max(1, count)]
    if more and count:
        yield warning(f"more processes than GPUs here in {', '.join(more)}", "set processes to their number")


def _slurm() -> Iterator[Finding]:
    if shutil.which("sbatch") is None or shutil.which("squeue") is None:
        yield ok("no Slurm here: jobs run on this machine")
        return
    asked = subprocess.run(["squeue", "--noheader", "--me"], capture_output=True, text=True, check=False)
    if asked.returncode:
        said = asked.stderr.strip().splitlines()
        advice = "of no matter where jobs run on this machine; else ask your site"
        yield warning(f"Slurm's commands are here, but squeue does not answer: {said[0][:60] if said else '?'}", advice)
        return
    yield ok("Slurm answers")
    yield _profile()


def _profile() -> Finding:
    """Whether the profile was made the site's own."""
    if not _PROFILE.is_file():
        return warning(f"no {_PROFILE} here", "call it where you call snakemake: `snakemake --profile slurm` reads it")
    profile: dict[str, Any] = yaml.safe_load(_PROFILE.read_text()) or {}
    site = _SITE & set(profile.get("default-resources") or {})
    of_gpus = {rule for rule in _GPU_RULES if _SITE & set((profile.get("set-resources") or {}).get(rule) or {})}
    if site or of_gpus:
        return ok(f"{_PROFILE} names {', '.join(sorted(site | of_gpus))}")
    text = f"{_PROFILE} is as it was shipped: it names no account and no partition"
    return ok(f"{text}; edit it before --profile slurm (docs/cluster.md)")


def _disk(results: Path) -> Finding:
    place = existing(results)
    if not os.access(place, os.W_OK):
        return problem(f"nothing can be written to {place}", "call it in a folder of yours, or mend its permissions")
    free = shutil.disk_usage(place).free / 1e6
    text = f"{amounts.size(amounts.exactly(free))} free where results are written"
    return ok(text) if free > _LITTLE_MB else warning(text, "make room, or move the checkout to a larger disk")


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    path = path.resolve()
    return next(place for place in (path, *path.parents) if place.exists())
