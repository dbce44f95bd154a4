"""A pre-trained encoder in forms that other programs load, each checked to give the same features."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import torch
import torchvision
from torch import Tensor, nn

from simhand.errors import WeightsError
from simhand.files import whole_file
from simhand.pretraining.exports import exported_program
from simhand.pretraining.initial import load_encoder
from simhand.pretraining.settings import EncoderName

Form = Literal["torchvision", "safetensors", "program", "torchscript"]

_DEFAULT_SIZE_PX = 128  # the paper's, where no card tells
_TOLERANCE = 1e-4  # of features, whose size is about 1; programs may add up in another order

Encode = Callable[[Tensor], Tensor]


def export_encoder(path: Path, form: Form, out: Path, name: EncoderName | None = None) -> float:
    """Writes an encoder in another form.

    Args:
        path: a file of weights as `load_encoder` reads them, encoder.pt of a run for one.
        form: torchvision: a state_dict without fc; safetensors: the same tensors; program: for torch.export.load;
            torchscript: for torch.jit.load.
        out: the file to write.
        name: the ResNet's; None: as the card beside the weights tells, or else as the weights fit.

    Returns:
        the largest difference of a feature between the encoder and the written file, read back.

    Raises:
        WeightsError: it cannot be read, holds no ResNet's weights, or what was written gives other features.
        ModuleNotFoundError: safetensors is not installed.
    """
    card = _card(path)
    encoder, name = _loaded(path, name or card.get("encoder"))
    size_px = int(card.get("image_size", _DEFAULT_SIZE_PX))
    state = {key: value.detach().contiguous() for key, value in encoder.state_dict().items()}
    images = torch.rand(2, 3, size_px, size_px, generator=torch.Generator().manual_seed(0))
    with whole_file(out) as temporary:
        temporary.write_bytes(_WRITERS[form](encoder, state, name, size_px))
        with torch.no_grad():
            difference = float((encoder(images) - _read(temporary, form, name)(images)).abs().max())
        if not difference < _TOLERANCE:
            raise WeightsError(
                "the written encoder gives other features", where=out, expected="the same", got=difference
            )
    return difference


def _card(path: Path) -> Mapping[str, Any]:
    """The settings of the run, where its card lies beside the weights."""
    card = path.with_name("card.json")
    return json.loads(card.read_text())["settings"] if card.is_file() else {}


def _loaded(path: Path, name: EncoderName | None) -> tuple[nn.Module, EncoderName]:
    """The ResNet of that name, or the one that the weights fit."""
    refused: WeightsError | None = None
    names: Sequence[EncoderName] = [name] if name is not None else get_args(EncoderName)
    for tried in names:
        encoder = _empty(tried)
        try:
            load_encoder(encoder, path)
        except WeightsError as error:
            refused = refused or error
            continue
        return encoder.eval().requires_grad_(requires_grad=False), tried
    assert refused is not None
    raise refused


def _empty(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        encoder: nn.Module = torchvision.models.get_model(name, weights=None)
    encoder.fc = nn.Identity()
    return encoder


def _state_dict(encoder: nn.Module, state: dict[str, Tensor], name: EncoderName, size_px: int) -> bytes:
    packed = io.BytesIO()
    torch.save(state, packed)
    return packed.getvalue()


def _safetensors(encoder: nn.Module, state: dict[str, Tensor], name: EncoderName, size_px: int) -> bytes:
    import safetensors.torch  # noqa: PLC0415 - not everybody has it

    return bytes(safetensors.torch.save(state, metadata={"encoder": name, "image_size_px": str(size_px)}))


def _program(encoder: nn.Module, state: dict[str, Tensor], name: EncoderName, size_px: int) -> bytes:
    return exported_program(state, name, size_px)


def _torchscript(encoder: nn.Module, state: dict[str, Tensor], name: EncoderName, size_px: int) -> bytes:
    """By tracing, which a ResNet in eval mode allows: nothing in it depends on the values or the size of images."""
    packed = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch's, of TorchScript as a whole
        torch.jit.save(torch.jit.trace(encoder, torch.zeros(2, 3, size_px, size_px)), packed)
    return packed.getvalue()


_WRITERS: dict[Form, Callable[[nn.Module, dict[str, Tensor], EncoderName, int], bytes]] = {
    "torchvision": _state_dict,
    "safetensors": _safetensors,
    "program": _program,
    "torchscript": _torchscript,
}


def _read(path: Path, form: Form, name: EncoderName) -> Encode:
    """As another program would."""
    if form == "program":
        with path.open("rb") as file:
            program: Encode = torch.export.load(io.BytesIO(file.read())).module()
        return program
    if form == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            script: Encode = torch.jit.load(path)
        return script
    if form == "safetensors":
        import safetensors.torch  # noqa: PLC0415

        state = safetensors.torch.load(path.read_bytes())
    else:
        state = torch.load(path, weights_only=True)
    encoder = _empty(name)
    encoder.load_state_dict(state)
    return encoder.eval().requires_grad_(requires_grad=False)
