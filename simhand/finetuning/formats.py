"""The layouts of labelled sets that can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simhand.finetuning.assemblyhands import read_assemblyhands
from simhand.finetuning.dexycb import read_dexycb
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet, Split
from simhand.finetuning.settings import Format, ReadSettings

__all__ = ["READERS", "Format", "Reader"]

Reader = Callable[[Path, Split, ReadSettings], LabelledSet]

READERS: dict[Format, Reader] = {
    "freihand": read_freihand,
    "dexycb": read_dexycb,
    "assemblyhands": read_assemblyhands,
}
