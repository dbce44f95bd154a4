"""What a finished run leaves behind: its encoder in three forms, and a card that tells what it is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from simhand.files import whole_file
from simhand.pretraining.card import RunFacts, card_text, encoder_card
from simhand.pretraining.encoder import ContrastiveModel, encoder_state
from simhand.pretraining.exports import exported_program
from simhand.pretraining.official import official_state

OFFICIAL, EXPORTED, CARD = "official.ckpt", "encoder_exported.pt2", "card.json"


def publish(model: ContrastiveModel, run: RunFacts, encoder_path: Path) -> None:
    """Writes the encoder, and beside it the same in other forms and its card; each file whole or not at all.

    * `encoder_path`: torchvision's state_dict without `fc`. It is written last: where it is, the others are.
    * official.ckpt: {"state_dict": ...} as the official code names and orders weights (`official_state`).
    * encoder_exported.pt2: a program for `torch.export.load` (`exported_program`).
    * card.json: `encoder_card`.

    The same weights give the same bytes.

    Args:
        model: the trained model, on any device, in any mode; neither compiled nor wrapped for several processes.
        run: its facts; the metrics are complete.
        encoder_path: encoder.pt of the run.
    """
    settings, state = run.settings, encoder_state(model)
    projection = {key: value.detach().cpu().contiguous() for key, value in model.projection.state_dict().items()}
    _write(_packed({"state_dict": official_state(state, projection)}), encoder_path.with_name(OFFICIAL))
    program = exported_program(state, settings.encoder, settings.image_size)
    _write(program, encoder_path.with_name(EXPORTED))
    card = encoder_card(run, width=projection["0.weight"].shape[1])
    _write(f"{card_text(card)}\n".encode(), encoder_path.with_name(CARD))
    _write(_packed(state), encoder_path)


def _packed(value: Any) -> bytes:
    """torch.save to a path would put the temporary name into the file."""
    packed = io.BytesIO()
    torch.save(value, packed)
    return packed.getvalue()


def _write(content: bytes, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
