"""Where a network runs."""

from __future__ import annotations

import os

import torch

from simhand.errors import ConfigError


def choose_device(wanted: str) -> torch.device:
    """What a setting `device` (auto, cpu or cuda) stands for; of several processes each has a GPU of its own.

    Raises:
        ConfigError: cuda is wanted and there is none, or fewer GPUs than processes.
    """
    present = torch.cuda.is_available()
    if wanted == "cuda" and not present:
        raise ConfigError("no GPU here", where="device", expected="cuda", hint="set device to auto or cpu")
    if not present or wanted == "cpu":
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if device.index >= torch.cuda.device_count():
        raise ConfigError(
            "more processes than GPUs here",
            where="processes",
            expected=f"{torch.cuda.device_count()} at most",
            hint="ask for more GPUs, or set processes to their number",
        )
    torch.cuda.set_device(device)
    return device
