"""Where training runs."""

from __future__ import annotations

import torch

from simhand.errors import ConfigError


def choose_device(wanted: str) -> torch.device:
    """The device that a run's `device` (auto, cpu or cuda) stands for.

    Raises:
        ConfigError: cuda is wanted and there is none.
    """
    present = torch.cuda.is_available()
    if wanted == "cuda" and not present:
        raise ConfigError("no GPU here", where="device", expected="cuda", hint="set device to auto or cpu")
    return torch.device("cuda" if present and wanted != "cpu" else "cpu")
