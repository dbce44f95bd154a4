"""The card of an encoder: what it is, what it was trained on, how, and by which code. JSON for people and programs."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import torchvision

from simhand.fingerprint import code_fingerprint, module_path
from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD
from simhand.pretraining.order import Plan
from simhand.pretraining.pool import Pool
from simhand.pretraining.settings import PretrainingSettings

_DIGITS = 6  # of a loss: what is left of it after rounding is noise


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run beside its weights; all but the metrics' content from its start on."""

    settings: PretrainingSettings
    plan: Plan
    pool: Pool
    digest: str  # `data_digest` of pool and positives
    initial: str  # random, imagenet, or the digest of the file of weights it started from
    device: torch.device
    code: str  # `training_code` when the run started: files may change while it runs
    metrics: Path  # JSON lines, the last of them of the last step


def training_code() -> str:
    """One fingerprint of the code that trains: of all files that the workflow compares (`params: code=`)."""
    return code_fingerprint(module_path("simhand.pretraining.__main__"))


def encoder_card(run: RunFacts, width: int) -> dict[str, Any]:
    """The card of a finished run, in the order in which a person reads it.

    Args:
        run: its facts.
        width: of the encoder's output.
    """
    settings = run.settings
    return {
        "what": f"hand encoder: torchvision's {settings.encoder} without fc, pre-trained with {settings.method}",
        "encoder": _encoder(settings, width),
        "method": settings.method,
        "weighting": settings.weighting,
        "seed": settings.seed,
        "initial": {"named": settings.initial, "content": run.initial},
        "training": _training(run),
        "data": _data(run),
        "code": {"fingerprint": run.code, **_versions()},
        "settings": settings.model_dump(mode="json"),
    }


def card_text(value: Any, indent: str = "") -> str:
    """JSON with a line for each key, but lists and empty objects in one: what json.dumps cannot do."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(key)}: {card_text(each, inner)}" for key, each in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _encoder(settings: PretrainingSettings, width: int) -> dict[str, Any]:
    return {
        "architecture": settings.encoder,
        "input": "RGB images (n, 3, h, w), float32: of values from 0 to 1 take mean away, then divide by std",
        "image_size_px": settings.image_size,
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
        "output_width": width,
    }


def _training(run: RunFacts) -> dict[str, Any]:
    settings, plan = run.settings, run.plan
    parts = settings.processes if settings.per_device_loss else 1
    return {
        "epochs": plan.epochs,
        "steps": plan.steps,
        "pairs_per_step": plan.batch,
        "pairs_per_loss": plan.batch // parts,
        **_losses(run.metrics),
        "processes": settings.processes,
        "device": _device_name(run.device),
    }


def _losses(metrics: Path) -> dict[str, float]:
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    last = lines[-1]
    recorded = [line["loss"] for line in lines if line["epoch"] == last["epoch"]]
    mean = sum(recorded) / len(recorded)
    return {"mean_loss_of_last_epoch": round(mean, _DIGITS), "loss_of_last_step": round(last["loss"], _DIGITS)}


def _data(run: RunFacts) -> dict[str, Any]:
    shards: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(run.pool.stores):
        shards[path.parent.name].append(path.stem)
    return {
        "pool": run.settings.pool,
        "hands": len(run.pool),
        "shards_by_source": dict(shards),
        "digest": run.digest,
    }


def _versions() -> dict[str, str]:
    try:
        own = version("simhand")
    except PackageNotFoundError:  # run from a checkout that is not installed
        own = "not installed"
    return {"simhand": own, "torch": torch.__version__, "torchvision": torchvision.__version__}


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"
