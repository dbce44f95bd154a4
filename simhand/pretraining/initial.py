"""What an encoder starts from: random numbers, ImageNet's weights, a file, or another run's encoder."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from simhand.errors import ConfigError, WeightsError
from simhand.pretraining.foreign_state import read_foreign_state
from simhand.pretraining.official import from_official, is_official
from simhand.pretraining.settings import PretrainingSettings

log = logging.getLogger(__name__)


def initial_path(settings: PretrainingSettings, given: Path | None) -> Path | None:
    """The file that the run starts from; None for random weights and ImageNet's.

    Args:
        settings: of the run.
        given: where the workflow has put it.

    Raises:
        ConfigError: the run starts from another run's encoder, and nobody says where that is; or a file is given that
            it does not start from.
    """
    nowhere = settings.initial in {"random", "imagenet"}
    if nowhere and given is not None:
        raise ConfigError(
            "the run starts from no file",
            where="initial",
            expected=settings.initial,
            got=given,
            hint="leave out --initial, or name the file in the settings",
        )
    if settings.initial_run is not None and given is None:
        raise ConfigError(
            "where is the encoder to start from?",
            where="initial",
            got=settings.initial,
            hint="give its encoder.pt with --initial",
        )
    return None if nowhere else given or settings.initial_file


def initialise(encoder: nn.Module, settings: PretrainingSettings, path: Path | None) -> None:
    """Loads the initial weights into an encoder that has random ones.

    Args:
        encoder: torchvision's ResNet of the settings, without classifier.
        settings: of the run.
        path: as from `initial_path`.

    Raises:
        WeightsError: they cannot be had, or are another network's.
    """
    if path is not None:
        load_encoder(encoder, path)
    elif settings.initial == "imagenet":
        _load(encoder, _imagenet(settings.encoder), "ImageNet's weights of torchvision")


def load_encoder(encoder: nn.Module, path: Path) -> None:
    """Loads a ResNet's weights, all of them or none, and logs what of the file was taken and what left out.

    Args:
        encoder: with torchvision's names; its classifier `fc`, where it has one, stays as it is.
        path: a state_dict with torchvision's names (of a pre-training run, of torchvision, or as PeCLR publishes it)
            or the official code's, be it in a checkpoint under `state_dict` or saved by DataParallel.

    Raises:
        WeightsError: the file is missing or damaged, or holds another network's weights.
    """
    state = _state_in(path)
    taken = _load(encoder, from_official(state) if is_official(state) else state, path)
    left_out = sorted(key for key, value in state.items() if id(value) not in taken)
    log.info("%s: %d tensors taken, %d left out: %s", path, len(taken), len(left_out), _some(left_out))


_HINT = (
    "give the state_dict of torchvision's ResNet that `encoder` names, saved with torch.save, or an official checkpoint"
)
_PARALLEL = "module."  # what DataParallel puts before each name


def _state_in(path: Path) -> dict[str, Tensor]:
    try:
        state = read_foreign_state(path)
    except ValueError as error:
        raise WeightsError("cannot read weights", where=path, got=error, hint="copy the file again, whole") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise WeightsError("these weights are no state_dict", where=path, got=type(state).__name__, hint=_HINT)
    return {key.removeprefix(_PARALLEL): value for key, value in state.items()}


def _imagenet(name: str) -> dict[str, Tensor]:
    """What the official code starts from: torchvision's first version of ImageNet's weights."""
    weights = get_model_weights(name).IMAGENET1K_V1
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsError(
            "ImageNet's weights cannot be had",
            where=cached,
            got=error,
            hint=f"download {weights.url} to that place, or give the path of a file as `initial`",
        ) from error


def _load(encoder: nn.Module, state: dict[str, Tensor], where: object) -> set[int]:
    """Loads weights under torchvision's names, and tells which: the ids of their tensors."""
    state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    try:
        keys = encoder.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError("weights of other shapes", where=where, got=error, hint=_HINT) from error
    missing = [key for key in keys.missing_keys if not key.startswith("fc.")]
    if missing or keys.unexpected_keys:
        got = f"missing {_some(missing)}; unexpected {_some(keys.unexpected_keys)}"
        raise WeightsError("weights of another network", where=where, got=got, hint=_HINT)
    return {id(value) for value in state.values()}


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "") if keys else "none"
